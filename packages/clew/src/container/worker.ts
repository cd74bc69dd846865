import {
  type Call,
  type Expiring,
  type Handler,
  type Headers,
  NewTable,
  type Place,
  type Reply,
  RpcError,
  type RpcErrorCode,
  WORK_OBSERVER,
} from '../call/index.ts'
import {
  bindArguments,
  type Caller,
  type CallOptions,
  type EntrypointMethod,
  type OutgoingMessage,
  redact,
  type ShownAs,
  type WorkerContext,
} from '../service/index.ts'
import type { Below, Doer } from './below.ts'
import { callIdOf, callIdStackOf } from './call-stack.ts'
import { makeCall, sendCall } from './make-call.ts'

/** What a worker needs of its container. */
export interface WorkerHost {
  readonly service: string
  /** Sends calls through the caller's interceptors. */
  readonly send: Handler
  readonly timeoutMs: number
  /** What goes to no service. */
  readonly below: Below
  /** Told when the worker is cancelled or killed, and when its deadline passes. */
  expired(worker: Worker, error: RpcError): void
  /** Adds to a timeout's message what this process knows of its cause. */
  explainTimeout(call: Call, stack: readonly string[]): string | undefined
}

/** One instance of a service at work on one call, and the caller of everything it calls. */
export class Worker implements WorkerContext, Caller, Expiring {
  readonly service: string
  readonly entrypoint: EntrypointMethod
  readonly call: Call
  readonly deadline: number
  readonly #host: WorkerHost
  readonly #settle: (reply: Reply) => void
  /** Among the workers of its container, and among those with a deadline; the container's. */
  place: Place<Worker> | undefined
  watched: Place<Expiring> | undefined
  #unfollow: (() => void) | undefined
  #abort: AbortController | undefined
  #ended: RpcError | undefined
  #answered = false
  #stack: readonly string[] | undefined
  #context: Headers | undefined
  #outgoing: Headers | undefined

  /** @param settle takes the reply, once */
  constructor(
    host: WorkerHost,
    entrypoint: EntrypointMethod,
    call: Call,
    received: number,
    settle: (reply: Reply) => void,
  ) {
    this.#host = host
    this.#settle = settle
    this.service = host.service
    this.entrypoint = entrypoint
    this.call = call
    this.deadline = received + call.timeoutMs
  }

  get callId(): string {
    return callIdOf(this.call, this.entrypoint.name)
  }

  get callIdStack(): readonly string[] {
    this.#stack ??= callIdStackOf(this.call, this.entrypoint.name)
    return this.#stack
  }

  get context(): Headers {
    if (this.#context === undefined) {
      const { call_id_stack: _, ...context } = this.call.context
      this.#context = Object.assign(Object.create(null), context) as Headers
    }
    return this.#context
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController()
      if (this.#ended !== undefined) this.#abort.abort(this.#ended)
    }
    return this.#abort.signal
  }

  get caller(): Caller {
    return this
  }

  remainingMs(): number {
    return this.deadline - performance.now()
  }

  redactedArguments(): readonly unknown[] {
    const { name, params, parameters, sensitive } = this.entrypoint
    const bound = bindArguments(name, parameters, params, this.call)
    return redact(params ?? parameters.names, 'args' in bound ? bound.args : [], sensitive)
  }

