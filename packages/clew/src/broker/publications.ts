import { type Publication, RpcError } from '../call/index.ts'
import type { Wire } from './body.ts'
import type { Message } from './message.ts'
import { PendingPublication, type PublicationOwner, type Sending } from './pending-publication.ts'
import { encodePublication, subjectOf, titleOf } from './publication-wire.ts'
import { Topology, type Wanted } from './topology.ts'
import type { Transport } from './transport.ts'

export interface PublicationsOptions {
  readonly transport: Transport
  readonly wire: Wire
  /** Persistent, confirmed messages, where they do not say otherwise. */
  readonly durable: boolean
  /** Messages unconfirmed at a time; more are refused as `overloaded`. */
  readonly maxPending: number
}

/** What a message needs before it is sent, and whether the broker is asked to confirm it. */
interface Route extends Wanted {
  readonly confirm: boolean
}

/** Messages that expect no reply, of one connection. */
export class Publications implements PublicationOwner {
  readonly #transport: Transport
  readonly #wire: Wire
  readonly #durable: boolean
  readonly #maxPending: number
  readonly #topology: Topology
  readonly #pending = new Map<PendingPublication, Route>()
  /** Sent once more after their exchange had gone. */
  readonly #repeated = new WeakSet<PendingPublication>()
  #overloaded: string | undefined
  #closed = false

  constructor({ transport, wire, durable, maxPending }: PublicationsOptions) {
    this.#transport = transport
    this.#wire = wire
    this.#durable = durable
    this.#maxPending = maxPending
    this.#topology = new Topology(transport)
  }

  async publish(publication: Publication): Promise<void> {
    const { mandatory = false, timeoutMs, signal } = publication
    const message = encodePublication(publication, this.#durable, this.#wire)
    await this.send(
      {
        message,
        title: titleOf(publication),
        subject: subjectOf(publication),
        mandatory,
        timeoutMs,
        signal,
      },
      { ...publication, confirm: publication.confirm ?? (mandatory || this.#durable) },
    )
  }

  /** Sends a message that is encoded already. @throws RpcError, ConfigError as `Connection.publish` */
  send(sending: Sending, route: Route): Promise<void> {
    const refusal = this.#refusal(sending, route)
    if (refusal !== undefined) return Promise.reject(refusal)
    return new Promise((resolve, reject) => {
      const pending = new PendingPublication(sending, this, resolve, reject)
      this.#pending.set(pending, route)
      pending.watch()
      if (pending.wanted) this.#route(pending, route)
    })
  }

  #refusal({ title, subject }: Sending, { confirm }: Route): RpcError | undefined {
    const refuse = (code: 'disconnected' | 'overloaded', reason: string) =>
      new RpcError(code, `${title} was not published: ${reason}`, subject)
    if (this.#closed) return refuse('disconnected', 'the connection is closed')
    if (this.#overloaded !== undefined) return refuse('overloaded', this.#overloaded)
    if (this.#pending.size >= this.#maxPending) {
      return refuse('overloaded', `${this.#maxPending} messages wait for the broker already`)
    }
    // What is confirmed waits for the broker to come back.
    if (!confirm && !this.#transport.up) return refuse('disconnected', this.outage ?? 'it is lost')
    return undefined
  }

  #route(pending: PendingPublication, route: Route): void {
    const ready = this.#topology.ready(route)
    if (ready === undefined) {
      this.#publish(pending, route.confirm)
      return
    }
    ready.then(
      () => {
        if (pending.wanted) this.#publish(pending, route.confirm)
      },
      (error: unknown) => pending.undeclared(error),
    )
  }

  #publish(pending: PendingPublication, confirm: boolean): void {
    const { message, mandatory } = pending.sending
    this.#transport.publish(message, { mandatory, confirm }, pending)
    // Nobody will confirm it: handing it over is all there is.
    if (!confirm) pending.confirmed()
  }

  /** From PublicationOwner. */
  get outage(): string | undefined {
    if (this.#transport.up) return undefined
    return `the connection to ${this.#transport.address} is lost and being tried again`
  }

  settled(pending: PendingPublication): void {
    this.#pending.delete(pending)
  }

  again(pending: PendingPublication): boolean {
    this.#topology.forget(pending.sending.message.exchange)
    const route = this.#pending.get(pending)
    if (route?.exchange === undefined || this.#repeated.has(pending)) return false
    this.#repeated.add(pending)
    this.#route(pending, route)
    return true
  }

  /** A returned message, if it was one of these. */
  returned(message: Message): boolean {
    for (const pending of this.#pending.keys()) {
      if (!pending.sending.mandatory || !isSame(pending.sending.message, message)) continue
      pending.returned()
      return true
    }
    return false
  }

  noExchange(name: string): void {
    this.#topology.forget(name)
  }

  restored(): void {
    this.#topology.restored()
  }

  /** The broker takes nothing; `undefined` when it does again. */
  overloaded(reason: string | undefined): void {
    this.#overloaded = reason
    if (reason === undefined) return
    for (const pending of [...this.#pending.keys()]) pending.fail('overloaded', reason)
  }

  close(): void {
    this.#closed = true
    this.#topology.close()
    for (const pending of [...this.#pending.keys()]) {
      pending.fail('disconnected', 'the connection was closed')
    }
  }
}

// Events have no id: the broker sends back the whole message, and of equal ones the first.
function isSame(sent: Message, returned: Message): boolean {
  return (
    sent.routingKey === returned.routingKey &&
    sent.exchange === returned.exchange &&
    sent.correlationId === returned.correlationId &&
    sent.body.equals(returned.body)
  )
}
