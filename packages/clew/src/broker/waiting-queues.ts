import { setTimeout as sleep } from 'node:timers/promises'
import type { Message } from './message.ts'
import { editTable } from './table-edit.ts'
import type { Consumption, Delivery, Queue, Transport } from './transport.ts'
import { DUE_HEADER, readHeaders, type Tell } from './wire-headers.ts'

export interface WaitingOptions {
  readonly transport: Transport
  /** Whose messages wait. */
  readonly queue: Queue
  /** Sends a message back to its queue; resolves when the broker has it. */
  readonly sendBack: (message: Message) => Promise<void>
  readonly tell: Tell
  /**
   * Milliseconds beyond its wait after which the broker itself takes a message back that nobody
   * fetched: where the policy has changed, or only services are left that do not know these queues.
   * @default 600000
   */
  readonly graceMs?: number
}

/** Messages of one queue that are looked at ahead of time: enough to move thousands a second. */
const PREFETCH = 64
/** RabbitMQ takes a message from who holds it for half an hour; given back, it comes again. */
const LONGEST_HOLD_MS = 600_000
const GRACE_MS = 600_000
/** Longest wait, so that a queue's arguments stay within 32 bits. */
export const LONGEST_WAIT_MS: number = 0x7fffffff - 2 * GRACE_MS
/** Before something that failed is tried again. */
const PAUSE_MS = 1000

/**
 * The queues in which messages of one queue wait for another try, one for each length of time, so that
 * the first is always the next one due. We consume them: a message that is due is sent back to its
 * queue and acknowledged here only when the broker has it there. RabbitMQ could move expired messages
 * by itself (dead letters), but does so without making sure that they arrive: one that was killed in a
 * storm of retries lost 12 of 3,000 (the test is in `rabbitmq-outage.test.ts`).
 */
export class WaitingQueues {
  readonly #options: WaitingOptions
  readonly #open = new Map<number, Promise<Consumption>>()
  readonly #closing = new AbortController()

  constructor(options: WaitingOptions) {
    this.#options = options
  }

  /**
   * Opens the queue of a wait, and consumes it from then on. Gives its name at the broker.
   * @throws Error when the broker refuses
   */
  async open(waitMs: number): Promise<string> {
    let opening = this.#open.get(waitMs)
    if (opening === undefined) {
      opening = this.#consume(waitMs)
      this.#open.set(waitMs, opening)
      opening.catch(() => this.#open.delete(waitMs))
    }
    return (await opening).queue
  }

  #consume(waitMs: number): Promise<Consumption> {
    const { transport, queue, graceMs = GRACE_MS } = this.#options
    const { name, durable = true, exclusive = false, autoDelete = false } = queue
    const waiting: Queue = {
      name: waitingQueue(name, waitMs),
      ...{ durable, exclusive, autoDelete },
      arguments: {
        'x-message-ttl': waitMs + graceMs,
        'x-dead-letter-exchange': '',
        'x-dead-letter-routing-key': name,
        // Nothing can be in it any more when nobody has used it for so long.
        'x-expires': waitMs + 2 * graceMs,
      },
    }
    return transport.consume(waiting, {
      prefetch: PREFETCH,
      acknowledge: 'each',
      take: (delivery) => void this.#hold(delivery, waitMs),
    })
  }

  async #hold(delivery: Delivery, waitMs: number): Promise<void> {
    const { sendBack, tell } = this.#options
    const { message } = delivery
    // Clocks of hosts differ: never longer than it was meant to wait in all.
    const leftMs = Math.min(dueMs(message, tell) - Date.now(), waitMs)
    await this.#pause(Math.min(leftMs, LONGEST_HOLD_MS))
    if (this.#closing.signal.aborted || leftMs > LONGEST_HOLD_MS) {
      delivery.release()
      return
    }
    const headers = editTable(message.headers, (name) => name === DUE_HEADER, {})
    try {
      await sendBack({ ...message, headers })
      delivery.acknowledge()
    } catch (error) {
      const { name } = this.#options.queue
      const reason = error instanceof Error ? error.message : String(error)
      const text = `a message could not go back to ${name} yet, and waits on: ${reason}`
      tell({ kind: 'retry_failed', message: text, error })
      await this.#pause(PAUSE_MS)
      delivery.release()
    }
  }

  /** Ends early when we close. */
  async #pause(ms: number): Promise<void> {
    const { signal } = this.#closing
    if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => {})
  }

  /** Consumes no more; what waits stays at the broker. */
  async close(): Promise<void> {
    this.#closing.abort()
    const consumptions = await Promise.allSettled(this.#open.values())
    await Promise.all(
      consumptions.map((one) => (one.status === 'fulfilled' ? one.value.close() : undefined)),
    )
  }
}

/** The queue in which messages wait so long. */
export function waitingQueue(queue: string, waitMs: number): string {
  return `clew.retry-${queue}-${waitMs}`
}

/** When it is due, milliseconds since 1970 on the clock of who put it aside; `Infinity` where it cannot be read. */
function dueMs(message: Message, tell: Tell): number {
  const due = Number(readHeaders(message.headers, tell, message.routingKey).headers[DUE_HEADER])
  return Number.isFinite(due) ? due : Number.POSITIVE_INFINITY
}
