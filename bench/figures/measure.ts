import type { Delivery } from 'clew'
import type { Remote } from '../harness/remote.ts'
import { shuffled, spread } from '../harness/statistics.ts'
import type { Participant, Role } from './participants.ts'
import type { Line, Measured, Point, PointBytes } from './results.ts'
import { callsOf, HOSTS, type Shape } from './services.ts'
import type { SystemKey } from './systems.ts'
import { together } from './traffic.ts'

export interface Plan {
  /** `off` among them, against which the others are held. */
  readonly systems: readonly SystemKey[]
  readonly sizes: Readonly<Record<Shape, readonly number[]>>
  readonly delivery: Delivery
  /** How often every system is measured at every size. */
  readonly rounds: number
  /** No round begins that would probably end later than so many seconds after the first. */
  readonly seconds: number
  /** Calls between services that one measurement of one system at one size makes, about. */
  readonly effort: number
  /** For how long to watch what else the machine does, before and after, in milliseconds. */
  readonly watchMs: number
}

/** Starts a participant; its first question is `start`. */
export type Launch = (role: Role) => Remote<Participant>

export type Say = (line: string) => void

export interface Measurements {
  readonly rounds: number
  readonly figures: Readonly<Record<Shape, readonly Line[]>>
}

const MOST_CALLS = 40
const FEWEST_CALLS = 1
const WARM_UP_CALLS = 1

/** One system's processes. */
interface Cast {
  readonly system: SystemKey
  readonly services: readonly Remote<Participant>[]
  readonly client: Remote<Participant>
}

/** One system at one size of one shape. */
interface Cell {
  readonly cast: Cast
  readonly shape: Shape
  readonly size: number
  failure: string | undefined
  bytes: PointBytes | undefined
  readonly samples: Sample[]
}

/** What one round says of a cell. */
interface Sample {
  readonly ms: number
  readonly processorUs: number
}

/** Measures all systems at all sizes, and lets all processes go, however it ends. */
export async function measureFigures(plan: Plan, launch: Launch, say: Say): Promise<Measurements> {
  const shapes = Object.keys(plan.sizes) as Shape[]
  const links = Math.max(HOSTS, ...Object.values(plan.sizes).flat())
  const casts = plan.systems.map((system) => assemble(system, links, plan, launch))
  const participants = casts.flatMap(everyone)
  try {
    await start(participants)
    const cells = casts.flatMap((cast) =>
      shapes.flatMap((shape) =>
        plan.sizes[shape].map((size): Cell => {
          return { cast, shape, size, failure: undefined, bytes: undefined, samples: [] }
        }),
      ),
    )
    say(`checking ${cells.length} pairs of system and size`)
    for (const cell of cells) await check(cell)
    for (const { cast, shape, size, failure } of cells) {
      if (failure !== undefined) say(`${cast.system}, ${shape} ${size}: ${failure}`)
    }
    const rounds = await measureRounds(cells, plan, say)
    for (const { ask } of participants) {
      const warning = await ask.takeWarning()
      if (warning !== undefined) say(`while measuring: ${warning}`)
    }
    return { rounds, figures: lines(cells, shapes, plan.systems) }
  } finally {
    await Promise.all(participants.map((participant) => participant.stop()))
  }
}

function assemble(system: SystemKey, links: number, { delivery }: Plan, launch: Launch): Cast {
  const hosts = Array.from({ length: HOSTS }, (_, host) => host)
  const services = hosts.map((host) => launch({ system, host, links, delivery }))
  return { system, services, client: launch({ system, host: undefined, links, delivery }) }
}

function everyone({ services, client }: Cast): readonly Remote<Participant>[] {
  return [...services, client]
}

/** All of them, or none: who is still starting when another fails would be left behind. */
async function start(participants: readonly Remote<Participant>[]): Promise<void> {
  const outcomes = await Promise.allSettled(participants.map(({ ask }) => ask.start()))
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}

