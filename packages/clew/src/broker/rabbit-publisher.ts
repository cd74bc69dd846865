import {
  BASIC_ACK,
  BASIC_NACK,
  BASIC_RETURN,
  contentHeaderBytes,
  LARGEST_CONTENT_HEADER,
  writePublish,
} from './amqp-frames.ts'
import { ContentAssembler } from './content-assembler.ts'
import type { Channel, ChannelReader, GuardedClient } from './frame-guard.ts'
import type { FrameReader } from './frame-reader.ts'
import type { Message } from './message.ts'
import type { PublishOptions, Receipt, TransportEvents } from './transport.ts'
import { Unconfirmed } from './unconfirmed.ts'

/** Unsent bytes beyond which nothing more is taken: the broker or the network does not keep up. */
const BACKLOG_BYTES = 64 * 1024 * 1024

/** A message that comes back unconfirmed so often is what closes the channel. */
const SENDINGS = 10

/** Messages that wait for a connection; from here on those not wanted any more are looked for. */
const PRUNED_FROM = 1024

const NO_EXCHANGE = /no exchange '(.*?)' in vhost/

interface Outgoing {
  readonly message: Message
  readonly mandatory: boolean
  readonly receipt: Receipt
  sendings: number
}

/**
 * Publishes over one connection: confirmed messages on a channel of their own, the others on another.
 * What was not confirmed when the connection was lost is sent again when it is back, in order.
 */
export class RabbitPublisher {
  readonly #events: TransportEvents
  readonly #maxMessageBytes: number
  #client: GuardedClient | undefined
  #confirming: ConfirmingChannel | undefined
  #plain: Channel | undefined
  /** In order, while there is no channel to send them on. */
  #waiting: Outgoing[] = []
  #pruneAt = PRUNED_FROM

  constructor(events: TransportEvents, maxMessageBytes: number) {
    this.#events = events
    this.#maxMessageBytes = maxMessageBytes
  }

  async prepare(client: GuardedClient): Promise<void> {
    client.onblocked = (reason) => this.#events.blocked(reason)
    client.onunblocked = () => this.#events.blocked(undefined)
    const plain = await client.answer(client.channel())
    const confirming = await client.answer(client.channel())
    await client.answer(confirming.confirmSelect())
    this.#usePlain(client, plain)
    this.#useConfirming(client, confirming)
  }

  ready(client: GuardedClient): void {
    this.#client = client
    this.#resend()
  }

  #usePlain(client: GuardedClient, channel: Channel): void {
    this.#plain = channel
    client.attach(channel, new ReturnReader(this.#events.returned))
    channel.onerror = (reason) => {
      if (this.#client !== client) return
      this.#plain = undefined
      this.#events.problem({ kind: 'channel_closed', message: reason })
      const missing = NO_EXCHANGE.exec(reason)?.[1]
      if (missing !== undefined) this.#events.noExchange?.(missing)
      void this.#reopen(client, async () =>
        this.#usePlain(client, await client.answer(client.channel())),
      )
    }
  }

  #useConfirming(client: GuardedClient, channel: Channel): void {
    const confirming = new ConfirmingChannel(channel, this.#events.returned)
    this.#confirming = confirming
    client.attach(channel, confirming)
    channel.onerror = (reason) => {
      // A lost connection closes its channels as well; that is `lost`'s business.
      if (this.#client !== client || this.#confirming !== confirming) return
      this.#confirming = undefined
      this.#events.problem({ kind: 'channel_closed', message: reason })
      this.#keep(confirming.outstanding(), reason)
      void this.#reopen(client, async () => {
        const next = await client.answer(client.channel())
        await client.answer(next.confirmSelect())
        this.#useConfirming(client, next)
        this.#resend()
      })
    }
  }

