import { methodsOf } from './declare-method.ts'
import { namesItself, overridden } from './service-class.ts'

/** One way into a service. */
export interface EntrypointDescription {
  /** What fires it: `rpc`, `event`, `timer`, `http`, … */
  readonly kind: string
  /** Name on the wire. */
  readonly name: string
  /** Name of the class's method. */
  readonly property: string
}

/** What a class says of itself, without making an instance. */
export interface ServiceDescription {
  /** Undefined where the class declares none: a base class, or one that lacks `static readonly name`. */
  readonly name: string | undefined
  readonly className: string
  /** In the order of their declaration, inherited ones first. */
  readonly entrypoints: readonly EntrypointDescription[]
}

/** Describes a class that has entrypoints; undefined for anything else. Never throws. */
export function describeService(value: unknown): ServiceDescription | undefined {
  if (typeof value !== 'function') return undefined
  const methods = overridden(methodsOf(value))
  if (methods.length === 0) return undefined
  const name = namesItself(value) ? String(value.name) : undefined
  const entrypoints = methods.map(({ kind, name, property }) => ({ kind, name, property }))
  return { name, className: String(value.name), entrypoints }
}
