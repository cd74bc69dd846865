import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { newHalfId } from '../call/index.ts'
import { BLOCKED, behind, deleteQueue, direct, line, UNBLOCKED } from './contract/line.ts'
import { collect, exchange, privateQueue, publication } from './contract/publishing.ts'

const url = process.env.CLEW_AMQP_URL
const skip = url === undefined && 'needs RabbitMQ: set CLEW_AMQP_URL, or run `npm test`'

/** Lives as long as somebody uses it, or a minute. */
function lastingQueue() {
  return { name: `test-${newHalfId()}`, arguments: { 'x-expires': 60_000 } }
}

const numbersTo = (count: number) => Array.from({ length: count }, (_, number) => number)

describe('rabbitmq, messages over lost connections', { skip }, () => {
  it('are sent when the connection is back, exchanges and queues declared before', async (t) => {
    const { proxy, connection, told } = await line(t)
    const events = exchange('topic')
    const queue = { ...lastingQueue(), exchange: events, bindingKey: '#' }
    const { until } = await collect(await direct(t), queue)
    proxy.reset()
    await told('disconnected')
    const fields = { exchange: events, routingKey: 'a', queues: [queue] }
    await Promise.all(
      numbersTo(20).map((payload) => connection.publish(publication({ ...fields, payload }))),
    )
    const arrivals = await until(20)
    assert.deepEqual(new Set(arrivals.map(({ payload }) => payload)), new Set(numbersTo(20)))
  })

  it('time out or are cancelled while it is away, and say so', async (t) => {
    const { proxy, connection, told } = await line(t)
    await proxy[Symbol.asyncDispose]()
    await told('disconnected')
    const known = publication({ routingKey: 'q', timeoutMs: 200 })
    const events = { exchange: exchange('topic'), timeoutMs: 200 }
    for (const late of [known, publication({ routingKey: 'q', ...events })]) {
      await assert.rejects(connection.publish(late), {
        code: 'timeout',
        message: /did not confirm it within 200 ms: the connection to amqp:.* is lost/,
      })
    }
    const giveUp = new AbortController()
    const pending = connection.publish({ ...known, timeoutMs: 60_000, signal: giveUp.signal })
    giveUp.abort()
    await assert.rejects(pending, { code: 'cancelled' })
    await assert.rejects(connection.publish({ ...known, confirm: false }), {
      code: 'disconnected',
    })
  })

  it('are all there once they are confirmed, wherever in the stream the line breaks', async (t) => {
    const { proxy, connection } = await line(t)
    const queue = lastingQueue()
    const consumer = await line(t)
    const arrived = new Set<unknown>()
    const failed = new Set<unknown>()
    // Every message fails at first, so that those that wait for another try are broken off as well.
    const retry = { backoffMs: 10, maxBackoffMs: 10 }
    await consumer.connection.consume({ queue, prefetch: 5, retry }, async ({ payload }) => {
      if (!failed.has(payload)) {
        failed.add(payload)
        return { settle: 'retry', reason: 'at first' }
      }
      arrived.add(payload)
      return 'done'
    })
    const rounds = 8
    for (let round = 0; round < rounds; round++) {
      // Odd numbers of bytes: most of them within some frame of some message.
      proxy.resetAfter(211 + round * 1733)
      consumer.proxy.resetAfter(97 + round * 2111)
      const payloads = numbersTo(30).map((number) => `${round}-${number}`)
      await Promise.all(
        payloads.map((payload) =>
          connection.publish(publication({ routingKey: queue.name, payload, timeoutMs: 60_000 })),
        ),
      )
    }
    while (arrived.size < rounds * 30) await new Promise((resolve) => setTimeout(resolve, 20))
    assert.ok(proxy.accepted > 4 && consumer.proxy.accepted > 4, 'the lines were never broken')
  })

  it('are consumed again when the connection is back, those unsettled once more', async (t) => {
    const { proxy, connection, told } = await line(t)
    const sender = await direct(t)
    const queue = lastingQueue()
    const seen: [unknown, boolean][] = []
    const first = Promise.withResolvers<void>()
    const passed = Promise.withResolvers<void>()
    await connection.consume({ queue, prefetch: 1 }, async ({ payload, redelivered }) => {
      seen.push([payload, redelivered])
      first.resolve()
      await passed.promise
      return 'done'
    })
    await sender.publish(publication({ routingKey: queue.name, payload: 'one' }))
    await first.promise
    proxy.reset()
    await told('disconnected')
    passed.resolve()
    await sender.publish(publication({ routingKey: queue.name, payload: 'two' }))
    while (seen.length < 3) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.deepEqual(seen, [
      ['one', false],
      ['one', true],
      ['two', false],
    ])
  })

  it('reach a queue of one’s own by its name again', async (t) => {
    const { proxy, connection, told } = await line(t)
    const queue = privateQueue()
    const { arrivals } = await collect(connection, queue)
    const sender = await direct(t)
    proxy.reset()
    await told('disconnected')
    // What is sent before the broker knows that the owner is gone goes with its queue.
    while (arrivals.length === 0) {
      await sender.publish(publication({ routingKey: queue.name, payload: 'back' }))
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
    assert.equal(arrivals[0]!.payload, 'back')
  })

  it('come from a queue that was deleted and declared again', async (t) => {
    const { connection, told } = await line(t)
    const queue = lastingQueue()
    const { until } = await collect(connection, queue)
    await deleteQueue(queue.name)
    await told('consumer_lost')
    for (;;) {
      const fields = { routingKey: queue.name, payload: 'again', mandatory: true }
      const failed = await connection.publish(publication(fields)).catch((error: Error) => error)
      if (failed === undefined) break
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    assert.equal((await until(1))[0]!.payload, 'again')
  })
})

describe('rabbitmq, a consumer that stops while it comes back', { skip }, () => {
  it('takes nothing any more, though what it took before is still being worked on', async (t) => {
    const { connection, told } = await line(t)
    const sender = await direct(t)
    const queue = lastingQueue()
    const gate = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const consumer = await connection.consume({ queue, prefetch: 1 }, async () => {
      begun.resolve()
      await gate.promise
      return 'done'
    })
    const send = (payload: number) =>
      sender.publish(publication({ routingKey: queue.name, payload }))
    await send(0)
    await begun.promise
    await deleteQueue(queue.name)
    await told('consumer_lost')
    const stopping = consumer.stop()
    const { arrivals, until } = await collect(await direct(t), queue)
    for (const payload of numbersTo(20)) {
      await send(payload)
      await until(payload + 1)
    }
    // What another consumer had given back would be marked.
    assert.deepEqual(
      arrivals.map(({ redelivered }) => redelivered),
      numbersTo(20).map(() => false),
    )
    gate.resolve()
    await stopping
  })
})

describe('rabbitmq, exchanges that go', { skip }, () => {
  it('fail no message but their own, and are declared again', async (t) => {
    const { connection, problems } = await line(t)
    const queue = privateQueue()
    const { until } = await collect(connection, queue)
    const [kept, found] = [exchange('topic'), exchange('topic')].map((one) => ({
      ...one,
      autoDelete: false,
    }))
    await behind((channel) => channel.exchangeDeclare(found!.name, 'topic', { durable: false }))
    const toKept = publication({ exchange: kept, routingKey: 'a' })
    const toFound = publication({ exchange: found, declare: false, routingKey: 'a' })
    await Promise.all([connection.publish(toKept), connection.publish(toFound)])
    for (const name of [kept!.name, found!.name]) {
      await behind((channel) => channel.exchangeDelete(name))
    }
    const sent = numbersTo(30).map((payload) =>
      connection.publish(publication({ routingKey: queue.name, payload })),
    )
    const outcomes = await Promise.allSettled([
      connection.publish(toKept),
      connection.publish(toFound),
      ...sent,
    ])
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', ...sent.map(() => 'fulfilled')],
    )
    assert.match(String((outcomes[1] as PromiseRejectedResult).reason), /there is no exchange/)
    const arrivals = await until(30)
    assert.equal(new Set(arrivals.map(({ payload }) => payload)).size, 30)
    assert.deepEqual(new Set(problems.map(({ kind }) => kind)), new Set(['channel_closed']))
    await behind((channel) => channel.exchangeDelete(kept!.name))
  })

  it('do not keep the connection away when another has their name', async (t) => {
    const { proxy, connection, told } = await line(t)
    const events = { ...exchange('topic'), autoDelete: false }
    await connection.publish(publication({ exchange: events, routingKey: 'a' }))
    await behind(async (channel) => {
      await channel.exchangeDelete(events.name)
      await channel.exchangeDeclare(events.name, 'fanout', { durable: false })
    })
    proxy.reset()
    await told('exchange_lost')
    const queue = privateQueue()
    const { until } = await collect(connection, queue)
    await connection.publish(publication({ routingKey: queue.name, payload: 'back' }))
    assert.equal((await until(1))[0]!.payload, 'back')
    await assert.rejects(connection.publish(publication({ exchange: events, routingKey: 'a' })), {
      name: 'ConfigError',
    })
    await behind((channel) => channel.exchangeDelete(events.name))
  })
})

describe('rabbitmq, messages to a broker that takes nothing', { skip }, () => {
  it('fail as overloaded after a grace, and go again afterwards', async (t) => {
    const { proxy, connection, told } = await line(t)
    const queue = lastingQueue()
    const { until } = await collect(connection, queue)
    proxy.inject(BLOCKED)
    proxy.silent = true
    await told('blocked')
    for (let round = 0; round < 2; round++) {
      await assert.rejects(connection.publish(publication({ routingKey: queue.name })), {
        code: 'overloaded',
        message: /low memory/,
      })
    }
    proxy.silent = false
    proxy.inject(UNBLOCKED)
    // Messages were lost in the silence, which the broker counts on its side of the line.
    proxy.reset()
    const back = publication({ routingKey: queue.name, payload: 'back', timeoutMs: 2000 })
    while ((await connection.publish(back).catch((error: Error) => error)) !== undefined) {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    assert.equal((await until(1))[0]!.payload, 'back')
  })
})
