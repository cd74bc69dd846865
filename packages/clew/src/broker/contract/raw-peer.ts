import type { Message } from '../message.ts'
import type { Queue, Transport } from '../transport.ts'

/** A peer without manners: sends and receives bare messages. */
export interface RawPeer extends AsyncDisposable {
  send(message: Partial<Message>): void
  /** Messages to a routing key of the RPC exchange, as they come. */
  listen(bindingKey: string, take: (message: Message) => void): Promise<void>
  /** Messages of any queue, as they come. */
  take(queue: Queue, take: (message: Message) => void): Promise<void>
}

const RPC_EXCHANGE = 'nameko-rpc'

export const RAW_MESSAGE: Message = {
  exchange: RPC_EXCHANGE,
  routingKey: '',
  contentType: 'application/json',
  contentEncoding: 'utf-8',
  headers: Buffer.alloc(0),
  deliveryMode: 1,
  priority: 0,
  correlationId: '',
  replyTo: '',
  expiration: '',
  redelivered: false,
  body: Buffer.alloc(0),
}

export function rawPeer(transport: Transport): RawPeer {
  const listenTo = async (queue: Queue, take: (message: Message) => void) => {
    await transport.consume(queue, {
      prefetch: 0,
      acknowledge: 'never',
      take: ({ message }) => take(message),
    })
  }
  return {
    send(message) {
      const receipt = { wanted: false, confirmed() {}, failed() {} }
      transport.publish(
        { ...RAW_MESSAGE, ...message },
        { mandatory: false, confirm: false },
        receipt,
      )
    },
    async listen(bindingKey, take) {
      const exchange = { name: RPC_EXCHANGE, type: 'topic' } as const
      const own = { durable: false, exclusive: true, autoDelete: true }
      await listenTo({ name: `raw-${bindingKey}`, ...own, exchange, bindingKey }, take)
    },
    take: listenTo,
    [Symbol.asyncDispose]: () => transport.close(),
  }
}
