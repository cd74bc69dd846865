import { readParameters } from '../harness/parameters.ts'

export const HELP = `Compares what a call costs on every machine alike with what was accepted: bytes allocated, and messages,
frames and bytes on the wire. Fails when a figure is more than 10 % above, and when one is new or gone.

  npm run bench:guard                    compares with bench/guard/baseline.json
  npm run bench:guard -- --accept        writes what is measured there
  npm run -s bench:guard -- --json       prints what is measured and the differences as one JSON value

  --help                                 this text

Runs in under half a minute beside a private RabbitMQ, or on the one that CLEW_AMQP_URL names.
`

export interface GuardOptions {
  readonly accept: boolean
  readonly json: boolean
}

/** @throws Error that says which option is wrong */
export function readOptions(parameters: readonly string[]): GuardOptions {
  return readParameters(parameters, { flags: ['accept', 'json'], values: {} }).flags
}
