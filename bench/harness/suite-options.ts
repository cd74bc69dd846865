import { type Accepted, type Parameters, readParameters } from './parameters.ts'

/** Where results go. */
export interface Output {
  /** Print one JSON value instead of tables. */
  readonly json: boolean
  /** Write the section and the pictures of the documents. */
  readonly write: boolean
}

export interface SuiteOptions<Values> extends Output {
  readonly quick: boolean
  readonly values: Parameters<never, Values>['values']
}

/**
 * Reads the options of a suite: `--quick`, `--json`, `--write` and its own. Only a full run writes
 * the documents without being told to: what is quick, or of other sizes, does not belong there.
 * @throws Error that says which option is wrong
 */
export function readSuiteOptions<Values extends object>(
  parameters: readonly string[],
  values: Accepted<never, Values>['values'],
): SuiteOptions<Values> {
  const read = readParameters(parameters, { flags: ['quick', 'json', 'write'], values })
  const { quick, json, write } = read.flags
  const full = !quick && !json && Object.keys(read.values).length === 0
  return { quick, json, write: write || full, values: read.values }
}
