import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type Arrival, ConfigError, newHalfId, type Settlement } from '../../call/index.ts'
import { type Connect, headers } from './fixtures.ts'
import { collect, exchange, privateQueue, publication } from './publishing.ts'
import type { RawPeer } from './raw-peer.ts'

export function consumingTests(connect: Connect, peer: () => Promise<RawPeer>): void {
  it('hands out no more than asked for, and acknowledges what is settled', async (t) => {
    const connection = await connect(t)
    const queue = privateQueue()
    let open = 0
    let most = 0
    let handled = 0
    const all = Promise.withResolvers<void>()
    await connection.consume({ queue, prefetch: 3 }, async () => {
      most = Math.max(most, ++open)
      await new Promise((resolve) => setTimeout(resolve, 1))
      open--
      if (++handled === 30) all.resolve()
      return 'done'
    })
    const send = () => connection.publish(publication({ routingKey: queue.name }))
    await Promise.all(Array.from({ length: 30 }, send))
    await all.promise
    assert.equal(most, 3)
  })

  it('shares a queue between consumers', async (t) => {
    const [one, other] = [await connect(t), await connect(t)]
    const queue = privateQueue({ exclusive: false, autoDelete: true })
    const collected = [await collect(one, queue), await collect(other, queue)]
    for (let sent = 0; sent < 20; sent++) {
      await one.publish(publication({ routingKey: queue.name, payload: sent, confirm: true }))
    }
    const count = () => collected[0]!.arrivals.length + collected[1]!.arrivals.length
    const deadline = Date.now() + 5000
    while (count() < 20 && Date.now() < deadline) await new Promise((r) => setTimeout(r, 5))
    assert.equal(count(), 20)
    assert.ok(collected.every(({ arrivals }) => arrivals.length > 0))
  })

  it('delivers again, and says so, what was left unsettled', async (t) => {
    const dying = await connect(t)
    const heir = await connect(t)
    const queue = privateQueue({ exclusive: false })
    const taken = Promise.withResolvers<void>()
    await dying.consume({ queue, prefetch: 1 }, () => {
      taken.resolve()
      return new Promise<Settlement>(() => {})
    })
    await heir.publish(publication({ routingKey: queue.name, payload: 'mine', confirm: true }))
    await taken.promise
    const { until, consumer } = await collect(heir, queue)
    await dying.close()
    const [arrival] = await until(1)
    assert.deepEqual([arrival!.payload, arrival!.redelivered, arrival!.attempt], ['mine', true, 1])
    await consumer.stop()
  })

  it('keeps no more than a queue may hold, the newest', async (t) => {
    const connection = await connect(t)
    const queue = privateQueue({ arguments: { 'x-max-length': 2 } })
    const seen: unknown[] = []
    const first = Promise.withResolvers<Settlement>()
    await connection.consume({ queue, prefetch: 1 }, async ({ payload }) => {
      seen.push(payload)
      return seen.length === 1 ? first.promise : 'done'
    })
    const send = (payload: number) =>
      connection.publish(publication({ routingKey: queue.name, payload, confirm: true }))
    await send(1)
    while (seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 2))
    for (const payload of [2, 3, 4, 5]) await send(payload)
    first.resolve('done')
    while (seen.length < 3) await new Promise((resolve) => setTimeout(resolve, 2))
    assert.deepEqual(seen, [1, 4, 5])
  })

  it('stops when what it took is settled, and takes nothing more', async (t) => {
    const connection = await connect(t)
    const queue = privateQueue({ exclusive: false })
    const taken = Promise.withResolvers<void>()
    const settled = Promise.withResolvers<Settlement>()
    const consumer = await connection.consume({ queue, prefetch: 1 }, () => {
      taken.resolve()
      return settled.promise
    })
    for (const payload of ['first', 'second']) {
      await connection.publish(publication({ routingKey: queue.name, payload, confirm: true }))
    }
    await taken.promise
    let stopped = false
    const stopping = consumer.stop().then(() => {
      stopped = true
    })
    await new Promise((resolve) => setTimeout(resolve, 30))
    assert.equal(stopped, false)
    settled.resolve('done')
    await stopping
    const { until } = await collect(connection, queue)
    const [arrival] = await until(1)
    assert.equal(arrival!.payload, 'second')
  })

  it('hands on what cannot be read, with the reason', async (t) => {
    const connection = await connect(t)
    await using raw = await peer()
    const queue = privateQueue()
    const { until } = await collect(connection, queue)
    const send = (fields: Parameters<RawPeer['send']>[0]) =>
      raw.send({ exchange: '', routingKey: queue.name, ...fields })
    send({ body: Buffer.from('{"cut') })
    send({ body: Buffer.from('{}'), contentType: 'application/x-python-serialize' })
    send({ body: Buffer.from([0xff, 0xfe]) })
    send({ body: Buffer.from('7'), contentType: '', contentEncoding: '', headers: undefined })
    const arrivals = await until(4)
    const texts = arrivals.map(({ unreadable }) => unreadable?.message)
    assert.match(texts[0]!, /JSON/)
    assert.match(texts[1]!, /content type is application\/x-python-serialize/)
    assert.match(texts[2]!, /UTF-8/)
    assert.deepEqual(
      [texts[3], arrivals[3]!.payload, arrivals[3]!.correlationId],
      [undefined, 7, ''],
    )
  })

  it('refuses a queue that exists with other properties, or is somebody’s own', async (t) => {
    const [one, other] = [await connect(t), await connect(t)]
    const shared = privateQueue({ exclusive: false, autoDelete: true })
    await collect(one, shared)
    const refusals: readonly [Parameters<typeof collect>[1], RegExp][] = [
      [{ ...shared, durable: true }, /exists with other properties/],
      [{ ...shared, autoDelete: false }, /exists with other properties/],
      [{ ...shared, arguments: { 'x-max-length': 5 } }, /exists with other properties/],
    ]
    for (const [queue, text] of refusals) {
      await assert.rejects(
        collect(other, queue),
        (error: unknown) => error instanceof ConfigError && text.test(error.message),
      )
    }
    const owned = privateQueue()
    await collect(one, owned)
    await assert.rejects(
      collect(other, owned),
      (error: unknown) =>
        error instanceof ConfigError && /exclusive to another/.test(error.message),
    )
    const events = exchange('topic')
    await collect(one, privateQueue({ exchange: events, bindingKey: '#' }))
    const bound = privateQueue({ exchange: { ...events, type: 'fanout' } })
    await assert.rejects(collect(other, bound), ConfigError)
    const foreign = { exchange: exchange('topic'), declareExchange: false }
    await assert.rejects(
      collect(other, privateQueue(foreign)),
      (error: unknown) =>
        error instanceof ConfigError && /exchange is not there/.test(error.message),
    )
    await collect(other, privateQueue({ exchange: events, declareExchange: false }))
    await collect(other, privateQueue({ exchange: events, bindingKey: '#' }))
  })

  it('refuses what no queue can be', async (t) => {
    const connection = await connect(t)
    const queue = privateQueue()
    const take = async () => 'done' as const
    const bad: readonly [Parameters<typeof connection.consume>[0], RegExp][] = [
      [{ queue, prefetch: -1 }, /prefetch must be/],
      [{ queue, prefetch: 70_000 }, /prefetch must be/],
      [{ queue: { ...queue, name: '' }, prefetch: 1 }, /needs a name/],
      [{ queue: { ...queue, name: 'q'.repeat(250) }, prefetch: 1 }, /is too long/],
      [{ queue: { ...queue, arguments: { 'x-expires': 2 ** 31 } }, prefetch: 1 }, /32 bits/],
      [{ queue, prefetch: 1, retry: { backoffMs: 0 } }, /retry.backoffMs must be/],
      [{ queue, prefetch: 1, retry: { maxAttempts: 0 } }, /retry.maxAttempts must be/],
    ]
    for (const [subscription, text] of bad) {
      await assert.rejects(
        connection.consume(subscription, take),
        (error: unknown) => error instanceof ConfigError && text.test(error.message),
      )
    }
    await connection.close()
    await assert.rejects(connection.consume({ queue, prefetch: 1 }, take), {
      code: 'disconnected',
    })
  })

  it('hands on the context of Nameko, and no header that is about the way', async (t) => {
    const connection = await connect(t)
    const queue = privateQueue()
    const arrived = Promise.withResolvers<Arrival>()
    await connection.consume({ queue, prefetch: 1 }, async (arrival) => {
      arrived.resolve(arrival)
      return 'done'
    })
    const onTheWay = { 'x-death': ['a'], 'clew-attempt': 'seven', 'nameko.clew-reason': 'x' }
    await connection.publish(
      publication({
        routingKey: queue.name,
        headers: headers({ ...onTheWay, traceparent: 'tp' }),
        context: headers({ call_id_stack: ['a.b.1'], language: 'de' }),
      }),
    )
    const { context, attempt } = await arrived.promise
    assert.deepEqual(
      { ...context },
      { traceparent: 'tp', call_id_stack: ['a.b.1'], language: 'de' },
    )
    assert.equal(attempt, 1)
  })

  it('keeps names apart that only look alike', async (t) => {
    const connection = await connect(t)
    const name = `test-${newHalfId()}`
    const [short, long] = [privateQueue({ name }), privateQueue({ name: `${name}.a` })]
    const collected = [await collect(connection, short), await collect(connection, long)]
    await connection.publish(publication({ routingKey: long.name, payload: 2, confirm: true }))
    await connection.publish(publication({ routingKey: short.name, payload: 1, confirm: true }))
    assert.equal((await collected[0]!.until(1))[0]!.payload, 1)
    assert.equal((await collected[1]!.until(1))[0]!.payload, 2)
  })
}
