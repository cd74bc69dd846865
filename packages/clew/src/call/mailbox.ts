import { ContextKey } from './context-values.ts'

/**
 * Carries pieces of traces around the replies: every process that starts traces opens one box, and
 * every worker may post to any box whose key it knows. Transient, at most 64 KiB a message.
 */
export interface Mailbox {
  /**
   * Posts a piece. Never rejects and never delays a call: resolves with false when the box does not
   * exist, the connection is down, or too much is on its way already.
   */
  post(key: string, piece: Uint8Array): Promise<boolean>
  /** Opens this process's box. `take` must not throw. Survives reconnections. */
  open(key: string, take: (piece: Uint8Array) => void): Promise<AsyncDisposable>
  /**
   * Says something to every process that listens, this one included. Never rejects and never delays a
   * call: resolves with false when nobody listens, as with `post`. At most 4 KiB.
   */
  ask(question: Uint8Array): Promise<boolean>
  /** Hears what anybody asks. `take` must not throw. Survives reconnections. */
  listen(take: (question: Uint8Array) => void): Promise<AsyncDisposable>
}

/** The mailbox of the connection a root call leaves by. */
export const MAILBOX = new ContextKey<Mailbox>('mailbox')