  async #reopen(client: GuardedClient, open: () => Promise<void>): Promise<void> {
    try {
      await open()
    } catch (error) {
      // Without its channels the connection is of no use: a new one gets new channels.
      const reason = error instanceof Error ? error.message : String(error)
      client.abandon(`a channel could not be opened again: ${reason}`)
    }
  }

  /** The connection is lost. */
  lost(reason: string): void {
    const outstanding = this.#confirming?.outstanding() ?? []
    this.#client = undefined
    this.#confirming = undefined
    this.#plain = undefined
    this.#keep(outstanding, reason)
    this.#events.blocked(undefined)
  }

  #keep(unconfirmed: readonly Outgoing[], reason: string): void {
    const again: Outgoing[] = []
    // One message to an exchange that is not there closes the channel of all the others.
    const missing = NO_EXCHANGE.exec(reason)?.[1]
    for (const outgoing of unconfirmed) {
      if (missing !== undefined) outgoing.sendings--
      if (outgoing.message.exchange === missing) outgoing.receipt.failed('no_exchange', reason)
      else if (!outgoing.receipt.wanted) outgoing.receipt.failed('lost', reason)
      else if (outgoing.sendings >= SENDINGS) outgoing.receipt.failed('refused', reason)
      else again.push(outgoing)
    }
    this.#waiting = again.concat(this.#waiting)
  }

  #resend(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const outgoing of waiting) {
      if (outgoing.receipt.wanted) this.#send(outgoing)
      else outgoing.receipt.failed('lost', 'nobody waited for it any more')
    }
  }

  publish(message: Message, { mandatory, confirm }: PublishOptions, receipt: Receipt): void {
    const oversize = this.#oversize(message)
    if (oversize !== undefined) {
      receipt.failed('oversize', oversize)
    } else if (this.#client !== undefined && this.#client.backlog > BACKLOG_BYTES) {
      receipt.failed('refused', `${this.#client.backlog} bytes wait to be sent already`)
    } else if (confirm) {
      this.#send({ message, mandatory, receipt, sendings: 0 })
    } else if (this.#client === undefined || this.#plain === undefined) {
      receipt.failed('lost', 'the connection is lost')
    } else {
      const { frameMax } = this.#client
      writePublish(this.#client, this.#plain.id, message, mandatory, frameMax)
    }
  }

  #oversize(message: Message): string | undefined {
    const { length } = message.body
    if (length > this.#maxMessageBytes) {
      return `its body of ${length} bytes is larger than the broker takes (${this.#maxMessageBytes})`
    }
    const headerBytes = contentHeaderBytes(message)
    const limit = this.#client?.frameMax ?? LARGEST_CONTENT_HEADER
    if (headerBytes > limit) {
      return `its headers need ${headerBytes} bytes, more than fit into a frame (${limit})`
    }
    return undefined
  }

  #send(outgoing: Outgoing): void {
    const { receipt } = outgoing
    if (this.#client !== undefined && this.#confirming !== undefined) {
      outgoing.sendings++
      this.#confirming.publish(this.#client, outgoing)
    } else if (receipt.wanted) {
      this.#waiting.push(outgoing)
      if (this.#waiting.length >= this.#pruneAt) this.#prune()
    } else {
      receipt.failed('lost', 'the connection is lost')
    }
  }

  // In a long outage those who stop waiting must not add up.
  #prune(): void {
    const [wanted, unwanted] = [[] as Outgoing[], [] as Outgoing[]]
    for (const each of this.#waiting) (each.receipt.wanted ? wanted : unwanted).push(each)
    this.#waiting = wanted
    this.#pruneAt = Math.max(PRUNED_FROM, wanted.length * 2)
    for (const { receipt } of unwanted) receipt.failed('lost', 'nobody waited for it any more')
  }

  /** Fails what still waits; nothing will be sent any more. */
  close(): void {
    const unsent = (this.#confirming?.outstanding() ?? []).concat(this.#waiting)
    this.#client = undefined
    this.#confirming = undefined
    this.#plain = undefined
    this.#waiting = []
    for (const { receipt } of unsent) receipt.failed('lost', 'the connection is closed')
  }
}

/** Reads what the broker could not route. */
class ReturnReader implements ChannelReader {
  readonly #assembler: ContentAssembler

  constructor(returned: (message: Message) => void) {
    this.#assembler = new ContentAssembler((message) => {
      if (message !== undefined) returned(message)
    })
  }

  method(method: number, reader: FrameReader): void {
    if (method !== BASIC_RETURN) return
    reader.skip(2)
    reader.skipShort()
    const exchange = reader.short()
    const routingKey = reader.short()
    this.#assembler.begin({ exchange, routingKey, redelivered: false, tag: 0 })
  }

  header(reader: FrameReader): void {
    this.#assembler.header(reader)
  }

  body(bytes: Buffer, start: number, end: number): void {
    this.#assembler.body(bytes, start, end)
  }
}

/** A channel in confirm mode: knows which publishes the broker has not spoken about yet. */
class ConfirmingChannel extends ReturnReader {
  readonly #channel: Channel
  readonly #unconfirmed = new Unconfirmed<Outgoing>()

  constructor(channel: Channel, returned: (message: Message) => void) {
    super(returned)
    this.#channel = channel
  }

  publish(client: GuardedClient, outgoing: Outgoing): void {
    this.#unconfirmed.add(outgoing)
    const { message, mandatory } = outgoing
    writePublish(client, this.#channel.id, message, mandatory, client.frameMax)
  }

  override method(method: number, reader: FrameReader): void {
    if (method !== BASIC_ACK && method !== BASIC_NACK) {
      super.method(method, reader)
      return
    }
    const tag = reader.tag()
    const multiple = (reader.octet() & 1) === 1
    if (!multiple) {
      const outgoing = this.#unconfirmed.take(tag)
      if (outgoing !== undefined) settle(outgoing, method)
      return
    }
    for (const outgoing of this.#unconfirmed.takeUpTo(tag)) settle(outgoing, method)
  }

  /** Takes what is unconfirmed, in order. */
  outstanding(): Outgoing[] {
    return this.#unconfirmed.takeUpTo(Number.POSITIVE_INFINITY)
  }
}

function settle({ receipt }: Outgoing, method: number): void {
  if (method === BASIC_ACK) receipt.confirmed()
  else receipt.failed('refused', 'the broker refused it')
}
