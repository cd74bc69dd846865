import type { Boundary } from './boundary.ts'
import type { Problem } from './broker.ts'
import type { CollectQueue } from './collect-queue.ts'
import type { Interceptor } from './interceptor.ts'
import type { Mailbox } from './mailbox.ts'

/** What a plugin is given when the process it serves has connected. */
export interface PluginHost {
  readonly mailbox: Mailbox
  readonly collectQueue: CollectQueue
  readonly onProblem: (problem: Problem) => void
}

/** Two interceptors and a life. What `use: […]` takes, beside bare interceptors. */
export interface Plugin {
  readonly name: string
  /** Around every call that leaves. */
  readonly caller?: Interceptor
  /** Around every call that arrives. */
  readonly callee?: Interceptor
  /** True when the callers' replies should bring attachments. @default false */
  readonly attachments?: boolean
  /**
   * True when `caller` should also see what goes to no service: operations of dependencies (edge
   * `down`) and published events (edge `event`).
   * @default false
   */
  readonly everyEdge?: boolean
  /** Judges callers from outside. The first plugin that brings one counts. */
  readonly boundary?: Boundary
  /** After connecting, before the first call. */
  start?(host: PluginHost): Promise<void> | void
  /** After the last call, before the connection is let go of. */
  stop?(): Promise<void> | void
}

/** A bare interceptor serves both sides. */
export type Use = Plugin | Interceptor

export function toPlugin(use: Use): Plugin {
  return typeof use === 'function'
    ? { name: use.name || 'interceptor', caller: use, callee: use }
    : use
}
