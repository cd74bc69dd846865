import {
  ConfigError,
  type GrantSource,
  type Interceptor,
  type Plugin,
  type Problem,
  presenting,
} from '../call/index.ts'
import { type AccessOptions, accessOf } from './access/access.ts'
import { boundaryOf } from './access/boundary.ts'
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
  /**
   * Who may see what at the edge (HTTP, WebSocket) and, with `require`, on the broker.
   * @default nobody from outside sees anything, and nothing that they send is believed
   */
  readonly access?: AccessOptions
  /**
   * `grant`: the broker is shared with strangers. Whoever calls shows a grant for this service, in the
   * header `clew-grant`, or gets a reply as if nothing were profiled.
   * @default the broker's own users and permissions are the boundary
   */
  readonly require?: 'grant'
  /**
   * Shown with the calls that workers make, for services that require one:
   * `grantIssuer({ key }).source({ subject, scope: 'full' })`.
   * @default none
   */
  readonly grant?: GrantSource
}

/**
 * Profiles every call, both sides: what `use: […]` takes. The reply to a call brings its whole call
 * tree home; whoever made the first call has the trace (the paper's section III).
 */
export function profile(options: ProfileOptions = {}): Plugin {
  const access = accessOf(options.access)
  checkRequire(options)
  let tell: (problem: Problem) => void = () => {}
  let letGo: (() => void) | undefined
  const { sink, roots = true } = options
  const required = options.require === 'grant'
  const { recorder = {} } = options
  // Strangers on the broker must not be told what they would not be shown.
  const quiet = required && recorder !== false ? { answers: false, ...recorder } : recorder
  const profiler = new Profiler({ ...options, recorder: quiet }, sink, roots)
  if (required) profiler.gate = access
  return {
    name: 'profile',
    caller: callerOf(profiler, options.grant, (problem) => tell(problem)),
    callee: calleeInterceptor(profiler),
    attachments: true,
    everyEdge: true,
    boundary: boundaryOf(access, required),
    start({ mailbox, collectQueue, onProblem }) {
      tell = onProblem
      letGo = sink?.useQueue?.(collectQueue)
      access.refusals.use(onProblem)
      return profiler.start(mailbox, { onProblem, openBox: sink !== undefined })
    },
    async stop() {
      await profiler.stop()
      // A sink's failure to end well is told; it is no reason for services not to.
      await sink?.flush().catch((error: unknown) =>
        profiler.guard('sink', () => {
          throw error
        }),
      )
      letGo?.()
    },
  }
}

function callerOf(
  profiler: Profiler,
  grant: GrantSource | undefined,
  tell: (problem: Problem) => void,
): Interceptor {
  const recording = callerInterceptor(profiler)
  if (grant === undefined) return recording
  const showing = presenting(grant, tell)
  return (next) => recording(showing(next))
}

function checkRequire({ require, access }: ProfileOptions): void {
  if (require === undefined) return
  if (require !== 'grant') {
    throw new ConfigError(`profile: require is 'grant' or left out; got ${String(require)}.`)
  }
  if (access?.verify === undefined) {
    throw new ConfigError(
      "profile: require: 'grant' needs access: { verify: grantVerifier({ keys }) }, or nobody could ever see a tree.",
    )
  }
}
