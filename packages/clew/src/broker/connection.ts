import {
  type Arrival,
  ById,
  type Call,
  ConfigError,
  type Connection,
  type ConnectOptions,
  type Consumer,
  Deadlines,
  ErrorRegistry,
  type Handler,
  newCallId,
  type Problem,
  type Publication,
  type QueueDeclaration,
  type Reply,
  RpcError,
  type ServeOptions,
  type Settlement,
  type Subscription,
} from '../call/index.ts'
import { Wire } from './body.ts'
import { BrokerCollectQueue } from './broker-collect-queue.ts'
import { BrokerMailbox } from './broker-mailbox.ts'
import type { Message } from './message.ts'
import { MessageServer } from './message-server.ts'
import { PendingCall, type PendingOwner } from './pending-call.ts'
import { Publications } from './publications.ts'
import { unconsumed } from './queue-errors.ts'
import { RequestServer } from './request-server.ts'
import { StrayReplies } from './stray-replies.ts'
import { type Queue, refusalOf, type Transport, type TransportEvents } from './transport.ts'
import { ATTACHABLE_KEY, decodeReply, encodeRequest, identityOf } from './wire.ts'

/** Nameko's value: a reply queue outlives its last consumer by five minutes. */
const REPLY_QUEUE_EXPIRES_MS = 300_000

/** How long a blocked broker is waited for before calls fail as overloaded. */
const BLOCKED_GRACE_MS = 1000

/** Replies the broker may have sent ahead of their acknowledgement. */
const REPLY_PREFETCH = 2000

export interface CallLimits {
  /** Calls waiting for their reply at a time; more are refused as `overloaded`. */
  readonly maxPendingCalls: number
}

/** Opens a connection over a transport that `connect` makes once the connection can hear its events. */
export async function openConnection(
  options: ConnectOptions,
  limits: CallLimits,
  connect: (events: TransportEvents) => Promise<Transport>,
): Promise<Connection> {
  const connection = new BrokerConnection(options, limits)
  await connection.attach(connect)
  return connection
}

class BrokerConnection implements Connection, PendingOwner {
  readonly #durable: boolean
  readonly #errors: ErrorRegistry
  readonly #wire: Wire
  readonly #maxPending: number
  readonly #onProblem: ((problem: Problem) => void) | undefined
  readonly #pending = new ById<PendingCall>()
  readonly #strays = new StrayReplies()
  readonly #deadlines = new Deadlines(true)
  readonly #tell = (problem: Problem): void => this.#report(problem)
  readonly #replyKey: string
  readonly #replyQueue: Queue
  readonly #repliesAtOnce: boolean
  readonly #publishing: { readonly mandatory: boolean; readonly confirm: boolean }
  #transport!: Transport
  #mailbox!: BrokerMailbox
  #collectQueue!: BrokerCollectQueue
  #publications!: Publications
  #replies: 'closed' | 'open' | Promise<void> = 'closed'
  #overloaded: string | undefined
  #blockedTimer: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined

  constructor(options: ConnectOptions, limits: CallLimits) {
    const { owner = 'standalone_rpc_proxy', attachments = false } = options
    this.#durable = (options.delivery ?? 'nameko') === 'nameko'
    this.#errors = new ErrorRegistry(options.errors)
    this.#wire = new Wire(options)
    this.#maxPending = limits.maxPendingCalls
    this.#onProblem = options.onProblem
    this.#repliesAtOnce = options.repliesAtOnce === true
    this.#publishing = { mandatory: true, confirm: this.#durable }
    const uuid = newCallId()
    this.#replyKey = attachments ? ATTACHABLE_KEY + uuid : uuid
    this.#replyQueue = {
      name: `rpc.reply-${owner}-${uuid}`,
      durable: this.#durable,
      exclusive: !this.#durable,
      autoDelete: false,
      arguments: this.#durable ? { 'x-expires': REPLY_QUEUE_EXPIRES_MS } : {},
      exchange: { name: this.#wire.rpcExchange, type: 'topic' },
      bindingKey: this.#replyKey,
    }
  }

