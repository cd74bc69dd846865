import { newHalfId } from '../../call/index.ts'
import { encodeRecall, MAX_RECALL_TRACES } from '../../trace/blocks.ts'
import type { Post } from '../post.ts'

/** Between two questions, in milliseconds: five a second, however many calls time out. */
const BETWEEN_MS = 200

/**
 * Asks all processes what they know of traces that lost something. Traces are asked for together, at
 * most a hundred in one question; what comes when a question is full is left out and counted.
 */
export class Asking {
  readonly #inbox: string
  readonly #post: Pick<Post, 'ask'>
  readonly #wanted = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  /** Traces that were asked for, and those that were not because too many were. */
  asked = 0
  leftOut = 0

  /** @param inbox the key of the box that answers go to */
  constructor(inbox: string, post: Pick<Post, 'ask'>) {
    this.#inbox = inbox
    this.#post = post
  }

  ask(traceId: string): void {
    if (this.#wanted.size >= MAX_RECALL_TRACES) {
      this.leftOut++
      return
    }
    this.#wanted.add(traceId)
    if (this.#timer === undefined) this.#send()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#wanted.clear()
  }

  #send(): void {
    this.#timer = undefined
    if (this.#wanted.size === 0) return
    const traceIds = [...this.#wanted]
    this.#wanted.clear()
    this.asked += traceIds.length
    void this.#post.ask(encodeRecall({ nonce: newHalfId(), inbox: this.#inbox, traceIds }))
    this.#timer = setTimeout(() => this.#send(), BETWEEN_MS)
    this.#timer.unref()
  }
}
