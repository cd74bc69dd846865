import { ContextKey } from './context-values.ts'
import type { Reply } from './reply.ts'

/** A reply nobody waits for any more. */
export interface Stray {
  readonly kind: 'late' | 'duplicate'
  readonly reply: Reply
}

/** Follows a call on its caller's side. Nothing here may throw. */
export interface CallObserver {
  /** The reply has come. Told once, by handlers that tell observers. */
  replied(reply: Reply): void
  /** There will be no reply. Told once, by handlers that tell observers. */
  failed(error: unknown): void
  /** A reply came when the call had ended already, at most a bounded time ago: see `Connection.request`. */
  stray(stray: Stray): void
}

/** Follows the handling of a call. Nothing here may throw. */
export interface WorkObserver {
  /** The call, which had to wait for a free worker, begins. */
  started(): void
  /** The call is answered: gives the reply that goes out. Told once, by handlers that tell observers. */
  replied(reply: Reply): Reply
}

/** Set by interceptors on the callee's side, told by the container. */
export const WORK_OBSERVER = new ContextKey<WorkObserver>('work observer')
