import type { Delivery } from 'clew'
import type { Say } from '../harness/command.ts'
import type { LoadFigures } from '../harness/load.ts'
import type { Remote } from '../harness/remote.ts'
import { estimate, quantile, shuffled } from '../harness/statistics.ts'
import type { Participant, Role } from './participants.ts'
import type { LoadResults, SystemResults } from './results.ts'
import { type SystemKey, systemOf } from './systems.ts'

export interface Plan {
  /** `off` among them, against which the others are held. */
  readonly systems: readonly SystemKey[]
  /** Calls under way at a time, one load after the other. */
  readonly concurrencies: readonly number[]
  readonly delivery: Delivery
  readonly workers: number
  readonly rounds: number
  /** No round begins that would probably end later than so many seconds after the first. */
  readonly seconds: number
  /** How long one load lasts, milliseconds. */
  readonly windowMs: number
  /** How long each system is warmed up before anything counts, milliseconds. */
  readonly warmUpMs: number
  /** For how long to watch what else the machine does, before and after, in milliseconds. */
  readonly watchMs: number
}

/** Starts a participant; its first question is `start`. */
export type Launch = (role: Role) => Remote<Participant>
/** Processor time that the broker has used so far, microseconds. */
export type BrokerClock = () => Promise<number | undefined>

/** One system's processes. */
interface Cast {
  readonly system: SystemKey
  readonly service: Remote<Participant>
  readonly client: Remote<Participant>
}

interface Sample extends LoadFigures {
  readonly cpuUs: number
  readonly brokerUs: number | undefined
}

/** Samples of one system, by the number of calls under way; one a round. */
type Samples = ReadonlyMap<number, Sample[]>

/** Measures all systems under all loads, and lets all processes go, however it ends. */
export async function measureOverhead(
  plan: Plan,
  launch: Launch,
  clock: BrokerClock,
  say: Say,
): Promise<{ readonly rounds: number; readonly systems: readonly SystemResults[] }> {
  const casts = plan.systems.map((system): Cast => {
    const role = { system, delivery: plan.delivery, workers: plan.workers } as const
    return {
      system,
      service: launch({ ...role, part: 'service' }),
      client: launch({ ...role, part: 'client' }),
    }
  })
  const participants = casts.flatMap(({ service, client }) => [service, client])
  try {
    await started(participants)
    for (const { system, client } of casts) {
      const failure = await client.ask.check()
      if (failure !== undefined) throw new Error(`${system} cannot be measured: ${failure}`)
    }
    const all = new Map(
      casts.map((cast): [Cast, Samples] => [
        cast,
        new Map(plan.concurrencies.map((concurrency): [number, Sample[]] => [concurrency, []])),
      ]),
    )
    await warmUp(casts, plan)
    const rounds = await measureRounds(all, plan, clock, say)
    return { rounds, systems: resultsOf(all) }
  } finally {
    await Promise.all(participants.map((participant) => participant.stop()))
  }
}

/** All of them, or none: who is still starting when another fails would be left behind. */
async function started(participants: readonly Remote<Participant>[]): Promise<void> {
  const outcomes = await Promise.allSettled(participants.map(({ ask }) => ask.start()))
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}

async function warmUp(casts: readonly Cast[], plan: Plan): Promise<void> {
  const concurrency = Math.max(...plan.concurrencies)
  for (const { client } of casts) await client.ask.load({ concurrency, ms: plan.warmUpMs })
}

/**
 * In each round every system is put under every load: loads in a new order each round, and under each
 * load the systems one directly after the other, again in a new order.
 * @returns how many rounds there were
 */
async function measureRounds(
  all: ReadonlyMap<Cast, Samples>,
  plan: Plan,
  clock: BrokerClock,
  say: Say,
): Promise<number> {
  const began = performance.now()
  for (let round = 1; ; round++) {
    for (const concurrency of shuffled(plan.concurrencies)) {
      for (const [cast, samples] of shuffled([...all])) {
        samples.get(concurrency)!.push(await sampleOf(cast, concurrency, plan.windowMs, clock))
      }
    }
    const tookS = (performance.now() - began) / 1000
    if (round % 10 === 0) say(`round ${round}, ${Math.round(tookS)} s`)
    if (round >= plan.rounds || tookS + tookS / round > plan.seconds) return round
  }
}

async function sampleOf(
  { service, client }: Cast,
  concurrency: number,
  ms: number,
  clock: BrokerClock,
): Promise<Sample> {
  const used = async () => {
    const parts = await Promise.all([service.ask.processorUs(), client.ask.processorUs()])
    return parts[0] + parts[1]
  }
  const [cpuBefore, brokerBefore] = [await used(), await clock()]
  const figures = await client.ask.load({ concurrency, ms })
  const [cpuAfter, brokerAfter] = [await used(), await clock()]
  const broker =
    brokerBefore === undefined || brokerAfter === undefined ? undefined : brokerAfter - brokerBefore
  return {
    ...figures,
    cpuUs: (cpuAfter - cpuBefore) / figures.calls,
    brokerUs: broker === undefined ? undefined : broker / figures.calls,
  }
}

function resultsOf(all: ReadonlyMap<Cast, Samples>): SystemResults[] {
  const off = [...all].find(([{ system }]) => system === 'off')![1]
  return [...all].map(([{ system }, samples]) => ({
    key: system,
    title: systemOf(system).title,
    loads: [...samples].map(([concurrency, own]) =>
      loadOf(concurrency, own, samples === off ? undefined : off.get(concurrency)!),
    ),
  }))
}

function loadOf(
  concurrency: number,
  own: readonly Sample[],
  off: readonly Sample[] | undefined,
): LoadResults {
  const median = (of: (sample: Sample) => number) => quantile(own.map(of), 0.5)
  const against = (of: (sample: Sample) => number) =>
    estimate(own.map((sample, round) => of(sample) / of(off![round]!)))
  const knowsBroker = own.every(({ brokerUs }) => brokerUs !== undefined)
  const brokerUs = (sample: Sample) => sample.brokerUs ?? Number.NaN
  return {
    concurrency,
    perS: median(({ perS }) => perS),
    p50Us: median(({ p50Us }) => p50Us),
    p99Us: median(({ p99Us }) => p99Us),
    cpuUs: median(({ cpuUs }) => cpuUs),
    brokerUs: knowsBroker ? median(brokerUs) : undefined,
    against: off && {
      throughput: against(({ perS }) => perS),
      p50: against(({ p50Us }) => p50Us),
      cpu: against(({ cpuUs }) => cpuUs),
      brokerCpu: knowsBroker ? against(brokerUs) : undefined,
    },
  }
}
