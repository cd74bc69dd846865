import { oneOf, someOf, wholeNumber, wholeNumbers } from '../harness/readers.ts'
import { type Output, readSuiteOptions } from '../harness/suite-options.ts'
import type { Plan } from './measure.ts'
import { SYSTEMS } from './systems.ts'

const KEYS = SYSTEMS.map(({ key }) => key)
const OTHERS = KEYS.filter((key) => key !== 'off')

export const HELP = `Redraws the paper's Figures 3 and 4: what profiling costs, by depth and by fan-out.

  npm run bench:figures                  measures for about ten minutes, writes docs/benchmarks.md
                                         and docs/figures/*.svg
  npm run bench:figures -- --quick       fewer sizes and rounds, under two minutes, writes nothing
  npm run -s bench:figures -- --json     prints the results as one JSON value, writes nothing

  --write               write the files, whatever else is asked for
  --delivery KIND       fast (transient messages, the default) or nameko (durable, confirmed)
  --depths 1,10,100     sizes to measure in Figure 3
  --fan-outs 1,50,500   sizes to measure in Figure 4
  --systems clew,paper  which to hold against off: ${OTHERS.join(', ')}
  --rounds N            at most so many rounds
  --seconds N           begin no round that would probably end later
  --help                this text

Uses the RabbitMQ that CLEW_AMQP_URL names, else starts a private one. On one that is not private
the durable queues of the services (rpc-link_*, rpc-main_*) stay behind.
`

export interface FigureOptions extends Output {
  readonly plan: Plan
}

// The paper's format ends just above 180.
const FULL = {
  depths: [1, 2, 5, 10, 20, 30, 50, 75, 100, 150, 180, 200],
  fanOuts: [1, 5, 20, 50, 100, 180, 350, 500],
  rounds: 60,
  seconds: 560,
  effortMs: 60,
  watchMs: 1000,
}
const QUICK = {
  depths: [1, 10, 50, 100, 200],
  fanOuts: [1, 50, 180, 500],
  rounds: 15,
  seconds: 65,
  effortMs: 40,
  watchMs: 250,
}
const MOST = 1000

/** @throws Error that says which option is wrong */
export function readOptions(parameters: readonly string[]): FigureOptions {
  const { quick, json, write, values } = readSuiteOptions(parameters, {
    delivery: oneOf(['fast', 'nameko']),
    depths: wholeNumbers(1, MOST),
    'fan-outs': wholeNumbers(1, MOST),
    systems: someOf(OTHERS),
    rounds: wholeNumber(1, MOST),
    seconds: wholeNumber(1, MOST),
  })
  const scope = quick ? QUICK : FULL
  const { depths = scope.depths, 'fan-outs': fanOuts = scope.fanOuts, systems = OTHERS } = values
  return {
    plan: {
      systems: KEYS.filter((key) => key === 'off' || systems.includes(key)),
      sizes: { depth: depths, together: fanOuts, inSeries: fanOuts },
      delivery: values.delivery ?? 'fast',
      rounds: values.rounds ?? scope.rounds,
      seconds: values.seconds ?? scope.seconds,
      effortMs: scope.effortMs,
      watchMs: scope.watchMs,
    },
    json,
    write,
  }
}
