import { ConfigError, type RetryPolicy, RpcError } from '../call/index.ts'
import { type Message, SHORT_STRING_BYTES } from './message.ts'
import type { Publications } from './publications.ts'
import { editTable } from './table-edit.ts'
import { type Queue, refusalOf, type Transport } from './transport.ts'
import { LONGEST_WAIT_MS, WaitingQueues, waitingQueue } from './waiting-queues.ts'
import {
  ATTEMPT_HEADER,
  DUE_HEADER,
  EXCHANGE_HEADER,
  KEY_HEADER,
  REASON_HEADER,
  type Tell,
} from './wire-headers.ts'

/** How long a message may take from here into its queue at the broker. */
const SENDING_MS = 30_000

/** Doublings of any wait until the longest. */
const MOST_WAITS = 32
const REASON_CHARACTERS = 1000
/** Bytes of a header that a dead message keeps: all; where that is too much, the small ones; none. */
const KEPT_ENTRIES = [Number.POSITIVE_INFINITY, 512, 0]
const NO_ROOM = 'its headers leave no room for what a retry has to say'

/** What was tried, and where it came from. */
export interface Tried {
  readonly message: Message
  readonly exchange: string
  readonly routingKey: string
  readonly attempt: number
  readonly reason: string
}

export interface RetriesOptions {
  readonly transport: Transport
  readonly publications: Publications
  readonly queue: Queue
  /** The queue's name at the broker: an exclusive one gets another after a reconnection. */
  readonly queueName: () => string
  readonly policy: RetryPolicy | undefined
  readonly tell: Tell
}

/** Puts messages of one queue aside: to come again after a while, or to be looked at by people. */
export class Retries {
  readonly #transport: Transport
  readonly #publications: Publications
  readonly #waiting: WaitingQueues
  readonly #backoffMs: number
  readonly #maxBackoffMs: number
  readonly #maxAttempts: number

  /** @throws ConfigError for a policy or a queue's name that cannot be carried out */
  constructor({ transport, publications, queue, queueName, policy = {}, tell }: RetriesOptions) {
    this.#transport = transport
    this.#publications = publications
    const sendBack = (message: Message) =>
      this.#send({ ...message, routingKey: queueName() }, performance.now() + SENDING_MS)
    this.#waiting = new WaitingQueues({ transport, queue, sendBack, tell })
    const {
      backoffMs = 1000,
      maxBackoffMs = 60_000,
      maxAttempts = Number.POSITIVE_INFINITY,
    } = policy
    this.#backoffMs = backoffMs
    this.#maxBackoffMs = Math.max(backoffMs, maxBackoffMs)
    this.#maxAttempts = maxAttempts
    for (const [name, value] of Object.entries({ backoffMs, maxBackoffMs })) {
      if (value >= 1 && value <= LONGEST_WAIT_MS) continue
      throw new ConfigError(`retry.${name} must be 1 to ${LONGEST_WAIT_MS} ms; got ${value}`)
    }
    if (!(maxAttempts >= 1)) {
      throw new ConfigError(`retry.maxAttempts must be 1 or more; got ${maxAttempts}`)
    }
    const longest = waitingQueue(queue.name, LONGEST_WAIT_MS)
    if (Buffer.byteLength(longest) > SHORT_STRING_BYTES) {
      const limit = SHORT_STRING_BYTES - Buffer.byteLength(longest) + Buffer.byteLength(queue.name)
      throw new ConfigError(
        `the name of queue ${queue.name} is too long: with more than ${limit} bytes there is no name left for the queue of its retries`,
      )
    }
  }

  /**
   * Opens the queues of all waits: whoever put messages there may be gone. One that cannot be opened
   * is tried again when it is needed.
   */
  async openAll(): Promise<void> {
    const waits = new Set<number>()
    for (let attempt = 1; attempt < Math.min(this.#maxAttempts, MOST_WAITS); attempt++) {
      const waitMs = this.#waitAfter(attempt)
      waits.add(waitMs)
      if (waitMs >= this.#maxBackoffMs) break
    }
    await Promise.allSettled(Array.from(waits, (waitMs) => this.#waiting.open(waitMs)))
  }

  /** Brings nothing back any more; what waits stays at the broker. */
  close(): Promise<void> {
    return this.#waiting.close()
  }

  #waitAfter(attempt: number): number {
    const doubled = this.#backoffMs * 2 ** Math.min(attempt - 1, MOST_WAITS)
    return Math.ceil(Math.min(this.#maxBackoffMs, doubled))
  }

  /** Sends it to wait, or away when it was tried often enough. @throws Error when it is not safe there */
  async retry(queue: string, tried: Tried): Promise<void> {
    const { attempt } = tried
    if (attempt >= this.#maxAttempts) {
      await this.bury(queue, tried)
      return
    }
    const waitMs = this.#waitAfter(attempt)
    const deadline = performance.now() + SENDING_MS
    const routingKey = await this.#waiting.open(waitMs)
    const { message, exchange } = tried
    const headers = editTable(message.headers, isCopies, {
      [ATTEMPT_HEADER]: attempt + 1,
      [EXCHANGE_HEADER]: exchange,
      [KEY_HEADER]: tried.routingKey,
      [DUE_HEADER]: String(Date.now() + waitMs),
    })
    try {
      await this.#send({ ...message, routingKey, headers }, deadline)
    } catch (error) {
      if (!isTooLarge(error)) throw error
      // It would fail here for ever. With other headers than it came with nobody should handle it.
      const reason = `${tried.reason.slice(0, REASON_CHARACTERS / 2)}; ${NO_ROOM}`
      await this.bury(queue, { ...tried, reason })
    }
  }

  /** Sends it to the queue of those that nobody could handle. @throws Error when it is not safe there */
  async bury(
    queue: string,
    { message, exchange, routingKey, attempt, reason }: Tried,
  ): Promise<void> {
    const dead: Queue = { name: `dead-${queue}` }
    const deadline = performance.now() + SENDING_MS
    try {
      await this.#transport.declareQueue(dead)
    } catch (error) {
      // Whoever made another one of it wants the messages all the same.
      if (refusalOf(error) !== 'PRECONDITION_FAILED') throw error
    }
    const own = {
      [ATTEMPT_HEADER]: attempt,
      [EXCHANGE_HEADER]: exchange,
      [KEY_HEADER]: routingKey,
      [REASON_HEADER]: reason.slice(0, REASON_CHARACTERS),
    }
    for (const longest of KEPT_ENTRIES) {
      const headers = editTable(message.headers, isCopies, own, longest)
      try {
        await this.#send({ ...message, routingKey: dead.name, headers, deliveryMode: 2 }, deadline)
        return
      } catch (error) {
        if (longest === 0 || !isTooLarge(error)) throw error
      }
    }
  }

  // A life time of its own would let it leave early, or vanish from among the dead.
  async #send(message: Message, deadline: number): Promise<void> {
    await this.#publications.send(
      {
        message: { ...message, exchange: '', expiration: '', redelivered: false },
        title: 'it',
        subject: { service: '', method: message.routingKey, callId: message.correlationId },
        mandatory: true,
        timeoutMs: deadline - performance.now(),
        signal: undefined,
      },
      { exchange: undefined, declare: false, confirm: true },
    )
  }
}

/** As many headers as a broker takes came with it: with ours there are too many. */
function isTooLarge(error: unknown): boolean {
  return error instanceof RpcError && error.code === 'unserializable'
}

// The broker would send a copy to each of them again.
function isCopies(name: string): boolean {
  return name === 'CC'
}
