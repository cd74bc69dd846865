import { parseArgs } from 'node:util'
import type { Delivery } from 'clew'
import type { Plan } from './measure.ts'
import { SYSTEMS } from './systems.ts'

export const HELP = `What it costs to profile every call: Clew traced, and installed but off, against Clew without.

  npm run bench:overhead                  measures for about eight minutes, writes docs/benchmarks.md
                                          and docs/figures/overhead.svg
  npm run bench:overhead -- --quick       fewer rounds, under two minutes, writes nothing
  npm run -s bench:overhead -- --json     prints the results as one JSON value, writes nothing

  --write              write the files, whatever else is asked for
  --delivery KIND      fast (transient messages, the default) or nameko (durable, confirmed)
  --concurrency 1,100  how many calls are under way at a time (1, 10, 100, 500)
  --rounds N           at most so many rounds
  --seconds N          begin no round that would probably end later
  --help               this text

Uses the RabbitMQ that CLEW_AMQP_URL names, else starts a private one. On one that is not private
the durable queues of the services (rpc-overhead_*) stay behind.
`

export interface OverheadOptions {
  readonly plan: Plan
  readonly json: boolean
  readonly write: boolean
  readonly help: boolean
}

const CONCURRENCIES = [1, 10, 100, 500]
const FULL = { rounds: 60, seconds: 480, windowMs: 500, warmUpMs: 3000 }
const QUICK = { rounds: 15, seconds: 80, windowMs: 250, warmUpMs: 1500 }
const WATCH_MS = 1000

/** @throws Error that says which option is wrong */
export function readOptions(parameters: readonly string[]): OverheadOptions {
  const { values } = parseArgs({
    args: [...parameters],
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      delivery: { type: 'string', default: 'fast' },
      concurrency: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
    },
  })
  const scope = values.quick ? QUICK : FULL
  const whole =
    !values.quick &&
    [values.concurrency, values.rounds, values.seconds].every((value) => value === undefined)
  return {
    plan: {
      systems: SYSTEMS.map(({ key }) => key),
      concurrencies:
        values.concurrency === undefined ? CONCURRENCIES : readConcurrencies(values.concurrency),
      delivery: readDelivery(values.delivery),
      rounds: values.rounds === undefined ? scope.rounds : readCount('rounds', values.rounds),
      seconds: values.seconds === undefined ? scope.seconds : readCount('seconds', values.seconds),
      windowMs: scope.windowMs,
      warmUpMs: scope.warmUpMs,
      watchMs: WATCH_MS,
    },
    json: values.json,
    write: values.write || (whole && !values.json),
    help: values.help,
  }
}

function readConcurrencies(list: string): number[] {
  const numbers = list.split(',').map((text) => readCount('concurrency', text))
  return [...new Set(numbers)].sort((a, b) => a - b)
}

function readCount(option: string, text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1 && value <= 10_000) return value
  throw new Error(`--${option} takes whole numbers from 1 to 10000; got "${text}"`)
}

function readDelivery(text: string): Delivery {
  if (text === 'fast' || text === 'nameko') return text
  throw new Error(`--delivery is fast or nameko; got "${text}"`)
}
