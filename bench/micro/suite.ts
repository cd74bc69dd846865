import { COUNTING_FLAGS } from '../harness/allocations.ts'
import { describeMachine, otherWork } from '../harness/machine.ts'
import { type Remote, startRemote } from '../harness/remote.ts'
import { counted } from '../harness/run-text.ts'
import { estimate, quantile, shuffled } from '../harness/statistics.ts'
import { COUNT, type Measuring, type StepDescription, type Timed } from './measuring.ts'
import type { MicroPlan } from './options.ts'
import { type MicroResults, type StepMeasured, sumsOf } from './results.ts'
import type { StepGroup } from './step.ts'

const WATCH_MS = 1_000
/** Those of one process: where some leave much to collect, others would do it in their time. */
const TIMED_TOGETHER: readonly (readonly StepGroup[])[] = [
  ['parts', 'call', 'whole'],
  ['trace'],
  ['choices'],
]

/** Measures the steps of the plan: in some processes time, in another bytes. */
export async function runMicro(
  plan: MicroPlan,
  program: string,
  say: (line: string) => void,
): Promise<MicroResults> {
  const began = Date.now()
  const [busy, machine] = [await otherWork(WATCH_MS), await describeMachine()]
  const asked = await describeSteps(program, plan.steps)
  const steps = asked.filter(({ large }) => plan.large || !large)
  const bytes = await countBytes(program, steps, plan.counts, say)
  const times = await measureTimes(program, steps, plan.rounds, say)
  const measured = steps.map(({ key, title, group }): StepMeasured => {
    const timed = times.get(key) ?? []
    const ns = estimate(timed.map((one) => one.ns))
    const collectingNs = meanOf(timed.map((one) => one.collectingNs))
    return { key, title, group, ns, collectingNs, bytes: bytes.get(key) ?? null }
  })
  return {
    suite: 'micro',
    schema: 1,
    startedAt: new Date(began).toISOString(),
    seconds: (Date.now() - began) / 1000,
    rounds: plan.rounds,
    machine,
    otherWork: busy,
    steps: measured,
    sums: sumsOf(measured),
  }
}

/** Null where one is. */
function meanOf(values: readonly (number | null)[]): number | null {
  let sum = 0
  for (const value of values) {
    if (value === null) return null
    sum += value
  }
  return values.length === 0 ? null : sum / values.length
}

/** @throws Error when there is no step of a name */
export async function describeSteps(
  program: string,
  wanted: readonly string[] | undefined,
): Promise<readonly StepDescription[]> {
  const all = await using(startRemote<Measuring>(program, []), ({ ask }) => ask.steps())
  const unknown = wanted?.find((key) => !all.some((step) => step.key === key))
  if (unknown === undefined) return all.filter(({ key }) => wanted?.includes(key) ?? true)
  const names = all.map(({ key }) => key).join(', ')
  throw new Error(`there is no step "${unknown}", only ${names}`)
}

/** Bytes that each step allocates, by its key: the medians of so many counts. */
export async function countBytes(
  program: string,
  steps: readonly Pick<StepDescription, 'key' | 'large'>[],
  counts: number,
  say: (line: string) => void,
): Promise<ReadonlyMap<string, number>> {
  const counted = steps.filter(({ large }) => !large).map(({ key }) => key)
  say(`counting the bytes of ${counted.length} steps`)
  const remote = startRemote<Measuring>(program, [COUNT], COUNTING_FLAGS)
  return using(remote, async ({ ask }) => {
    // All before any is counted, and always in one order: what runs changes what is compiled of the rest.
    for (const key of counted) await ask.warmUp(key)
    const values = await inRounds(
      () => counted,
      counts,
      (key) => ask.count(key),
    )
    return new Map(counted.map((key) => [key, quantile(values.get(key)!, 0.5)]))
  })
}

async function measureTimes(
  program: string,
  steps: readonly StepDescription[],
  rounds: number,
  say: (line: string) => void,
): Promise<ReadonlyMap<string, readonly Timed[]>> {
  const times = new Map<string, readonly Timed[]>()
  for (const groups of TIMED_TOGETHER) {
    const keys = steps.filter(({ group }) => groups.includes(group)).map(({ key }) => key)
    if (keys.length === 0) continue
    say(`measuring ${counted(rounds, 'round')} of ${counted(keys.length, 'step')}`)
    await using(startRemote<Measuring>(program, []), async ({ ask }) => {
      for (const key of keys) await ask.warmUp(key)
      const values = await inRounds(
        () => shuffled(keys),
        rounds,
        (key) => ask.time(key),
      )
      for (const [key, timed] of values) times.set(key, timed)
    })
  }
  return times
}

/** Every step once a round; the first round is thrown away. */
async function inRounds<T>(
  order: () => readonly string[],
  rounds: number,
  measure: (key: string) => Promise<T>,
): Promise<ReadonlyMap<string, T[]>> {
  const values = new Map<string, T[]>(order().map((key) => [key, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const key of order()) {
      const value = await measure(key)
      if (round > 0) values.get(key)!.push(value)
    }
  }
  return values
}

async function using<T, R>(remote: Remote<T>, work: (remote: Remote<T>) => Promise<R>): Promise<R> {
  try {
    return await work(remote)
  } finally {
    await remote.stop()
  }
}
