import { number, oneOf, someOf, wholeNumber } from '../harness/readers.ts'
import { type Output, readSuiteOptions } from '../harness/suite-options.ts'
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

export interface PeerOptions extends Output {
  readonly plan: Plan
}

const FULL = { windowS: 12, rounds: 9, seconds: 4000, warmUpMs: 3000, watchMs: 1000 }
const QUICK = { windowS: 0.8, rounds: 5, seconds: 65, warmUpMs: 300, watchMs: 250 }
/** Longer than the five seconds for which tracers hold back what they have. */
const ARRIVAL_MS = 15_000
const MOST = 100_000

/** @throws Error that says which option is wrong */
export function readOptions(parameters: readonly string[]): PeerOptions {
  const { quick, json, write, values } = readSuiteOptions(parameters, {
    peers: someOf(FAMILIES),
    tracing: oneOf(['off']),
    window: number(0.05, 600),
    rounds: wholeNumber(1, MOST),
    seconds: wholeNumber(1, MOST),
  })
  const scope = quick ? QUICK : FULL
  const windowMs = 1000 * (values.window ?? scope.windowS)
  return {
    plan: {
      cells: cellsOf(values.peers ?? FAMILIES, values.tracing ?? 'both'),
      rounds: values.rounds ?? scope.rounds,
      seconds: values.seconds ?? scope.seconds,
      windowsMs: { 1: windowMs / 4, 100: windowMs, 500: windowMs / 4 },
      warmUpMs: Math.min(scope.warmUpMs, windowMs),
      arrivalMs: ARRIVAL_MS,
      watchMs: scope.watchMs,
    },
    json,
    write,
  }
}
