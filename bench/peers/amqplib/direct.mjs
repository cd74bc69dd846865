// RPC written by hand as RabbitMQ's tutorial for speed would have it: a queue of its own without an
// exchange, replies by direct reply-to, which costs no queue. Transient messages, no confirms; a
// request is acknowledged when its reply is handed over.
import { connect } from 'amqplib'

const SOCKET = { noDelay: true }
const PREFETCH = 100
const DIRECT = 'amq.rabbitmq.reply-to'

export async function serve({ url, service, hello }) {
  const connection = await connect(url, SOCKET)
  const channel = await connection.createChannel()
  const { queue } = await channel.assertQueue(service, { durable: true })
  await channel.prefetch(PREFETCH)
  await channel.consume(queue, async (request) => {
    const { args } = JSON.parse(request.content.toString())
    const result = await hello(...args)
    const { replyTo, correlationId } = request.properties
    const body = Buffer.from(JSON.stringify({ result, error: null }))
    channel.sendToQueue(replyTo, body, { contentType: 'application/json', correlationId })
    channel.ack(request)
  })
  return { close: () => connection.close() }
}

export async function open({ url, service }) {
  const connection = await connect(url, SOCKET)
  const channel = await connection.createChannel()
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
  await channel.consume(DIRECT, onReply, { noAck: true })
  return {
    hello(name) {
      const pending = Promise.withResolvers()
      const correlationId = String(++sent)
      waiting.set(correlationId, pending)
      const body = Buffer.from(JSON.stringify({ args: [name], kwargs: {} }))
      channel.sendToQueue(service, body, {
        contentType: 'application/json',
        correlationId,
        replyTo: DIRECT,
        mandatory: true,
      })
      return pending.promise
    },
    close: () => connection.close(),
  }
}
