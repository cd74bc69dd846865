import {
  type Arrival,
  ConfigError,
  type Consumer,
  type QueueDeclaration,
  type RetryPolicy,
  type Settlement,
} from '../../call/index.ts'
import type { MethodOptions } from '../declare-method.ts'
import { Entrypoint, type EntrypointMethod, type ExtensionHost } from '../extension.ts'
import { handlingId } from './message-id.ts'

/** What every entrypoint that takes messages may be told. */
export interface MessageOptions extends Omit<MethodOptions, 'params'> {
  /**
   * What becomes of a message whose worker failed. `false`: it is done with, as in Nameko. `true`: it
   * comes again after a second, then after twice as long each time, up to a minute, for ever. A policy
   * says otherwise, and sends what it gives up on to the queue `dead-{queue}`. A message that cannot
   * be read goes there at once.
   *
   * Nameko's own way, to deliver the message again at once and in a hot loop, is not among them.
   * @default false
   */
  readonly requeueOnError?: boolean | RetryPolicy
  /**
   * Milliseconds that the method may take for one message. Then it has failed: its signal aborts,
   * and its worker's place is free. Without a limit a method that never ends keeps its place for
   * ever, and when all do, the service does nothing any more.
   * @default none
   */
  readonly timeoutMs?: number
}

/** How messages are handled, as their options say. */
export interface Handling {
  /** Undefined: a message whose worker failed is done with. */
  readonly retry: RetryPolicy | undefined
  readonly timeoutMs: number
}

/** @throws ConfigError when an option cannot be right */
export function handlingOf(where: string, options: MessageOptions): Handling {
  const { timeoutMs = Number.POSITIVE_INFINITY } = options
  if (!(timeoutMs > 0)) {
    throw new ConfigError(`${where}: timeoutMs must be a number above 0; got ${timeoutMs}.`)
  }
  return { retry: retryPolicy(where, options), timeoutMs }
}

function retryPolicy(
  where: string,
  { requeueOnError = false }: MessageOptions,
): RetryPolicy | undefined {
  if (requeueOnError === false) return undefined
  if (requeueOnError === true) return {}
  const { backoffMs = 1000, maxBackoffMs = 60_000, maxAttempts = Infinity } = requeueOnError
  if (!(backoffMs >= 1 && maxBackoffMs >= 1)) {
    throw new ConfigError(
      `${where}: requeueOnError waits ${backoffMs} to ${maxBackoffMs} ms; both must be at least 1.`,
    )
  }
  if (!(maxAttempts >= 1) || !(Number.isInteger(maxAttempts) || maxAttempts === Infinity)) {
    throw new ConfigError(
      `${where}: requeueOnError allows ${maxAttempts} attempts; use a whole number from 1, or Infinity.`,
    )
  }
  return requeueOnError
}

/** @throws ConfigError when a method needs more than the payload that it is given */
export function checkParameters(
  kind: string,
  method: { readonly length: number },
  { name }: ClassMethodDecoratorContext,
): void {
  if (method.length <= 1) return
  throw new ConfigError(
    `@${kind} on ${String(name)}: the method needs ${method.length} arguments, but all it is given is the payload; make the others optional.`,
  )
}

/** The longest name that AMQP has room for. */
const LONGEST_NAME = 255

const queuesOf = new WeakMap<ExtensionHost, Map<string, EntrypointMethod>>()

/** @throws ConfigError when another entrypoint of the service takes from the same queue */
function refuseSharing(host: ExtensionHost, queue: string, method: EntrypointMethod): void {
  const queues = queuesOf.get(host) ?? new Map<string, EntrypointMethod>()
  queuesOf.set(host, queues)
  const other = queues.get(queue)
  if (other !== undefined) {
    throw new ConfigError(
      `@${method.kind} on ${method.property} and @${other.kind} on ${other.property} of ${host.service} take from the same queue, ${queue}: each message would come to one of them only. Give one a \`name\` of its own, or another queue.`,
    )
  }
  queues.set(queue, method)
}

/** Takes messages from a queue and fires a worker for each. */
export abstract class MessageEntrypoint extends Entrypoint {
  readonly #retry: RetryPolicy | undefined
  readonly #timeoutMs: number
  #queue: QueueDeclaration | undefined
  #consumer: Consumer | undefined

  constructor({ retry, timeoutMs }: Handling) {
    super()
    this.#retry = retry
    this.#timeoutMs = timeoutMs
  }

  /** The queue to take messages from. Asked for once, in `setup`. */
  protected abstract queue(): QueueDeclaration
  /** How traces show the method for this message. */
  protected abstract shownAs(arrival: Arrival): string

  override async setup(): Promise<void> {
    const queue = this.queue()
    if (Buffer.byteLength(queue.name) > LONGEST_NAME) {
      throw new ConfigError(
        `@${this.method.kind} on ${this.method.property}: its queue would be ${queue.name}, whose name is longer than ${LONGEST_NAME} bytes; shorten one of its parts.`,
      )
    }
    this.#queue = queue
    refuseSharing(this.host, queue.name, this.method)
    // All queues of a process are there before anything in it starts: what is dispatched by the first
    // worker of one service is not lost to another that starts a little later.
    if (!queue.exclusive && !queue.autoDelete) await this.host.connection.declare(queue)
  }

  override async start(): Promise<void> {
    const subscription = {
      queue: this.#queue!,
      prefetch: this.host.prefetch,
      retry: this.#retry,
    }
    this.#consumer = await this.host.connection.consume(subscription, (arrival) =>
      this.#take(arrival),
    )
  }

  override async stop(): Promise<void> {
    await this.#consumer?.stop()
  }

  async #take(arrival: Arrival): Promise<Settlement> {
    if (arrival.unreadable !== undefined) {
      return this.#giveUp(arrival.unreadable, 'cannot be read')
    }
    const { service } = this.host
    const { name, parameters } = this.method
    const { error } = await this.fire({
      // A method that asks for nothing is given nothing.
      args: parameters.most === 0 ? [] : [arrival.payload],
      shownAs: this.shownAs(arrival),
      edge: 'event',
      id: handlingId(arrival, this.#queue!.name, service, name),
      context: arrival.context,
      headers: arrival.headers,
      redelivered: arrival.redelivered,
      attempt: arrival.attempt,
      timeoutMs: this.#timeoutMs,
    })
    if (error === undefined || this.#retry === undefined) return 'done'
    const { maxAttempts = Number.POSITIVE_INFINITY } = this.#retry
    if (arrival.attempt < maxAttempts) return { settle: 'retry', reason: reasonOf(error) }
    return this.#giveUp(
      error,
      `has failed ${arrival.attempt === 1 ? 'once' : `${arrival.attempt} times`}`,
    )
  }

  /** Nobody would ever find the dead of an exclusive queue, whose name is another at each start. */
  #giveUp(error: Error, what: string): Settlement {
    const { name, exclusive = false } = this.#queue!
    const isKept = this.#retry !== undefined && !exclusive
    const fate = isKept ? `it goes to dead-${name}` : 'it is dropped'
    const { service } = this.host
    const method = this.method.name
    const message = `${service}.${method}: a message in ${name} ${what}, ${fate}`
    this.host.log({ level: 'error', message, service, method, error })
    return isKept ? { settle: 'dead', reason: reasonOf(error) } : 'done'
  }
}

/** What people look for at a dead message; bounded, for it travels in a header. */
function reasonOf({ name, message }: Error): string {
  return `${name}: ${message}`.slice(0, 500)
}
