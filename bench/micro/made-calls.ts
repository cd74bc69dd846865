import type { Call, Handler, Reply } from 'clew'
import {
  ATTACHABLE_KEY,
  ContextValues,
  decodeReply,
  decodeRequest,
  ErrorRegistry,
  encodeReply,
  encodeRequest,
  type Message,
  newCallId,
  newHalfId,
  shortId,
  telling,
  WORK_OBSERVER,
} from 'clew/testing/steps'

const NO_ENTRIES = Object.freeze(Object.create(null) as Record<string, never>)
const ARGUMENTS = [{ order_id: 4711, items: ['a3', 'b7'], express: true }]
const REPLY_KEY = `${ATTACHABLE_KEY}3f0e4a52-6f5e-4c0e-9a53-0d9f3a6c7b21`
const ANSWER: Reply = { result: { accepted: true }, error: undefined, attachment: undefined }

/** Calls made before; a power of two. */
const CALLS = 1024

const errors = new ErrorRegistry()
const silent = () => {}

/** What the wire makes of a call, without a broker between. */
export const wire: {
  readonly request: (call: Call) => Message
  readonly arriving: (message: Message) => Call
  readonly reply: (reply: Reply, call: Call) => Message
  readonly answered: (message: Message, call: Call) => Reply
} = {
  request: (call) => encodeRequest(call, REPLY_KEY, false),
  arriving: (message) => decodeRequest(message, 'order_service', silent),
  reply: (reply, call) => {
    const address = { replyTo: REPLY_KEY, correlationId: call.id, contentType: 'application/json' }
    return encodeReply(reply, call, address, { errors, persistent: false }, silent)
  },
  answered: (message, call) => {
    const { service, method, id } = call
    return decodeReply(message, { service, method, callId: id }, errors, silent)
  },
}

/** A method that does nothing, as the container runs it. */
export const method: Handler = telling(
  async ({ values }) => values.get(WORK_OBSERVER)?.replied(ANSWER) ?? ANSWER,
)

/** What a connection does with a call whose reply is there at once. */
export function answeredWith(reply: Reply): Handler {
  return telling(async ({ observer }) => {
    observer?.replied(reply)
    return reply
  })
}

/** Calls of one trace. */
export class MadeCalls {
  readonly traceId: string = newHalfId() + newHalfId()
  /** Flat, as the wire needs them anyway. */
  readonly #ids = Array.from({ length: CALLS }, () => Buffer.from(newCallId()).toString())
  readonly #arrived: readonly Call[]

  constructor() {
    this.#arrived = this.#ids.map((id, index) => {
      const headers = Object.create(null) as Record<string, string>
      headers.traceparent = `00-${this.traceId}-${shortId(id)}-01`
      return wire.arriving(wire.request({ ...this.leaving(index, new ContextValues()), headers }))
    })
  }

  correlationId(index: number): string {
    return this.#ids[index & (CALLS - 1)]!
  }

  /** A call as a worker's proxy makes it. */
  leaving(index: number, values: ContextValues): Call {
    return {
      service: 'order_service',
      method: 'place_order',
      args: ARGUMENTS,
      kwargs: NO_ENTRIES,
      id: this.correlationId(index),
      context: { call_id_stack: ['gateway.get_order.5d1a3a55-1a3e-8c0e-9a53-0d9f3a6c7b21'] },
      headers: NO_ENTRIES,
      timeoutMs: 29_995,
      signal: undefined,
      attempt: 1,
      redelivered: false,
      attachable: false,
      rejected: undefined,
      values,
      observer: undefined,
    }
  }

  /** A call as it arrives at its callee, from a caller that traces it. */
  arriving(index: number): Call {
    return { ...this.#arrived[index & (CALLS - 1)]!, values: new ContextValues() }
  }
}

/** The way of a call to its callee and back, in the wire's form between. */
export function overWire(callee: Handler): Handler {
  return telling(async (call) => {
    const received = wire.arriving(wire.request(call))
    const reply = wire.answered(wire.reply(await callee(received), received), call)
    call.observer?.replied(reply)
    return reply
  })
}
