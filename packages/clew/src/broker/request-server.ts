import {
  type Call,
  type ErrorRegistry,
  type Handler,
  type Reply,
  RpcError,
  toError,
} from '../call/index.ts'
import type { Wire } from './body.ts'
import { DrainingConsumer } from './draining-consumer.ts'
import type { Delivery, Failure, Queue, Receipt, Transport } from './transport.ts'
import { decodeRequest, encodeReply, identityOf } from './wire.ts'
import type { Tell } from './wire-headers.ts'

export interface RequestServerOptions {
  readonly transport: Transport
  readonly service: string
  readonly handler: Handler
  readonly prefetch: number
  readonly errors: ErrorRegistry
  /** Persistent, confirmed replies; else transient ones that are only handed over. */
  readonly durable: boolean
  readonly tell: Tell
  readonly wire: Wire
}

/** Consumes one service's requests, hands them to the handler and sends its replies. */
export class RequestServer extends DrainingConsumer {
  readonly #options: RequestServerOptions

  constructor(options: RequestServerOptions) {
    super()
    this.#options = options
  }

  async start(): Promise<void> {
    const { transport, service, prefetch, wire } = this.#options
    const queue: Queue = {
      name: `rpc-${service}`,
      exchange: { name: wire.rpcExchange, type: 'topic' },
      bindingKey: `${service}.*`,
    }
    await this.open(transport, queue, prefetch)
  }

  protected override take(delivery: Delivery): void {
    const { handler, service, tell, wire } = this.#options
    const call = decodeRequest(delivery.message, service, tell, wire)
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
    const { tell } = this.#options
    if (delivery.message.replyTo === '') {
      tell({
        kind: 'reply_unroutable',
        message: `a request to ${call.service}.${call.method} came without reply_to; its reply was dropped`,
      })
      this.#done(delivery)
      return
    }
    this.#send(delivery, call, reply, (failure, detail) => {
      tell(unsent(call, detail))
      // A lost reply comes again with its request. One that is refused would be refused again, so the
      // caller is told why there is none.
      if (failure === 'lost') {
        this.ended()
        return
      }
      const text = `the reply of ${call.service}.${call.method} was not sent: ${detail}`
      const error = new RpcError('unserializable', text, identityOf(call))
      const refusal = { result: undefined, error, attachment: undefined }
      this.#send(delivery, call, refusal, () => this.#done(delivery))
    })
  }

  #send(
    delivery: Delivery,
    call: Call,
    reply: Reply,
    failed: (failure: Failure, detail: string) => void,
  ): void {
    const { transport, errors, durable: persistent, tell, wire } = this.#options
    const message = encodeReply(reply, call, delivery.message, { errors, persistent, wire }, tell)
    const receipt = new ReplyReceipt(persistent, () => this.#done(delivery), failed)
    transport.publish(message, { mandatory: !persistent, confirm: persistent }, receipt)
    // Nobody will confirm a transient reply: handing it over is all there is.
    if (!persistent) receipt.confirmed()
  }

  #done(delivery: Delivery): void {
    delivery.acknowledge()
    this.ended()
  }
}

/** The request is acknowledged only when the broker has its reply, so that a crash loses neither. */
class ReplyReceipt implements Receipt {
  readonly #confirmed: () => void
  readonly #failed: (failure: Failure, detail: string) => void
  readonly #persistent: boolean
  #open = true

  constructor(
    persistent: boolean,
    confirmed: () => void,
    failed: (failure: Failure, detail: string) => void,
  ) {
    this.#persistent = persistent
    this.#confirmed = confirmed
    this.#failed = failed
  }

  get wanted(): boolean {
    return this.#open && this.#persistent
  }

  confirmed(): void {
    if (!this.#open) return
    this.#open = false
    this.#confirmed()
  }

  failed(failure: Failure, detail: string): void {
    if (!this.#open) return
    this.#open = false
    this.#failed(failure, detail)
  }
}

function unsent(call: Call, detail: string) {
  const message = `the reply of ${call.service}.${call.method} was not sent: ${detail}`
  return { kind: 'reply_lost', message }
}
