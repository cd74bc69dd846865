import type { Plugin } from '../call/index.ts'
import { calleeInterceptor } from './callee.ts'
import { callerInterceptor } from './caller.ts'
import { Profiler, type ProfilerOptions } from './profiler.ts'
import type { Sink } from './sink.ts'

export interface ProfileOptions extends ProfilerOptions {
  /**
   * Takes the traces that begin in this process: calls and events from `connect`, and whatever fires
   * a worker and belongs to no trace yet, such as a request, a moment, or a call of a peer's.
   * @default none: traces go home to whoever began them, nothing is kept here
   */
  readonly sink?: Sink
  /** Whether what arrives without a trace begins one here, for the sink. @default true */
  readonly roots?: boolean
}

/**
 * Profiles every call, both sides: what `use: […]` takes. The reply to a call brings its whole call
 * tree home; whoever made the first call has the trace (the paper's section III).
 */
export function profile(options: ProfileOptions = {}): Plugin {
  const { sink, roots = true } = options
  const profiler = new Profiler(options, sink && ((trace) => sink.take(trace)), roots)
  return {
    name: 'profile',
    caller: callerInterceptor(profiler),
    callee: calleeInterceptor(profiler),
    attachments: true,
    everyEdge: true,
    start: ({ mailbox, onProblem }) =>
      profiler.start(mailbox, { onProblem, openBox: sink !== undefined }),
    async stop() {
      await profiler.stop()
      // A sink's failure to end well is told; it is no reason for services not to.
      await sink?.flush().catch((error: unknown) =>
        profiler.guard('sink', () => {
          throw error
        }),
      )
    },
  }
}
