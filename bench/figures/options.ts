import { parseArgs } from 'node:util'
import type { Delivery } from 'clew'
import type { Plan } from './measure.ts'
import { SYSTEMS, type SystemKey } from './systems.ts'

export const HELP = `Redraws the paper's Figures 3 and 4: what profiling costs, by depth and by fan-out.

  npm run bench:figures                  measures for about ten minutes, writes docs/benchmarks.md
                                         and docs/figures/*.svg
  npm run bench:figures -- --quick       fewer sizes and rounds, under two minutes, writes nothing
  npm run -s bench:figures -- --json     prints the results as one JSON value, writes nothing

  --write               write the files, whatever else is asked for
  --delivery KIND       fast (transient messages, the default) or nameko (durable, confirmed)
  --depths 1,10,100     sizes to measure in Figure 3
  --fan-outs 1,50,500   sizes to measure in Figure 4
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

// The paper's format ends just above 180.
const FULL = {
  depths: [1, 2, 5, 10, 20, 30, 50, 75, 100, 150, 180, 200],
  fanOuts: [1, 5, 20, 50, 100, 180, 350, 500],
  rounds: 60,
  seconds: 560,
  effortMs: 60,
}
const QUICK = {
  depths: [1, 10, 50, 100, 200],
  fanOuts: [1, 50, 180, 500],
  rounds: 15,
  seconds: 65,
  effortMs: 40,
}
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
      depths: { type: 'string' },
      'fan-outs': { type: 'string' },
      systems: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
    },
  })
  const scope = values.quick ? QUICK : FULL
  const depths = readSizes('depths', values.depths) ?? scope.depths
  const fanOuts = readSizes('fan-outs', values['fan-outs']) ?? scope.fanOuts
  const rounds = values.rounds === undefined ? scope.rounds : readCount('rounds', values.rounds)
  const seconds =
    values.seconds === undefined ? scope.seconds : readCount('seconds', values.seconds)
  const changed = [values.depths, values['fan-outs'], values.systems, values.rounds, values.seconds]
  const whole = !values.quick && changed.every((value) => value === undefined)
  return {
    plan: {
      systems: readSystems(values.systems),
      sizes: { depth: depths, together: fanOuts, inSeries: fanOuts },
      delivery: readDelivery(values.delivery),
      rounds,
      seconds,
      effortMs: scope.effortMs,
      watchMs: WATCH_MS,
    },
    json: values.json,
    write: values.write || (whole && !values.json),
    help: values.help,
  }
}

function readSystems(list: string | undefined): SystemKey[] {
  const wanted = list?.split(',') ?? SYSTEMS.map(({ key }) => key)
  const unknown = wanted.find((name) => !SYSTEMS.some(({ key }) => key === name))
  if (unknown !== undefined) throw new Error(`--systems knows no "${unknown}"; see --help`)
  return SYSTEMS.map(({ key }) => key).filter((key) => key === 'off' || wanted.includes(key))
}

function readSizes(option: string, list: string | undefined): number[] | undefined {
  const sizes = list?.split(',').map((size) => readCount(option, size))
  return sizes && [...new Set(sizes)].sort((a, b) => a - b)
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
