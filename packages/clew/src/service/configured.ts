import { ConfigError } from '../call/index.ts'
import type { ExtensionHost } from './extension.ts'

/** Options of a dependency, or a function that makes them of the configuration given to `run`. */
export type Configured<Options> =
  | Options
  | ((config: Readonly<Record<string, unknown>>, service: string) => Options)

/** The options, for the container served. */
export function optionsFor<Options extends object>(
  configured: Configured<Options>,
  { config, service }: Pick<ExtensionHost, 'config' | 'service'>,
): Options {
  return typeof configured === 'function' ? configured(config, service) : configured
}

/** A number that an option may have. @throws ConfigError when it is below 1, naming whose option it is */
export function atLeastOne(owner: string, option: string, value: number): number {
  if (Number.isFinite(value) && value >= 1) return value
  throw new ConfigError(`${owner}: ${option} must be a number from 1; got ${value}.`)
}