  async invoke(
    service: string,
    method: string,
    args: readonly unknown[],
    options: CallOptions,
  ): Promise<unknown> {
    const remaining = this.remainingMs()
    const call = makeCall(service, method, args, options, {
      context: this.#outgoingContext(),
      timeoutMs: Math.min(options.timeoutMs ?? this.#host.timeoutMs, reserved(remaining)),
      values: this.call.values,
    })
    if (remaining <= 0) {
      throw new RpcError(
        'timeout',
        `${service}.${method} was not called: the deadline of ${this.callId} had passed already.`,
        identity(call),
      )
    }
    let reply: Reply
    try {
      reply = await sendCall(this.#host.send, call, options)
    } catch (error) {
      throw this.#explained(error, call)
    }
    if (reply.error !== undefined) throw reply.error
    return reply.result
  }

  down<T>(service: string, method: string, operation: () => Promise<T>): Promise<T> {
    return this.#host.below.down({ service, method }, this.#doer(), operation)
  }

  async publish(message: OutgoingMessage, shown: ShownAs): Promise<void> {
    await this.#host.below.publish(message, shown, this.#doer())
  }

  #doer(): Doer {
    const timeoutMs = Math.min(this.#host.timeoutMs, this.remainingMs())
    return { context: this.#outgoingContext(), timeoutMs, values: this.call.values }
  }

  /** Only the first reply counts. */
  answer(reply: Reply): void {
    // A response is read after its method has ended, perhaps from what follows the worker's signal.
    if (reply.result instanceof Response && reply.result.body !== null) this.#unfollow = undefined
    if (this.#answered) return
    this.#answered = true
    this.#settle(this.call.values.get(WORK_OBSERVER)?.replied(reply) ?? reply)
  }

  /** The method and all hooks are over. */
  over(): void {
    this.#unfollow?.()
  }

  /** Follows the caller's own signal until it is over. */
  follow(signal: AbortSignal): void {
    const stop = () =>
      this.end('cancelled', `${this.service}.${this.call.method}: its caller went away.`)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
    this.#unfollow = () => signal.removeEventListener('abort', stop)
  }

  /** True when its caller went away before the method ended. */
  get wasCancelled(): boolean {
    return this.#ended?.code === 'cancelled'
  }

  /** The deadline has passed. */
  expire(): void {
    const message = `${this.service}.${this.entrypoint.name} was still running after the ${Math.round(this.call.timeoutMs)} ms its caller would wait.`
    // One that was cancelled has gone on until now.
    if (this.wasCancelled) this.#host.expired(this, this.#errorOf('timeout', message))
    else this.end('timeout', message)
  }

  /** Stops waiting for the method; its abort signal fires. Only the first end counts. */
  end(code: RpcErrorCode, message: string): void {
    if (this.#ended !== undefined) return
    this.#ended = this.#errorOf(code, message)
    this.#abort?.abort(this.#ended)
    this.#host.expired(this, this.#ended)
  }

  #errorOf(code: RpcErrorCode, message: string): RpcError {
    return new RpcError(code, message, identity(this.call))
  }

  #outgoingContext(): Headers {
    this.#outgoing ??= Object.assign(new NewTable(), this.call.context, {
      call_id_stack: this.callIdStack,
    }) as Headers
    return this.#outgoing
  }

  #explained(error: unknown, call: Call): unknown {
    if (!(error instanceof RpcError) || error.code !== 'timeout') return error
    const cause = this.#host.explainTimeout(call, this.callIdStack)
    if (cause === undefined) return error
    const message = `${error.rawMessage.replace(/\.$/u, '')}. ${cause}`
    return new RpcError('timeout', message, identity(call), { cause: error })
  }
}

/**
 * Time kept back from nested calls, so that an error which explains a timeout can still go home: a
 * few confirmed replies' worth, but never more than a twentieth of what is left.
 */
const LEAST_MARGIN_MS = 10
const MOST_MARGIN_MS = 50
const MARGIN_SHARE = 0.03

/** What a worker with so much time left may let a call of its own take. */
function reserved(remainingMs: number): number {
  if (remainingMs === Number.POSITIVE_INFINITY) return remainingMs
  const margin = Math.max(LEAST_MARGIN_MS, Math.min(MOST_MARGIN_MS, remainingMs * MARGIN_SHARE))
  return Math.max(1, Math.floor(remainingMs - Math.min(margin, remainingMs / 20)))
}

function identity(call: Call): { service: string; method: string; callId: string } {
  return { service: call.service, method: call.method, callId: call.id }
}
