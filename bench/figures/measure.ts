import type { Delivery } from 'clew'
import type { Say } from '../harness/command.ts'
import type { Remote } from '../harness/remote.ts'
import { type Cast, type Cell, everyone } from './cells.ts'
import { linesOf } from './lines.ts'
import type { Participant, Role } from './participants.ts'
import type { Line } from './results.ts'
import { measureRounds, type Pace } from './rounds.ts'
import { HOSTS, type Shape } from './services.ts'
import type { SystemKey } from './systems.ts'
import { together } from './traffic.ts'

export interface Plan extends Pace {
  /** `off` among them, against which the others are held. */
  readonly systems: readonly SystemKey[]
  readonly sizes: Readonly<Record<Shape, readonly number[]>>
  readonly delivery: Delivery
  /** For how long to watch what else the machine does, before and after, in milliseconds. */
  readonly watchMs: number
}

/** Starts a participant; its first question is `start`. */
export type Launch = (role: Role) => Remote<Participant>

export interface Measurements {
  readonly rounds: number
  readonly figures: Readonly<Record<Shape, readonly Line[]>>
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
    const line = (shape: Shape) => linesOf(cells, shape, plan.systems)
    const figures = { depth: line('depth'), together: line('together'), inSeries: line('inSeries') }
    return { rounds, figures }
  } finally {
    await Promise.all(participants.map((participant) => participant.stop()))
  }
}

function assemble(system: SystemKey, links: number, { delivery }: Plan, launch: Launch): Cast {
  const hosts = Array.from({ length: HOSTS }, (_, host) => host)
  const services = hosts.map((host) => launch({ system, host, links, delivery }))
  return { system, services, client: launch({ system, host: undefined, links, delivery }) }
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
  if (failure !== undefined) {
    // What went wrong on the way explains a trace that lacks calls; an error explains itself.
    const reasons = warnings.filter((warning) => !warning.includes(failure))
    cell.failure = [failure, ...reasons.slice(0, 1)].join('; ')
    return
  }
  const traffic = together([atClient, ...elsewhere])
  cell.bytes = {
    reply: atClient.largestReply,
    largestRequest: traffic.largestRequest,
    all: traffic.all,
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}
