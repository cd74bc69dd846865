import type { Interceptor } from './interceptor.ts'

/**
 * Every proxy answers to this symbol with a function that calls one of its methods through one more
 * interceptor, outside all others. What tools that wrap proxies are made of.
 */
export const WITH_INTERCEPTOR: unique symbol = Symbol('clew.withInterceptor')

/** A proxy, as those who wrap it see it. */
export interface Derivable {
  readonly [WITH_INTERCEPTOR]: (
    interceptor: Interceptor,
    method: string,
    args: readonly unknown[],
  ) => Promise<unknown>
}

/** Names the language asks any object for, with no call in mind: `await`, `JSON.stringify`, `${…}`. */
const ASKED_OF_OBJECTS: ReadonlySet<string | symbol> = new Set([
  'then',
  'toJSON',
  'toString',
  'valueOf',
])

/** Whether a proxy answers to a property with a method that calls. */
export function isCallable(property: string | symbol): property is string {
  return typeof property === 'string' && !ASKED_OF_OBJECTS.has(property)
}

/** The proxy as something that can be derived from; undefined when it is no proxy. */
export function derivable(proxy: object): Derivable | undefined {
  const derive = (proxy as Partial<Derivable>)[WITH_INTERCEPTOR]
  return typeof derive === 'function' ? (proxy as Derivable) : undefined
}