/** One call, looked at closely: is the result right and the trace whole, and how large is it? */
async function check(cell: Cell): Promise<void> {
  const { client, services } = cell.cast
  const all = everyone(cell.cast).map(({ ask }) => ask)
  await Promise.all(all.map((one) => one.countTraffic(true)))
  const { failure } = await client.ask.check({ shape: cell.shape, size: cell.size })
  const atClient = await client.ask.takeTraffic()
  const elsewhere = await Promise.all(services.map(({ ask }) => ask.takeTraffic()))
  await Promise.all(all.map((one) => one.countTraffic(false)))
  const warnings = (await Promise.all(all.map((one) => one.takeWarning()))).filter(isText)
  cell.failure = failure === undefined ? undefined : [failure, ...warnings.slice(0, 1)].join('; ')
  if (failure !== undefined) return
  const traffic = together([atClient, ...elsewhere])
  cell.bytes = {
    reply: atClient.largestReply,
    largestRequest: traffic.largestRequest,
    all: traffic.all,
  }
}

/**
 * Rounds in which every system is measured at every size: sizes in a new order each round, and at
 * each size the systems one directly after the other, again in a new order. The first round only
 * warms the processes up and does not count.
 * @returns how many rounds count
 */
async function measureRounds(cells: readonly Cell[], plan: Plan, say: Say): Promise<number> {
  const groups = [...Map.groupBy(cells, ({ shape, size }) => `${shape} ${size}`).values()]
  const began = performance.now()
  for (let round = 0; ; round++) {
    for (const group of shuffled(groups)) {
      for (const cell of shuffled(group)) {
        const sample = await sampleOf(cell, plan.effort)
        if (round > 0 && sample !== undefined) cell.samples.push(sample)
      }
    }
    const tookS = (performance.now() - began) / 1000
    const name = round === 0 ? 'warm-up' : `round ${round} of ${plan.rounds}`
    say(`${name}, ${Math.round(tookS)} s`)
    if (round >= plan.rounds) return round
    if (round > 0 && tookS + tookS / (round + 1) > plan.seconds) return round
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

async function sampleOf(cell: Cell, effort: number): Promise<Sample | undefined> {
  if (cell.failure !== undefined) return undefined
  const { shape, size, cast } = cell
  const each = callsOf(shape, size)
  const calls = Math.min(MOST_CALLS, Math.max(FEWEST_CALLS, Math.round(effort / each)))
  const before = await usedProcessor(cast)
  const ms = await cast.client.ask.measure({ shape, size, warmUp: WARM_UP_CALLS, calls })
  const usedUs = (await usedProcessor(cast)) - before
  return { ms, processorUs: usedUs / (each * (calls + WARM_UP_CALLS)) }
}

async function usedProcessor(cast: Cast): Promise<number> {
  const used = await Promise.all(everyone(cast).map(({ ask }) => ask.processorUs()))
  return used.reduce((sum, one) => sum + one, 0)
}

function lines(
  cells: readonly Cell[],
  shapes: readonly Shape[],
  systems: readonly SystemKey[],
): Readonly<Record<Shape, readonly Line[]>> {
  const figure = (shape: Shape): readonly Line[] =>
    systems.map((system) => ({
      system,
      points: cells
        .filter((cell) => cell.shape === shape && cell.cast.system === system)
        .map((cell) => pointOf(cell, cells)),
    }))
  return Object.fromEntries(shapes.map((shape) => [shape, figure(shape)])) as Record<
    Shape,
    readonly Line[]
  >
}

function pointOf(cell: Cell, cells: readonly Cell[]): Point {
  const { shape, size, failure, bytes } = cell
  const off = cells.find(
    (other) => other.cast.system === 'off' && other.shape === shape && other.size === size,
  )
  return {
    size,
    calls: callsOf(shape, size),
    failure,
    bytes,
    measured: failure === undefined ? measuredOf(cell, off) : undefined,
  }
}

function measuredOf(cell: Cell, off: Cell | undefined): Measured {
  const { samples } = cell
  // Every cell that works has one sample a round, in order.
  const ratios = samples.map(({ ms }, round) => ms / off!.samples[round]!.ms)
  return {
    ms: spread(samples.map(({ ms }) => ms)),
    ratio: cell === off ? undefined : spread(ratios),
    processorUs: spread(samples.map(({ processorUs }) => processorUs)),
  }
}