  async attach(connect: (events: TransportEvents) => Promise<Transport>): Promise<void> {
    this.#transport = await connect({
      returned: (message) => this.#returned(message),
      down: (reason) => this.#down(reason),
      restored: () => {
        this.#publications?.restored()
        this.#collectQueue?.restored()
      },
      blocked: (reason) => this.#blocked(reason),
      noExchange: (name) => this.#publications.noExchange(name),
      problem: this.#tell,
    })
    this.#mailbox = new BrokerMailbox(this.#transport, this.#tell)
    this.#collectQueue = new BrokerCollectQueue(this.#transport, this.#tell)
    this.#publications = new Publications({
      transport: this.#transport,
      wire: this.#wire,
      durable: this.#durable,
      maxPending: this.#maxPending,
    })
    if (this.#repliesAtOnce) await this.#openFirstReplies()
  }

  async #openFirstReplies(): Promise<void> {
    try {
      await this.#openReplies()
    } catch (error) {
      await this.close()
      throw error
    }
  }

  get mailbox(): BrokerMailbox {
    return this.#mailbox
  }

  get collectQueue(): BrokerCollectQueue {
    return this.#collectQueue
  }

  request(call: Call): Promise<Reply> {
    const refusal = this.#refusal(call)
    if (refusal !== undefined) return rejected(call, refusal)
    let message: Message
    try {
      message = encodeRequest(call, this.#replyKey, this.#durable, this.#wire)
    } catch (error) {
      return rejected(call, error)
    }
    return new Promise<Reply>((resolve, reject) => {
      const pending = new PendingCall(call, this, resolve, reject)
      pending.waiting = this.#pending.add(call.id, pending)
      pending.watch(this.#deadlines)
      if (!pending.wanted) return
      if (this.#replies === 'open') this.#send(pending, message)
      else this.#sendLater(pending, message)
    })
  }

  #refusal(call: Call): RpcError | undefined {
    const name = `${call.service}.${call.method}`
    const refuse = (code: 'disconnected' | 'overloaded', reason: string) =>
      new RpcError(code, `${name} was not called: ${reason}`, identityOf(call))
    if (this.#closing !== undefined) return refuse('disconnected', 'the connection is closed')
    if (this.#overloaded !== undefined) return refuse('overloaded', this.#overloaded)
    if (this.#pending.size >= this.#maxPending) {
      return refuse('overloaded', `${this.#maxPending} calls wait for their replies already`)
    }
    if (this.#pending.has(call.id)) {
      return refuse(
        'overloaded',
        `a call with the same id (${call.id}) waits for its reply already`,
      )
    }
    // Durable requests wait for the broker to come back, as they would survive its absence.
    if (!this.#durable && !this.#transport.up) {
      return refuse('disconnected', `the connection to ${this.#transport.address} is lost`)
    }
    return undefined
  }

  #send(pending: PendingCall, message: Message): void {
    this.#transport.publish(message, this.#publishing, pending)
  }

  #sendLater(pending: PendingCall, message: Message): void {
    this.#openReplies().then(
      () => {
        if (pending.wanted) this.#send(pending, message)
      },
      (error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error)
        pending.fail('disconnected', `the queue for replies could not be opened: ${reason}`, error)
      },
    )
  }

  #openReplies(): Promise<void> {
    if (typeof this.#replies !== 'string') return this.#replies
    this.#replies = this.#transport
      .consume(this.#replyQueue, {
        prefetch: this.#durable ? REPLY_PREFETCH : 0,
        acknowledge: this.#durable ? 'each' : 'never',
        take: (delivery) => {
          this.#replied(delivery.message)
          delivery.acknowledge()
        },
        reopened: (survived) => this.#reopened(survived),
      })
      .then(
        () => {
          this.#replies = 'open'
        },
        (error: unknown) => {
          this.#replies = 'closed'
          throw error
        },
      )
    return this.#replies
  }

  #replied(message: Message): void {
    const pending = this.#pending.get(message.correlationId)
    if (pending !== undefined) {
      pending.reply(
        decodeReply(message, identityOf(pending.call), this.#errors, this.#tell, this.#wire),
      )
      return
    }
    try {
      const known = this.#strays.take(message.correlationId, (identity) =>
        decodeReply(message, identity, this.#errors, this.#tell, this.#wire),
      )
      if (known) return
    } catch (error) {
      this.#report({ kind: 'stray_reply', message: 'who listens to stray replies threw', error })
      return
    }
    const text = 'a reply came that nobody waits for (any more); it was dropped'
    this.#report({ kind: 'stray_reply', message: text })
  }

  /** From PendingCall. */
  settled(pending: PendingCall, replied: boolean): void {
    if (pending.waiting !== undefined) this.#pending.delete(pending.waiting)
    this.#strays.remember(pending, replied)
  }

  #returned(message: Message): void {
    if (this.#mailbox.returned(message) || this.#collectQueue.returned(message)) return
    if (this.#publications.returned(message)) return
    if (message.replyTo === '') {
      // A message that nobody waits for any more.
      if (message.exchange !== this.#wire.rpcExchange) return
      const text = `a reply to ${message.routingKey} was dropped: its caller is gone`
      this.#report({ kind: 'reply_unroutable', message: text })
      return
    }
    const pending = this.#pending.get(message.correlationId)
    if (pending === undefined) return
    const { service, method } = pending.call
    const hint = method.includes('.') ? ' (and a method name with a dot cannot be routed)' : ''
    pending.fail(
      'unknown_service',
      `no service called \`${service}\` is known to the broker${hint}`,
    )
  }

  /** From PendingOwner. */
  get outage(): string | undefined {
    if (this.#transport.up) return undefined
    return `the connection to ${this.#transport.address} is lost and being tried again`
  }

  #down(reason: string): void {
    const { address } = this.#transport
    const message = `the connection to ${address} was lost (${reason}); trying to get it back`
    this.#report({ kind: 'disconnected', message })
    if (this.#durable) return
    this.#failAll(() => `the connection to ${address} was lost before the reply came (${reason})`)
  }

  #reopened(survived: boolean): void {
    if (survived) return
    for (const pending of this.#pending.values()) {
      if (!pending.taken || pending.call.timeoutMs < Number.POSITIVE_INFINITY) continue
      const name = `${pending.call.service}.${pending.call.method}`
      pending.fail('disconnected', `the queue with the reply of ${name} was lost`)
    }
  }

  #failAll(reason: (call: Call) => string): void {
    for (const pending of this.#pending.values()) {
      pending.fail('disconnected', reason(pending.call))
    }
  }

  #blocked(reason: string | undefined): void {
    clearTimeout(this.#blockedTimer)
    this.#blockedTimer = undefined
    this.#overloaded = undefined
    this.#publications?.overloaded(undefined)
    this.#collectQueue?.blocked(reason !== undefined)
    if (reason === undefined || this.#closing !== undefined) return
    const overloaded = `the broker at ${this.#transport.address} takes no messages (${reason})`
    this.#report({ kind: 'blocked', message: overloaded })
    this.#blockedTimer = setTimeout(() => {
      this.#overloaded = overloaded
      this.#publications.overloaded(overloaded)
      for (const pending of this.#pending.values()) {
        if (!pending.taken) pending.fail('overloaded', overloaded)
      }
    }, BLOCKED_GRACE_MS)
  }

  async serve(service: string, handler: Handler, options: ServeOptions): Promise<Consumer> {
    if (this.#closing !== undefined) {
      throw new RpcError('disconnected', `${service} cannot be served: the connection is closed`)
    }
    const server = new RequestServer({
      transport: this.#transport,
      service,
      handler,
      prefetch: options.prefetch,
      errors: this.#errors,
      durable: this.#durable,
      tell: this.#tell,
      wire: this.#wire,
    })
    try {
      await server.start()
    } catch (error) {
      throw unserved(service, error)
    }
    return server
  }

  publish(publication: Publication): Promise<void> {
    return this.#publications.publish(publication)
  }

  async declare(queue: QueueDeclaration): Promise<void> {
    try {
      await this.#transport.declareQueue(queue)
    } catch (error) {
      throw unconsumed(queue.name, error)
    }
  }

  async consume(
    subscription: Subscription,
    take: (arrival: Arrival) => Promise<Settlement>,
  ): Promise<Consumer> {
    const { name } = subscription.queue
    if (this.#closing !== undefined) {
      throw new RpcError('disconnected', `${name} cannot be consumed: the connection is closed`)
    }
    const server = new MessageServer({
      transport: this.#transport,
      publications: this.#publications,
      subscription,
      take,
      tell: this.#tell,
      wire: this.#wire,
    })
    try {
      await server.start()
    } catch (error) {
      throw unconsumed(name, error)
    }
    return server
  }

  close(last?: () => Promise<void>): Promise<void> {
    this.#closing ??= this.#close(last)
    return this.#closing
  }

  async #close(last: (() => Promise<void>) | undefined): Promise<void> {
    clearTimeout(this.#blockedTimer)
    this.#publications.close()
    const closing = last === undefined ? this.#transport.close() : undefined
    this.#failAll(
      (call) => `the connection was closed before ${call.service}.${call.method} replied`,
    )
    this.#deadlines.close()
    if (last !== undefined) {
      // Those that were just failed end first.
      await new Promise((resolve) => setImmediate(resolve))
      await last().finally(() => this.#transport.close())
    }
    await closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #report(problem: Problem): void {
    try {
      this.#onProblem?.(problem)
    } catch {
      // Who listens to problems must not become one.
    }
  }
}

function rejected(call: Call, error: unknown): Promise<never> {
  call.observer?.failed(error)
  return Promise.reject(error)
}

function unserved(service: string, error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error)
  if (refusalOf(error) === 'PRECONDITION_FAILED') {
    return new ConfigError(
      `${service} cannot be served: its queue exists with other properties than Nameko's. Delete it, or serve by what declared it (${reason})`,
      { cause: error },
    )
  }
  const message = `${service} cannot be served: ${reason}`
  return new RpcError('disconnected', message, { service }, { cause: error })
}
