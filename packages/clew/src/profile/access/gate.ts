import { type Call, ContextValues, GRANT_HEADER, type Headers } from '../../call/index.ts'
import { FOREIGN } from '../foreign.ts'
import { readTraceContext } from '../trace-context.ts'
import type { Access } from './access.ts'
import type { Scope } from './scope.ts'
import { VISIT, Visit } from './visit.ts'

/** What a stranger could steer tracing with, as a header or handed on by a peer. */
const CONTEXT_HEADERS = ['traceparent', 'tracestate', 'baggage', GRANT_HEADER]

/**
 * Judges calls that came over a broker shared with strangers. The call always works; without a valid
 * grant it goes on as one of somebody who knows nothing of traces.
 * @param access undefined where all users of the broker are trusted
 */
export function judge(access: Access | undefined, call: Call): Call | Promise<Call> {
  // Came over HTTP or WebSocket, and was judged there. A service may have made context of its headers.
  if (call.values.get(VISIT) !== undefined) return { ...call, context: without(call.context) }
  if (access === undefined) return call
  const { verifier, withoutGrant, refusals } = access
  const token = call.headers[GRANT_HEADER]
  if (typeof token !== 'string' || verifier === undefined)
    return stripped(access, call, withoutGrant)
  const { service, id, redelivered: again } = call
  return verifier.verify(token, { service, call: { id, again } }).then(
    ({ grant, refusal }) => {
      if (refusal !== undefined) refusals.take(refusal, service)
      // Who may see everything is one of us.
      if (grant?.scope === 'full') return call
      return stripped(access, call, grant?.scope ?? withoutGrant)
    },
    // Only a verifier of somebody's own making rejects.
    () => stripped(access, call, withoutGrant),
  )
}

/**
 * The call without what steers tracing. What its caller may see is taken from a trace of our own:
 * theirs would send its pieces to an inbox of theirs.
 */
function stripped(access: Access, call: Call, scope: Scope): Call {
  const values = new ContextValues(call.values)
  values.set(VISIT, new Visit(scope, access.aliases))
  const context = readTraceContext(call)
  if (context !== undefined) {
    values.set(FOREIGN, { trace: context.traceId, parent: context.parentId })
  }
  return { ...call, headers: without(call.headers), context: without(call.context), values }
}

/** Headers without what steers tracing: what outsiders send is no context data either. */
function without(headers: Headers): Headers {
  if (!CONTEXT_HEADERS.some((name) => name in headers)) return headers
  const kept = Object.assign(Object.create(null), headers) as Record<string, unknown>
  for (const name of CONTEXT_HEADERS) delete kept[name]
  return kept as Headers
}
