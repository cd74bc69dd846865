import type { Mailbox } from '../call/index.ts'

/** For how long an inbox that could not be reached is not tried again, in milliseconds. */
const FORGET_MS = 10_000
const MOST_UNREACHABLE = 1024

/** Sends pieces to the inboxes of roots and remembers which of them are not there. */
export class Post {
  #mailbox: Mailbox | undefined
  readonly #unreachable = new Map<string, number>()
  #lost = 0

  /** From now on pieces go through this mailbox; before, no inbox is reachable. */
  use(mailbox: Mailbox | undefined): void {
    this.#mailbox = mailbox
  }

  /** Pieces that no inbox took. */
  get lost(): number {
    return this.#lost
  }

  /** False when the inbox of the trace's root is known not to be there. */
  reachable(traceId: string): boolean {
    if (this.#mailbox === undefined) return false
    const until = this.#unreachable.get(inboxKey(traceId))
    if (until === undefined) return true
    if (performance.now() < until) return false
    this.#unreachable.delete(inboxKey(traceId))
    return true
  }

  /** Sends an answer to whoever asked. Resolves with false when nobody took it. */
  async answer(key: string, message: Uint8Array): Promise<boolean> {
    return (await this.#mailbox?.post(key, message).catch(() => false)) ?? false
  }

  /** Asks all processes. Resolves with false when nobody listens. */
  async ask(question: Uint8Array): Promise<boolean> {
    return (await this.#mailbox?.ask(question).catch(() => false)) ?? false
  }

  /** Sends a piece without waiting. Resolves with false when nobody took it. */
  async send(traceId: string, piece: Uint8Array): Promise<boolean> {
    const key = inboxKey(traceId)
    const taken = (await this.#mailbox?.post(key, piece).catch(() => false)) ?? false
    if (!taken) {
      this.#lost++
      this.#remember(key)
    }
    return taken
  }

  #remember(key: string): void {
    const oldest = this.#unreachable.keys().next()
    if (this.#unreachable.size >= MOST_UNREACHABLE && !oldest.done) {
      this.#unreachable.delete(oldest.value)
    }
    this.#unreachable.set(key, performance.now() + FORGET_MS)
  }
}

/** A trace's left half names its root's inbox. */
export function inboxKey(traceId: string): string {
  return traceId.slice(0, 16)
}
