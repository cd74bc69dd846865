// RPC written by hand on Nameko's topology, with the guarantees of Clew's delivery `fast`: transient
// messages, no confirms, a request is acknowledged when its reply is handed over, and one that finds
// no queue fails at once.
import { randomUUID } from 'node:crypto'
import { connect } from 'amqplib'

const EXCHANGE = 'nameko-rpc'
const SOCKET = { noDelay: true }
/** As many as Clew's service takes at a time by default. */
const PREFETCH = 100

export async function serve({ url, service, hello }) {
  const connection = await connect(url, SOCKET)
  const channel = await connection.createChannel()
  await channel.assertExchange(EXCHANGE, 'topic', { durable: true })
  const { queue } = await channel.assertQueue(`rpc-${service}`, { durable: true })
  await channel.bindQueue(queue, EXCHANGE, `${service}.*`)
  await channel.prefetch(PREFETCH)
  await channel.consume(queue, async (request) => {
    const { args } = JSON.parse(request.content.toString())
    const result = await hello(...args)
    const { replyTo, correlationId } = request.properties
    const body = Buffer.from(JSON.stringify({ result, error: null }))
    channel.publish(EXCHANGE, replyTo, body, {
      contentType: 'application/json',
      correlationId,
      mandatory: true,
    })
    channel.ack(request)
  })
  return { close: () => connection.close() }
}

export async function open({ url, service }) {
  const connection = await connect(url, SOCKET)
  const channel = await connection.createChannel()
  await channel.assertExchange(EXCHANGE, 'topic', { durable: true })
  const replyTo = randomUUID()
  const { queue } = await channel.assertQueue(`rpc.reply-${replyTo}`, {
    durable: false,
    exclusive: true,
    autoDelete: true,
  })
  await channel.bindQueue(queue, EXCHANGE, replyTo)
  const waiting = new Map()
  let sent = 0
  const settle = ({ correlationId }) => {
    const pending = waiting.get(correlationId)
    waiting.delete(correlationId)
    return pending
  }
  channel.on('return', ({ properties }) => settle(properties)?.reject(new Error('no such service')))
  const onReply = ({ properties, content }) => {
    const { result, error } = JSON.parse(content.toString())
    const pending = settle(properties)
    if (error === null) pending?.resolve(result)
    else pending?.reject(new Error(error.value))
  }
  await channel.consume(queue, onReply, { noAck: true })
  return {
    hello(name) {
      const pending = Promise.withResolvers()
      const correlationId = String(++sent)
      waiting.set(correlationId, pending)
      const body = Buffer.from(JSON.stringify({ args: [name], kwargs: {} }))
      channel.publish(EXCHANGE, `${service}.hello`, body, {
        contentType: 'application/json',
        correlationId,
        replyTo,
        mandatory: true,
      })
      return pending.promise
    },
    close: () => connection.close(),
  }
}
