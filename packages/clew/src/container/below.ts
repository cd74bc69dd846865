import {
  type Call,
  type Connection,
  type ContextValues,
  compose,
  type EdgeKind,
  type Headers,
  type Interceptor,
  newCallId,
  type Reply,
  RpcError,
  toError,
} from '../call/index.ts'
import type { OutgoingMessage, ShownAs } from '../service/index.ts'
import { NO_HEADERS, NO_KWARGS } from './make-call.ts'

/** In whose name something is done that is no call of a service. */
export interface Doer {
  readonly context: Headers
  readonly timeoutMs: number
  readonly values: ContextValues
  /** Outside those of `use`. @default none */
  readonly interceptor?: Interceptor | undefined
}

/**
 * What goes to no service: operations of dependencies, and published messages. They pass the
 * interceptors that ask to see every edge, as calls that those need not tell from others. Without
 * any such interceptor they cost nothing.
 */
export class Below {
  readonly #interceptors: readonly Interceptor[]
  readonly #connection: () => Connection

  /** @param connection asked for when something is published, not before */
  constructor(interceptors: readonly Interceptor[], connection: () => Connection) {
    this.#interceptors = interceptors
    this.#connection = connection
  }

  /** Runs an operation one layer down. */
  async down<T>(shown: ShownAs, doer: Doer, operation: () => Promise<T>): Promise<T> {
    if (this.#interceptors.length === 0) return operation()
    let thrown: unknown
    const handler = compose(this.#interceptors, async () => {
      try {
        return answered(await operation())
      } catch (error) {
        thrown = error
        return failed(error)
      }
    })
    const reply = await handler(made('down', shown, doer, []))
    // What was thrown, not what became of it on the way: callers look at its class and fields.
    if (reply.error !== undefined) throw thrown ?? reply.error
    return reply.result as T
  }

  /** Publishes a message that nobody replies to. */
  async publish(message: OutgoingMessage, shown: ShownAs, doer: Doer): Promise<void> {
    const call = made('event', shown, doer, [message.payload])
    const timeoutMs = Math.min(message.timeoutMs ?? doer.timeoutMs, doer.timeoutMs)
    if (!(timeoutMs > 0)) {
      const reason = `${shown.service}.${shown.method} was not published: the deadline had passed already.`
      throw new RpcError('timeout', reason, { ...shown, callId: call.id })
    }
    const context =
      message.context === undefined
        ? doer.context
        : (Object.assign(Object.create(null), doer.context, message.context) as Headers)
    const outer = doer.interceptor === undefined ? [] : [doer.interceptor]
    const handler = compose([...outer, ...this.#interceptors], async ({ headers }) => {
      const merged =
        message.headers === undefined
          ? headers
          : (Object.assign(Object.create(null), message.headers, headers) as Headers)
      await this.#connection().publish({ ...message, headers: merged, context, timeoutMs })
      return answered(undefined)
    })
    const reply = await handler(call)
    if (reply.error !== undefined) throw reply.error
  }
}

function made(
  edge: EdgeKind,
  { service, method }: ShownAs,
  { context, timeoutMs, values }: Doer,
  args: readonly unknown[],
): Call {
  return {
    service,
    method,
    edge,
    args,
    kwargs: NO_KWARGS,
    id: newCallId(),
    context,
    headers: NO_HEADERS,
    timeoutMs,
    signal: undefined,
    redelivered: false,
    attachable: false,
    rejected: undefined,
    values,
    observer: undefined,
  }
}

function answered(result: unknown): Reply {
  return { result, error: undefined, attachment: undefined }
}

function failed(thrown: unknown): Reply {
  return { result: undefined, error: toError(thrown), attachment: undefined }
}
