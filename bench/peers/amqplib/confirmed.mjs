// RPC written by hand on Nameko's topology, with Nameko's guarantees: persistent messages in durable
// queues, each confirmed by the broker; a request is acknowledged when the broker has its reply.
import { randomUUID } from 'node:crypto'
import { connect } from 'amqplib'

const EXCHANGE = 'nameko-rpc'
const SOCKET = { noDelay: true }
const PREFETCH = 100

export async function serve({ url, service, hello }) {
  const connection = await connect(url, SOCKET)
  const channel = await connection.createConfirmChannel()
  await channel.assertExchange(EXCHANGE, 'topic', { durable: true })
  const { queue } = await channel.assertQueue(`rpc-${service}`, { durable: true })
  await channel.bindQueue(queue, EXCHANGE, `${service}.*`)
  await channel.prefetch(PREFETCH)
  await channel.consume(queue, async (request) => {
    const { args } = JSON.parse(request.content.toString())
    const result = await hello(...args)
    const { replyTo, correlationId } = request.properties
    const body = Buffer.from(JSON.stringify({ result, error: null }))
    const properties = { contentType: 'application/json', correlationId, persistent: true }
    channel.publish(EXCHANGE, replyTo, body, properties, (refused) => {
      if (refused) channel.nack(request)
      else channel.ack(request)
    })
  })
  return { close: () => connection.close() }
}

export async function open({ url, service }) {
  const connection = await connect(url, SOCKET)
  const channel = await connection.createConfirmChannel()
  await channel.assertExchange(EXCHANGE, 'topic', { durable: true })
  const replyTo = randomUUID()
  // As Nameko declares it: it outlives a lost connection for five minutes.
  const { queue } = await channel.assertQueue(`rpc.reply-${replyTo}`, {
    durable: true,
    expires: 300_000,
  })
  await channel.bindQueue(queue, EXCHANGE, replyTo)
  const waiting = new Map()
  let sent = 0
  const settle = (correlationId) => {
    const pending = waiting.get(correlationId)
    waiting.delete(correlationId)
    return pending
  }
  channel.on('return', ({ properties }) =>
    settle(properties.correlationId)?.reject(new Error('no such service')),
  )
  await channel.consume(queue, (reply) => {
    const { result, error } = JSON.parse(reply.content.toString())
    const pending = settle(reply.properties.correlationId)
    if (error === null) pending?.resolve(result)
    else pending?.reject(new Error(error.value))
    channel.ack(reply)
  })
  return {
    hello(name) {
      const pending = Promise.withResolvers()
      const correlationId = String(++sent)
      waiting.set(correlationId, pending)
      const body = Buffer.from(JSON.stringify({ args: [name], kwargs: {} }))
      const properties = {
        contentType: 'application/json',
        correlationId,
        replyTo,
        persistent: true,
        mandatory: true,
      }
      channel.publish(EXCHANGE, `${service}.hello`, body, properties, (refused) => {
        if (refused) settle(correlationId)?.reject(refused)
      })
      return pending.promise
    },
    close: () => connection.close(),
  }
}
