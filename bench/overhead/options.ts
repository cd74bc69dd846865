import { DEFAULT_MAX_WORKERS } from 'clew'
import { oneOf, wholeNumber, wholeNumbers } from '../harness/readers.ts'
import { type Output, readSuiteOptions } from '../harness/suite-options.ts'
import type { Plan } from './measure.ts'
import { SYSTEMS } from './systems.ts'

export const HELP = `What it costs to profile every call: Clew traced, and installed but off, against Clew without.

  npm run bench:overhead                  measures for about eight minutes, writes docs/benchmarks.md
                                          and docs/figures/overhead.svg
  npm run bench:overhead -- --quick       fewer rounds, under two minutes, writes nothing
  npm run -s bench:overhead -- --json     prints the results as one JSON value, writes nothing

  --write              write the files, whatever else is asked for
  --delivery KIND      fast (transient messages, the default) or nameko (durable, confirmed)
  --workers N          calls that a service works on at a time (default: Clew's own, 100)
  --concurrency 1,100  how many calls are under way at a time (1, 10, 100, 500)
  --rounds N           at most so many rounds
  --seconds N          begin no round that would probably end later
  --help               this text

Uses the RabbitMQ that CLEW_AMQP_URL names, else starts a private one. On one that is not private
the durable queues of the services (rpc-overhead_*) stay behind.
`

export interface OverheadOptions extends Output {
  readonly plan: Plan
}

const CONCURRENCIES = [1, 10, 100, 500]
const FULL = { rounds: 60, seconds: 480, windowMs: 500, warmUpMs: 3000, watchMs: 1000 }
const QUICK = { rounds: 15, seconds: 80, windowMs: 250, warmUpMs: 750, watchMs: 250 }
const MOST = 10_000

/** @throws Error that says which option is wrong */
export function readOptions(parameters: readonly string[]): OverheadOptions {
  const { quick, json, write, values } = readSuiteOptions(parameters, {
    delivery: oneOf(['fast', 'nameko']),
    workers: wholeNumber(1, MOST),
    concurrency: wholeNumbers(1, MOST),
    rounds: wholeNumber(1, MOST),
    seconds: wholeNumber(1, MOST),
  })
  const scope = quick ? QUICK : FULL
  return {
    plan: {
      systems: SYSTEMS.map(({ key }) => key),
      concurrencies: values.concurrency ?? CONCURRENCIES,
      delivery: values.delivery ?? 'fast',
      workers: values.workers ?? DEFAULT_MAX_WORKERS,
      rounds: values.rounds ?? scope.rounds,
      seconds: values.seconds ?? scope.seconds,
      windowMs: scope.windowMs,
      warmUpMs: scope.warmUpMs,
      watchMs: scope.watchMs,
    },
    json,
    write,
  }
}
