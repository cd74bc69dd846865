import { parseArgs } from 'node:util'
import { cellsOf, type Family } from './kinds.ts'
import type { Plan } from './measure.ts'

const FAMILIES: readonly Family[] = ['amqplib', 'nestjs', 'moleculer', 'nameko']

export const HELP = `Measures RPC of Clew beside what its users would pick instead, untraced and traced.

  npm run bench:peers                 about an hour; writes docs/benchmarks.md and docs/figures/peers.svg
  npm run bench:peers -- --quick      short windows, under two minutes, writes nothing
  npm run -s bench:peers -- --json    prints the results as one JSON value, writes nothing

  --write               write the files, whatever else is asked for
  --peers LIST          whom to measure beside Clew: ${FAMILIES.join(', ')}
  --tracing off         leave out everybody's tracing
  --window SECONDS      how long each is measured at 100 calls at a time (12; quick: 0.8); at 1 and at
                        500 it is a quarter of that
  --rounds N            at most so many rounds
  --seconds N           begin no round that would probably end later
  --help                this text

Peers' packages are installed into bench/peers/ when they are first needed, Nameko into .cache/; what
cannot be had is left out, and said. Uses the RabbitMQ that CLEW_AMQP_URL names, else starts a private
one. On one that is not private the durable queues of the services stay behind (bench_peers_*).
`

export interface PeerOptions {
  readonly plan: Plan
  readonly json: boolean
  readonly write: boolean
  readonly help: boolean
}

const FULL = { windowS: 12, rounds: 9, seconds: 4000, warmUpMs: 3000 }
const QUICK = { windowS: 0.8, rounds: 5, seconds: 65, warmUpMs: 300 }
/** Longer than the five seconds for which tracers hold back what they have. */
const ARRIVAL_MS = 15_000
const WATCH_MS = 1000

/** @throws Error that says which option is wrong */
export function readOptions(parameters: readonly string[]): PeerOptions {
  const { values } = parseArgs({
    args: [...parameters],
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      peers: { type: 'string' },
      tracing: { type: 'string' },
      window: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
    },
  })
  const scope = values.quick ? QUICK : FULL
  const windowMs = 1000 * (readNumber('window', values.window, 0.05, 600) ?? scope.windowS)
  const others = [values.peers, values.tracing, values.window, values.rounds, values.seconds]
  const whole = !values.quick && others.every((one) => one === undefined)
  return {
    plan: {
      cells: cellsOf(readFamilies(values.peers), readTracing(values.tracing)),
      rounds: readCount('rounds', values.rounds) ?? scope.rounds,
      seconds: readCount('seconds', values.seconds) ?? scope.seconds,
      windowsMs: { 1: windowMs / 4, 100: windowMs, 500: windowMs / 4 },
      warmUpMs: Math.min(scope.warmUpMs, windowMs),
      arrivalMs: ARRIVAL_MS,
      watchMs: WATCH_MS,
    },
    json: values.json,
    write: values.write || (whole && !values.json),
    help: values.help,
  }
}

function readFamilies(list: string | undefined): readonly Family[] {
  const wanted = list?.split(',') ?? FAMILIES
  return wanted.map((name) => {
    const family = FAMILIES.find((one) => one === name)
    if (family === undefined) throw new Error(`--peers knows no "${name}"; see --help`)
    return family
  })
}

function readTracing(text: string | undefined): 'both' | 'off' {
  if (text === undefined) return 'both'
  if (text === 'off') return 'off'
  throw new Error(`--tracing is off or left out; got "${text}"`)
}

function readCount(option: string, text: string | undefined): number | undefined {
  const value = readNumber(option, text, 1, 100_000)
  if (value === undefined || Number.isInteger(value)) return value
  throw new Error(`--${option} takes a whole number; got "${text}"`)
}

function readNumber(
  option: string,
  text: string | undefined,
  least: number,
  most: number,
): number | undefined {
  if (text === undefined) return undefined
  const value = text === '' ? Number.NaN : Number(text)
  if (value >= least && value <= most) return value
  throw new Error(`--${option} takes a number from ${least} to ${most}; got "${text}"`)
}
