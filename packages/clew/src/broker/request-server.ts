import {
  type Call,
  type Consumer,
  type Handler,
  type Reply,
  RpcError,
  toError,
} from '../call/index.ts'
import type { ErrorRegistry } from './errors-wire.ts'
import type { Consumption, Delivery, Receipt, Transport } from './transport.ts'
import { decodeRequest, encodeReply, RPC_EXCHANGE, type Tell } from './wire.ts'

export interface RequestServerOptions {
  readonly transport: Transport
  readonly service: string
  readonly handler: Handler
  readonly prefetch: number
  readonly errors: ErrorRegistry
  /** Persistent, confirmed replies; else transient ones that are only handed over. */
  readonly durable: boolean
  readonly tell: Tell
}

/** Consumes one service's requests, hands them to the handler and sends its replies. */
export class RequestServer implements Consumer {
  readonly #options: RequestServerOptions
  #consumption: Consumption | undefined
  #open = 0
  #stopping: Promise<void> | undefined
  #drained: (() => void) | undefined

  constructor(options: RequestServerOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { transport, service, prefetch } = this.#options
    this.#consumption = await transport.consume(
      {
        name: `rpc-${service}`,
        durable: true,
        exclusive: false,
        autoDelete: false,
        expiresMs: undefined,
        exchange: { name: RPC_EXCHANGE, type: 'topic' },
        bindingKey: `${service}.*`,
      },
      { prefetch, acknowledge: true, take: (delivery) => this.#take(delivery) },
    )
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    await this.#consumption?.cancel()
    if (this.#open > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve
      })
    }
    await this.#consumption?.close()
  }

  #take(delivery: Delivery): void {
    if (this.#stopping !== undefined) {
      delivery.release()
      return
    }
    this.#open++
    const { handler, service, tell } = this.#options
    const call = decodeRequest(delivery.message, service, tell)
    let reply: Promise<Reply>
    try {
      reply = handler(call)
    } catch (error) {
      reply = Promise.reject(error)
    }
    reply.then(
      (settled) => this.#answer(delivery, call, settled),
      // Handlers do not reject; if one does, its caller must hear of it all the same.
      (thrown: unknown) =>
        this.#answer(delivery, call, {
          result: undefined,
          error: toError(thrown),
          attachment: undefined,
        }),
    )
  }

  #answer(delivery: Delivery, call: Call, reply: Reply): void {
    const { transport, errors, durable, tell } = this.#options
    const { replyTo, correlationId } = delivery.message
    if (replyTo === '') {
      tell({
        kind: 'reply_unroutable',
        message: `a request to ${call.service}.${call.method} came without reply_to; its reply was dropped`,
      })
      this.#done(delivery)
      return
    }
    const message = encodeReply(
      reply,
      call,
      { replyTo, correlationId },
      { errors, persistent: durable },
      tell,
    )
    if (durable) {
      const receipt = new ReplyReceipt(call, tell, (answered) => {
        if (answered) this.#done(delivery)
        else this.#forget()
      })
      transport.publish(message, { mandatory: false, confirm: true }, receipt)
    } else {
      transport.publish(
        message,
        { mandatory: true, confirm: false },
        { wanted: false, confirmed() {}, failed: (_, detail) => tell(unsent(call, detail)) },
      )
      this.#done(delivery)
    }
  }

  #done(delivery: Delivery): void {
    delivery.acknowledge()
    this.#forget()
  }

  #forget(): void {
    this.#open--
    if (this.#open === 0) this.#drained?.()
  }
}

/** The request is acknowledged only when the broker has its reply, so that a crash loses neither. */
class ReplyReceipt implements Receipt {
  readonly #call: Call
  readonly #tell: Tell
  readonly #ended: (answered: boolean) => void
  wanted = true

  constructor(call: Call, tell: Tell, ended: (answered: boolean) => void) {
    this.#call = call
    this.#tell = tell
    this.#ended = ended
  }

  confirmed(): void {
    this.#end(true)
  }

  failed(reason: 'refused' | 'lost', detail: string): void {
    if (!this.wanted) return
    this.#tell(unsent(this.#call, detail))
    // A refused reply will be refused again: running the call once more would help nobody.
    this.#end(reason === 'refused')
  }

  #end(answered: boolean): void {
    if (!this.wanted) return
    this.wanted = false
    this.#ended(answered)
  }
}

function unsent(call: Call, detail: string) {
  const message = `the reply of ${call.service}.${call.method} was not sent: ${detail}`
  const identity = { service: call.service, method: call.method, callId: call.id }
  return { kind: 'reply_lost', message, error: new RpcError('disconnected', message, identity) }
}
