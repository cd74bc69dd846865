import type { Call } from '../call/index.ts'
import type { RelayStep } from '../trace/records.ts'

/** One of Nameko's call ids: service, method and a UUID, whose version is 8 where Clew made it. */
const CALL_ID = /^([^.]{1,256})\.([^.]{1,256})\.[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f])[0-9a-f]{3}-/u

/**
 * The calls between the nearest profiled ancestor's call and this one, read from Nameko's id stack.
 * Peers that keep no entries still add themselves to it. The first of them may be the callee of the
 * ancestor's own call, or handle an event that it published: readers know which, we do not. Where no
 * call of ours is in the stack, the first one's caller is unknown, and it counts as the ancestor.
 */
export function relaysOf(call: Call): readonly RelayStep[] {
  const stack = call.context.call_id_stack
  if (!Array.isArray(stack)) return []
  const steps: RelayStep[] = []
  let ours = false
  for (const id of stack.slice(-11)) {
    const match = typeof id === 'string' ? CALL_ID.exec(id) : null
    if (match === null) return []
    const [, service = '', method = '', version] = match
    if (version === '8') {
      steps.length = 0
      ours = true
    } else steps.push({ service, method, id: id as string })
  }
  return ours ? steps : steps.slice(1)
}
