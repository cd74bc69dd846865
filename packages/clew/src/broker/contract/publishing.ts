import assert from 'node:assert/strict'
import { it } from 'node:test'
import {
  type Arrival,
  ConfigError,
  type Connection,
  type Delivery,
  type ExchangeDeclaration,
  newHalfId,
  type Publication,
  type QueueDeclaration,
  RpcError,
} from '../../call/index.ts'
import { type Connect, headers } from './fixtures.ts'

/** A message to a routing key, with what a test does not care about. */
export function publication(fields: Partial<Publication> & { readonly routingKey: string }) {
  return { exchange: undefined, payload: 1, context: headers(), timeoutMs: 10_000, ...fields }
}

/** A queue that is gone with its connection. */
export function privateQueue(fields: Partial<QueueDeclaration> = {}): QueueDeclaration {
  return { name: `test-${newHalfId()}`, durable: false, exclusive: true, ...fields }
}

export function exchange(type: ExchangeDeclaration['type']): ExchangeDeclaration {
  return { name: `test_${newHalfId()}.events`, type, durable: false, autoDelete: true }
}

/** Everything that arrives in a queue, in order; all of it done with. */
export async function collect(connection: Connection, queue: QueueDeclaration) {
  const arrivals: Arrival[] = []
  let changed = Promise.withResolvers<void>()
  const consumer = await connection.consume({ queue, prefetch: 100 }, async (arrival) => {
    arrivals.push(arrival)
    changed.resolve()
    changed = Promise.withResolvers()
    return 'done'
  })
  /** Resolves when so many have come. */
  const until = async (count: number): Promise<readonly Arrival[]> => {
    while (arrivals.length < count) await changed.promise
    return arrivals
  }
  return { arrivals, consumer, until }
}

const payloads = (arrivals: readonly Arrival[]) => arrivals.map(({ payload }) => payload)

const refused = (code: string, text: RegExp) => (error: unknown) =>
  error instanceof RpcError && error.code === code && text.test(error.message)

