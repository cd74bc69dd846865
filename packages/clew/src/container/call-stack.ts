import type { Call } from '../call/index.ts'

/** How many callers' ids Nameko hands on beside a call's own (`parent_calls_tracked`). */
const PARENTS_TRACKED = 10

/**
 * Nameko's name for a call: `{service}.{method}.{uuid}`. Ours ends in the correlation id, written as
 * a version 8 UUID: Python's are version 4, so whoever reads a stack can tell which of its calls
 * went through peers that keep no entries.
 * @param method the method's name, where the call shows another (`GET /orders/{id}`)
 */
export function callIdOf(call: Call, method: string): string {
  return `${call.service}.${method}.${asVersion8(call.id)}`
}

/** The UUID with 8 for its version; anything else unchanged. */
export function asVersion8(id: string): string {
  return id.length === 36 && id[14] === '4' ? `${id.slice(0, 14)}8${id.slice(15)}` : id
}

/** The ids that led to a call, oldest first, its own last; a peer's malformed stack counts as none. */
export function callIdStackOf(call: Call, method: string): readonly string[] {
  const received = call.context.call_id_stack
  const own = callIdOf(call, method)
  if (!Array.isArray(received)) return [own]
  const ids = received.filter((id): id is string => typeof id === 'string')
  return [...ids.slice(-PARENTS_TRACKED), own]
}

/** The service and method in one of Nameko's call ids; undefined when it is none. */
export function parseCallId(
  id: string,
): { readonly service: string; readonly method: string } | undefined {
  const [service, method] = id.split('.', 3)
  return service && method ? { service, method } : undefined
}
