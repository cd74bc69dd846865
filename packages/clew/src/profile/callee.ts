import type { Call, Handler, Interceptor, Reply } from '../call/index.ts'
import { judge } from './access/gate.ts'
import { VISIT, type Visit } from './access/visit.ts'
import type { Profiler } from './profiler.ts'
import { ROOT } from './roots.ts'
import { readTraceContext } from './trace-context.ts'
import { ContinuedWork, RootWork, type Work } from './work.ts'
import { WORKER_LOG } from './worker-log.ts'

/**
 * The callee's side (the paper's injection points 2, 3 and 4): stamps *rpc-receive* when the call
 * arrives and *rpc-respond* when it is answered, and puts the worker's log behind the reply. Where
 * the reply cannot carry it, the log goes to the root's inbox as one piece.
 */
export function calleeInterceptor(profiler: Profiler): Interceptor {
  return (next) => (call) => {
    if (call.values.get(WORKER_LOG) !== undefined) {
      // Another profiler, further out, records this call already.
      if (profiler.taker !== undefined) call.values.get(ROOT)?.giveTo(profiler.taker)
      return next(call)
    }
    const judged = judge(profiler.gate, call)
    return judged instanceof Promise
      ? judged.then((known) => received(profiler, known, next))
      : received(profiler, judged, next)
  }
}

function received(profiler: Profiler, call: Call, next: Handler): Promise<Reply> {
  const context = readTraceContext(call)
  if (context !== undefined) {
    return followed(next, call, new ContinuedWork(profiler, call, context, tells(next)))
  }
  const kept = profiler.rootsAtCallee && profiler.taker !== undefined
  const visit = call.values.get(VISIT)
  return kept || visit?.looks === true ? rooted(profiler, call, next, visit) : next(call)
}

/** What fires a worker and belongs to no trace (a request, a moment, a peer's call): one begins here. */
function rooted(
  profiler: Profiler,
  call: Call,
  next: Handler,
  visit: Visit | undefined,
): Promise<Reply> {
  const root = profiler.roots.begin()
  if (profiler.taker !== undefined) root.giveTo(profiler.taker)
  call.values.set(ROOT, root)
  return followed(next, call, new RootWork(profiler, call, root, visit, tells(next)))
}

/** Whoever handles the call tells the work how it ended, unless somebody in between may change that. */
const tells = (next: Handler) => next.tellsObservers === true

/** Calls on; what is thrown at once counts as what is thrown later. */
function followed(next: Handler, call: Call, work: Work): Promise<Reply> {
  let handled: Promise<Reply>
  try {
    handled = next(call)
  } catch (error) {
    work.failed(error)
    return Promise.reject(error)
  }
  if (work.told) return handled
  return handled.then(
    (reply) => work.answered(reply),
    (error: unknown) => {
      work.failed(error)
      throw error
    },
  )
}