export function publishingTests(connect: Connect, delivery: Delivery): void {
  it('publishes to a queue by its name', async (t) => {
    const connection = await connect(t)
    const queue = privateQueue()
    const { until } = await collect(connection, queue)
    const payload = { text: 'é', list: [1, null, true] }
    await connection.publish(
      publication({
        routingKey: queue.name,
        payload,
        context: headers({ user_id: '7', nothing: null }),
        headers: headers({ 'x-raw': 5 }),
        correlationId: 'an-id',
      }),
    )
    const [arrival] = await until(1)
    assert.deepEqual(arrival, {
      exchange: '',
      routingKey: queue.name,
      payload,
      unreadable: undefined,
      context: headers({ 'x-raw': 5, user_id: '7' }),
      headers: headers({ 'x-raw': 5 }),
      correlationId: 'an-id',
      redelivered: false,
      attempt: 1,
    })
  })

  it('routes by topics, words and wildcards', async (t) => {
    const connection = await connect(t)
    const events = exchange('topic')
    const keys = ['a', 'a.b', 'a.b.c', 'b', 'a.c', '', 'a..c']
    const patterns: Record<string, readonly string[]> = {
      a: ['a'],
      'a.*': ['a.b', 'a.c'],
      '*.b': ['a.b'],
      'a.#': ['a', 'a.b', 'a.b.c', 'a.c', 'a..c'],
      '#': keys,
      '#.c': ['a.b.c', 'a.c', 'a..c'],
      'a.*.c': ['a.b.c', 'a..c'],
      '*': ['a', 'b'],
      'a.#.c': ['a.b.c', 'a.c', 'a..c'],
      '#.b.#': ['a.b', 'a.b.c', 'b'],
    }
    const collected = await Promise.all(
      Object.keys(patterns).map((bindingKey) =>
        collect(connection, privateQueue({ exchange: events, bindingKey })),
      ),
    )
    for (const routingKey of keys) {
      await connection.publish(
        publication({ exchange: events, routingKey, payload: routingKey, confirm: true }),
      )
    }
    for (const [index, expected] of Object.values(patterns).entries()) {
      const arrivals = await collected[index]!.until(expected.length)
      assert.deepEqual(payloads(arrivals), expected, Object.keys(patterns)[index])
      assert.equal(arrivals[0]!.exchange, events.name)
    }
  })

  it('routes by key, to everybody, and by headers', async (t) => {
    const connection = await connect(t)
    const [direct, fanout, byHeaders] = (['direct', 'fanout', 'headers'] as const).map(exchange)
    const queues = [
      { exchange: direct, bindingKey: 'one' },
      { exchange: direct, bindingKey: 'one.*' },
      { exchange: fanout, bindingKey: 'ignored' },
      { exchange: fanout },
      { exchange: byHeaders, bindingArguments: { 'x-match': 'all', kind: 'x', size: 'L' } },
      { exchange: byHeaders, bindingArguments: { 'x-match': 'any', kind: 'x', size: 'L' } },
    ]
    const collected = await Promise.all(
      queues.map((queue) => collect(connection, privateQueue(queue))),
    )
    const send = (fields: Parameters<typeof publication>[0]) =>
      connection.publish(publication({ ...fields, confirm: true }))
    await send({ exchange: direct, routingKey: 'one', payload: 'one' })
    await send({ exchange: direct, routingKey: 'one.two', payload: 'nowhere' })
    await send({ exchange: fanout, routingKey: 'whatever', payload: 'all' })
    const [some, both] = [headers({ kind: 'x' }), headers({ kind: 'x', size: 'L', more: 1 })]
    await send({ exchange: byHeaders, routingKey: '', payload: 'some', headers: some })
    await send({ exchange: byHeaders, routingKey: '', payload: 'both', headers: both })
    const expected = [['one'], [], ['all'], ['all'], ['both'], ['some', 'both']]
    for (const [index, wanted] of expected.entries()) {
      assert.deepEqual(payloads(await collected[index]!.until(wanted.length)), wanted)
    }
  })

  it('brings a message once to a queue that is bound to it twice', async (t) => {
    const connection = await connect(t)
    const events = exchange('topic')
    const queue = privateQueue({ exclusive: false, exchange: events, bindingKey: 'a.*' })
    const collected = [
      await collect(connection, queue),
      await collect(connection, { ...queue, bindingKey: '#' }),
    ]
    const last = publication({ exchange: events, routingKey: 'b', payload: 'last', confirm: true })
    await connection.publish(publication({ exchange: events, routingKey: 'a.b', confirm: true }))
    await connection.publish(last)
    await connection.publish(last)
    // In order and in turns: both have had theirs when the last ones are there.
    const all = () => collected.flatMap(({ arrivals }) => payloads(arrivals))
    while (all().filter((payload) => payload === 'last').length < 2) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    assert.equal(all().length, 3)
  })

  it('says when no queue takes a mandatory message, and only then', async (t) => {
    const connection = await connect(t)
    const events = exchange('topic')
    const queue = privateQueue({ exchange: events, bindingKey: 'known' })
    const { until } = await collect(connection, queue)
    const send = (routingKey: string, mandatory: boolean) =>
      connection.publish(publication({ exchange: events, routingKey, mandatory }))
    const unknown = refused('unknown_service', /no queue takes/)
    await send('unknown', false)
    // In flight together: each hears of its own.
    const outcomes = await Promise.allSettled([
      send('unknown', false),
      ...['unknown', 'known', 'unknown', 'known'].map((key) => send(key, true)),
      connection.publish(publication({ routingKey: `nobody-${newHalfId()}`, mandatory: true })),
    ])
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled', 'rejected'],
    )
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') assert.ok(unknown(outcome.reason), outcome.reason)
    }
    await until(2)
  })

  it('says that an exchange is not there, and publishes everything else', async (t) => {
    const connection = await connect(t)
    const queue = privateQueue()
    const { until } = await collect(connection, queue)
    const missing = exchange('topic')
    const good = Array.from({ length: 20 }, (_, number) =>
      connection.publish(publication({ routingKey: queue.name, payload: number })),
    )
    for (const confirm of [true, false]) {
      await assert.rejects(
        connection.publish(
          publication({ exchange: missing, declare: false, routingKey: 'a', confirm }),
        ),
        refused('unknown_service', /no exchange `test_.*declare it/),
      )
    }
    await Promise.all(good)
    assert.equal((await until(20)).length, 20)
  })

  it('declares an exchange again that has gone with its last queue', async (t) => {
    const connection = await connect(t)
    const other = await connect(t)
    const events = exchange('topic')
    for (const round of [1, 2]) {
      const queue = privateQueue({ exchange: events, bindingKey: '#' })
      const { until, consumer } = await collect(other, { ...queue, autoDelete: true })
      await connection.publish(
        publication({ exchange: events, routingKey: 'a', payload: round, confirm: true }),
      )
      assert.deepEqual(payloads(await until(1)), [round])
      await consumer.stop()
      await connection.publish(publication({ exchange: events, routingKey: 'a', confirm: true }))
    }
  })

  it('declares the queues of a message before it, once', async (t) => {
    const connection = await connect(t)
    const events = exchange('topic')
    const queue = privateQueue({ exclusive: false, exchange: events, bindingKey: '#' })
    const kept = { exchange: events, routingKey: 'a', queues: [queue], mandatory: true }
    await Promise.all(
      [1, 2].map((payload) => connection.publish(publication({ ...kept, payload }))),
    )
    await connection.publish(publication({ ...kept, payload: 3 }))
    const { until, consumer } = await collect(connection, queue)
    assert.deepEqual(payloads(await until(3)), [1, 2, 3])
    await consumer.stop()
    const own = privateQueue()
    const toOwn = publication({ routingKey: own.name, payload: 'own', queues: [own] })
    await connection.publish({ ...toOwn, confirm: true })
    assert.deepEqual(payloads(await (await collect(connection, own)).until(1)), ['own'])
    const other = { ...queue, autoDelete: true }
    await assert.rejects(
      connection.publish(publication({ ...kept, queues: [other] })),
      (error: unknown) => error instanceof ConfigError && /other properties/.test(error.message),
    )
  })

  it('refuses an exchange that exists with other properties', async (t) => {
    const connection = await connect(t)
    const events = exchange('topic')
    await collect(connection, privateQueue({ exchange: events, bindingKey: '#' }))
    const others = Array.from({ length: 5 }, () => exchange('topic'))
    const other = { ...events, type: 'direct' as const }
    // Declared at the same time: a refusal is of one alone.
    const outcomes = await Promise.allSettled(
      [...others, other, ...others].map((each) =>
        connection.publish(publication({ exchange: each, routingKey: 'a' })),
      ),
    )
    const refusals = outcomes.filter((outcome) => outcome.status === 'rejected')
    assert.equal(refusals.length, 1)
    const { reason } = refusals[0]!
    assert.ok(reason instanceof ConfigError && /other properties/.test(reason.message))
    await connection.publish(publication({ exchange: events, routingKey: 'a' }))
  })

  it('refuses what cannot be sent, and says why', async (t) => {
    const connection = await connect(t)
    const bad: readonly [Partial<Publication>, string | typeof ConfigError, RegExp][] = [
      [{ payload: () => {} }, 'unserializable', /payload cannot be sent/],
      [{ routingKey: 'k'.repeat(256) }, 'unserializable', /routing key is over 255 bytes/],
      [{ headers: headers({ big: 'x'.repeat(200_000) }) }, 'unserializable', /headers/],
      [{ priority: 256 }, ConfigError, /priority must be/],
      [{ expirationMs: -1 }, ConfigError, /expirationMs must be/],
      [{ mandatory: true, confirm: false }, ConfigError, /needs `confirm`/],
      [{ timeoutMs: 0 }, 'timeout', /did not confirm/],
    ]
    for (const [fields, expected, text] of bad) {
      await assert.rejects(
        connection.publish(publication({ routingKey: 'queue', ...fields })),
        (error: unknown) =>
          error instanceof Error &&
          text.test(error.message) &&
          (typeof expected === 'string'
            ? (error as { code?: unknown }).code === expected
            : error instanceof expected),
      )
    }
  })

  it('gives up when its signal says so, and when the connection closes', async (t) => {
    const connection = await connect(t)
    const aborted = AbortSignal.abort()
    await assert.rejects(connection.publish(publication({ routingKey: 'q', signal: aborted })), {
      code: 'cancelled',
    })
    const giveUp = new AbortController()
    const { signal } = giveUp
    const pending = connection.publish(publication({ routingKey: 'q', signal, confirm: true }))
    giveUp.abort()
    await assert.rejects(pending, { code: 'cancelled' })
    const closed = connection.publish(publication({ routingKey: 'q', confirm: true }))
    const outcome = Promise.allSettled([closed])
    await connection.close()
    assert.equal((await outcome)[0]!.status, 'rejected')
    await assert.rejects(connection.publish(publication({ routingKey: 'q' })), {
      code: 'disconnected',
      message: /the connection is closed/,
    })
  })

  it('lets a message expire in its queue', async (t) => {
    const connection = await connect(t)
    const queue = privateQueue({ exclusive: false, autoDelete: true })
    const { consumer: first } = await collect(connection, { ...queue, autoDelete: false })
    await first.stop()
    const send = (payload: string, expirationMs?: number) => {
      const fields = { routingKey: queue.name, payload, confirm: true }
      return connection.publish(
        publication(expirationMs === undefined ? fields : { ...fields, expirationMs }),
      )
    }
    await send('gone', 1)
    await send('there')
    await new Promise((resolve) => setTimeout(resolve, 20))
    const { until, consumer } = await collect(connection, { ...queue, autoDelete: false })
    assert.deepEqual(payloads(await until(1)), ['there'])
    await consumer.stop()
  })

  it(`is ${delivery === 'nameko' ? 'confirmed' : 'handed over'} by default`, async (t) => {
    const connection = await connect(t)
    const queue = privateQueue({ arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' } })
    const held = Promise.withResolvers<'done'>()
    await connection.consume({ queue, prefetch: 1 }, () => held.promise)
    const send = (fields: Partial<Publication> = {}) =>
      connection.publish(publication({ routingKey: queue.name, ...fields }))
    // One is taken, one waits, and the third has no room.
    const outcomes: (string | undefined)[] = []
    for (let sent = 0; sent < 4; sent++) {
      outcomes.push(
        await send({ confirm: true }).then(
          () => undefined,
          (error) => error.code,
        ),
      )
    }
    assert.ok(outcomes.includes('overloaded'), String(outcomes))
    if (delivery === 'fast') await send()
    else await assert.rejects(send(), { code: 'overloaded' })
    held.resolve('done')
  })
}
