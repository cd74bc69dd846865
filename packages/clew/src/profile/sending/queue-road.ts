import type { CollectQueue, Handed } from '../../call/index.ts'
import type { Outcome, Road } from './road.ts'

const WHY: Readonly<Record<Exclude<Handed, 'taken' | 'too_large'>, string>> = {
  full: 'it holds as much as it may',
  unavailable: 'the broker is away, takes nothing or does not answer',
}

/** Batches over the brokers that profiled processes are connected to, whichever of them is there. */
export class QueueRoad implements Road {
  readonly name: string
  readonly #queue: string
  readonly #queues = new Set<CollectQueue>()

  constructor(queue: string) {
    this.#queue = queue
    this.name = `the broker's queue ${queue}`
  }

  /** May be used until the returned function is called. */
  use(queue: CollectQueue): () => void {
    this.#queues.add(queue)
    return () => this.#queues.delete(queue)
  }

  async send(batch: Uint8Array, timeoutMs: number): Promise<Outcome> {
    let why = 'no profiled process is connected'
    for (const queue of this.#queues) {
      const handed = await queue.hand(batch, { queue: this.#queue, timeoutMs })
      if (handed === 'taken') return { kind: 'taken' }
      if (handed === 'too_large') {
        return { kind: 'refused', why: 'the broker takes no messages that large', tooLarge: true }
      }
      why = WHY[handed]
    }
    return { kind: 'later', why }
  }

  close(): void {
    this.#queues.clear()
  }
}
