import { parseArgs } from 'node:util'
import type { Delivery } from 'clew'
import type { Plan } from './measure.ts'
import type { Shape } from './services.ts'
import { SYSTEMS, type SystemKey } from './systems.ts'

export const HELP = `Redraws the paper's Figures 3 and 4: what profiling costs, by depth and by fan-out.

  npm run bench:figures                  measures for about ten minutes, writes docs/benchmarks.md
                                         and docs/figures/*.svg
  npm run bench:figures -- --quick       fewer sizes and rounds, under two minutes, writes nothing
  npm run -s bench:figures -- --json     prints the results as one JSON value, writes nothing

  --write               write the files, whatever else is asked for
  --delivery KIND       fast (transient messages, the default) or nameko (durable, confirmed)
  --sizes 1,10,100      depths and fan-outs to measure
  --systems clew,paper  which to hold against off: ${SYSTEMS.filter(({ key }) => key !== 'off')
    .map(({ key }) => key)
    .join(', ')}
  --rounds N            at most so many rounds
  --seconds N           begin no round that would probably end later
  --help                this text

Uses the RabbitMQ that CLEW_AMQP_URL names, else starts a private one. On one that is not private
the durable queues of the services (rpc-link_*, rpc-main_*) stay behind.
`

export interface FigureOptions {
  readonly plan: Plan
  readonly json: boolean
  readonly write: boolean
  readonly help: boolean
}

const FULL = { sizes: [1, 2, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100], rounds: 40, seconds: 570 }
const QUICK = { sizes: [1, 10, 50, 100], rounds: 12, seconds: 65 }
const EFFORT = 100
const WATCH_MS = 1000

/** @throws Error that says which option is wrong */
export function readOptions(parameters: readonly string[]): FigureOptions {
  const { values } = parseArgs({
    args: [...parameters],
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      delivery: { type: 'string', default: 'fast' },
      sizes: { type: 'string' },
      systems: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
    },
  })
  const scope = values.quick ? QUICK : FULL
  const sizes = values.sizes === undefined ? scope.sizes : readSizes(values.sizes)
  const rounds = values.rounds === undefined ? scope.rounds : readCount('rounds', values.rounds)
  const seconds =
    values.seconds === undefined ? scope.seconds : readCount('seconds', values.seconds)
  const whole =
    !values.quick && [values.sizes, values.systems, values.rounds, values.seconds].every(isMissing)
  return {
    plan: {
      systems: readSystems(values.systems),
      sizes: { depth: sizes, together: sizes, inSeries: sizes } satisfies Record<Shape, number[]>,
      delivery: readDelivery(values.delivery),
      rounds,
      seconds,
      effort: EFFORT,
      watchMs: WATCH_MS,
    },
    json: values.json,
    write: values.write || (whole && !values.json),
    help: values.help,
  }
}

function isMissing(value: unknown): boolean {
  return value === undefined
}

function readSystems(list: string | undefined): SystemKey[] {
  const wanted = list?.split(',') ?? SYSTEMS.map(({ key }) => key)
  const unknown = wanted.find((name) => !SYSTEMS.some(({ key }) => key === name))
  if (unknown !== undefined) throw new Error(`--systems knows no "${unknown}"; see --help`)
  return SYSTEMS.map(({ key }) => key).filter((key) => key === 'off' || wanted.includes(key))
}

function readSizes(list: string): number[] {
  return [...new Set(list.split(',').map((size) => readCount('sizes', size)))].sort((a, b) => a - b)
}

function readCount(option: string, text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1 && value <= 1000) return value
  throw new Error(`--${option} takes whole numbers from 1 to 1000; got "${text}"`)
}

function readDelivery(text: string): Delivery {
  if (text === 'fast' || text === 'nameko') return text
  throw new Error(`--delivery is fast or nameko; got "${text}"`)
}
