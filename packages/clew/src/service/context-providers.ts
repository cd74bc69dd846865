import type { HeaderValue } from '../call/index.ts'
import { Dependency, inject } from './dependency.ts'
import type { WorkerContext } from './worker-context.ts'

class FromContext<T> extends Dependency<T> {
  readonly #key: string
  readonly #read: (value: HeaderValue | undefined) => T
  constructor(key: string, read: (value: HeaderValue | undefined) => T) {
    super()
    this.#key = key
    this.#read = read
  }
  override get({ context }: WorkerContext): T {
    return this.#read(context[this.#key])
  }
}

/**
 * Declares a field that holds a value of the call's context data, which travels with every call:
 * Nameko's `ContextDataProvider`. Undefined where nobody gave one.
 */
export function contextValue(key: string): HeaderValue | undefined {
  return inject(new FromContext(key, (value) => value))
}

/** Declares a field that holds the `language` of the call's context data, as text. */
export function language(): string | undefined {
  return text('language')
}

/** Declares a field that holds the `user_id` of the call's context data, as text. */
export function userId(): string | undefined {
  return text('user_id')
}

/** Declares a field that holds the `user_agent` of the call's context data, as text. */
export function userAgent(): string | undefined {
  return text('user_agent')
}

/** Declares a field that holds the `auth_token` of the call's context data, as text. */
export function authToken(): string | undefined {
  return text('auth_token')
}

/** Peers send numbers too, above all as ids of users. What is neither is as good as none. */
function text(key: string): string | undefined {
  return inject(
    new FromContext(key, (value) =>
      typeof value === 'string' || typeof value === 'number' ? String(value) : undefined,
    ),
  )
}
