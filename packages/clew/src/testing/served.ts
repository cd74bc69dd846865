import { ConfigError } from '../call/index.ts'
import { INSIDE, type Inside, type Running } from '../container/index.ts'
import type { EntrypointMethod, ServiceClass } from '../service/index.ts'

/** Where services run: what `run` returned, or a `memoryCluster`. */
export type Served = Running | { readonly running: Running }

/** A service by its class or its name. */
export type Named = ServiceClass | string

/** The running services themselves. */
export function runningOf(served: Served): Running {
  return 'running' in served ? served.running : served
}

/** @throws ConfigError when no such service runs there */
export function insideOf(served: Served, service: Named): Inside {
  const name = typeof service === 'string' ? service : service.name
  const services = runningOf(served)[INSIDE]
  const inside = services.get(name)
  if (inside === undefined) {
    throw new ConfigError(
      `No service ${JSON.stringify(name)} runs here; there are ${[...services.keys()].join(', ')}.`,
    )
  }
  return inside
}

/**
 * The entrypoint of a method, which is named as in the class.
 * @param kind which one, where the method has several
 * @throws ConfigError when there is none, or more than one
 */
export function entrypointOf(
  { definition }: Inside,
  method: string,
  kind: string | undefined,
): EntrypointMethod {
  const all = [...definition.rpc.values(), ...definition.fired]
  const named = all.filter(({ property }) => property === method)
  const fitting = kind === undefined ? named : named.filter((one) => one.kind === kind)
  if (fitting.length === 1) return fitting[0]!
  const { name } = definition
  if (named.length === 0) {
    const has = [...new Set(all.map(({ property }) => property))].join(', ')
    throw new ConfigError(`Service ${name} has no entrypoint ${method}; it has ${has}.`)
  }
  const kinds = [...new Set(named.map((one) => one.kind))].join(', ')
  if (fitting.length === 0) {
    throw new ConfigError(`${name}.${method} is fired by ${kinds}, not by ${kind}.`)
  }
  // Several of one kind (two routes of one method) run the same worker.
  if (new Set(fitting.map((one) => one.kind)).size === 1) return fitting[0]!
  throw new ConfigError(`${name}.${method} is fired by ${kinds}; say which: { kind: '…' }.`)
}
