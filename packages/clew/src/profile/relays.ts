import type { Call } from '../call/index.ts'
import type { RelayStep } from '../trace/records.ts'

/** One of Nameko's call ids: service, method and a UUID, whose version is 8 where Clew made it. */
const CALL_ID = /^([^.]{1,256})\.([^.]{1,256})\.[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f])[0-9a-f]{3}-/u

/**
 * The calls between the nearest profiled ancestor's call and this one, read from Nameko's id stack.
 * Peers that keep no entries still add themselves to it. The first of them is the callee of the
 * ancestor's own call, which the trace has already; the others are known from here only.
 */
export function relaysOf(call: Call): readonly RelayStep[] {
  const stack = call.context.call_id_stack
  if (!Array.isArray(stack)) return []
  const steps: RelayStep[] = []
  for (const id of stack.slice(-11)) {
    const match = typeof id === 'string' ? CALL_ID.exec(id) : null
    if (match === null) return []
    const [, service = '', method = '', version] = match
    if (version === '8') steps.length = 0
    else steps.push({ service, method, id: id as string })
  }
  return steps.slice(1)
}
