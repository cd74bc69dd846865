import assert from 'node:assert/strict'
import { it } from 'node:test'
import {
  type Arrival,
  type Connection,
  newHalfId,
  type Problem,
  type QueueDeclaration,
  type RetryPolicy,
  type Settlement,
} from '../../call/index.ts'
import { encodeTable } from '../field-table.ts'
import { type Connect, headers } from './fixtures.ts'
import { collect, exchange, publication } from './publishing.ts'
import type { RawPeer } from './raw-peer.ts'

/** A queue that others can send to as well; gone when nobody uses it any more. */
function sharedQueue(fields: Partial<QueueDeclaration> = {}): QueueDeclaration {
  return {
    name: `test-${newHalfId()}`,
    durable: false,
    arguments: { 'x-expires': 60_000 },
    ...fields,
  }
}

const again = (reason: string): Settlement => ({ settle: 'retry', reason })

/** Settles what arrives in turn, one settlement a message; the last one for all that follow. */
async function settling(
  connection: Connection,
  queue: QueueDeclaration,
  retry: RetryPolicy,
  settlements: readonly Settlement[],
) {
  const arrivals: Arrival[] = []
  let changed = Promise.withResolvers<void>()
  const consumer = await connection.consume({ queue, prefetch: 1, retry }, async (arrival) => {
    const settlement = settlements[Math.min(arrivals.length, settlements.length - 1)]!
    arrivals.push(arrival)
    changed.resolve()
    changed = Promise.withResolvers()
    return settlement
  })
  const until = async (count: number): Promise<readonly Arrival[]> => {
    while (arrivals.length < count) await changed.promise
    return arrivals
  }
  return { consumer, until, arrivals }
}

/** The queue that people look at; deleted by its last consumer would be too early, so it stays. */
const deadOf = (queue: QueueDeclaration): QueueDeclaration => ({ name: `dead-${queue.name}` })

export function retryingTests(connect: Connect, peer: () => Promise<RawPeer>): void {
  it('gives a message back at once', async (t) => {
    const connection = await connect(t)
    const queue = sharedQueue()
    const { until } = await settling(connection, queue, {}, ['requeue', 'requeue', 'done'])
    await connection.publish(publication({ routingKey: queue.name, payload: 'x' }))
    assert.deepEqual(
      (await until(3)).map(({ redelivered, attempt }) => [redelivered, attempt]),
      [
        [false, 1],
        [true, 1],
        [true, 1],
      ],
    )
  })

  it('brings a message again after a while, as it was', async (t) => {
    const connection = await connect(t)
    const events = exchange('topic')
    const queue = sharedQueue({ exchange: events, bindingKey: '#' })
    const settlements = [again('one'), again('two'), 'done'] as const
    const { until } = await settling(connection, queue, { backoffMs: 5 }, settlements)
    await connection.publish(
      publication({
        exchange: events,
        routingKey: 'orders.created',
        payload: { id: 7, text: 'é' },
        context: headers({ language: 'de' }),
        headers: headers({ traceparent: 'tp', number: 300 }),
        correlationId: 'an-id',
        expirationMs: 60_000,
      }),
    )
    const [first, ...others] = await until(3)
    assert.deepEqual([first!.attempt, first!.routingKey], [1, 'orders.created'])
    for (const [index, arrival] of others.entries()) {
      const own = Object.entries(arrival.headers).filter(([name]) => !/^(clew|x)-/.test(name))
      assert.deepEqual(
        { ...arrival, headers: headers(Object.fromEntries(own)) },
        { ...first, attempt: index + 2 },
      )
    }
  })

  it('keeps every byte of a message that others wrote, and its properties', async (t) => {
    const connection = await connect(t)
    await using raw = await peer()
    const queue = sharedQueue()
    const { until } = await settling(connection, queue, { backoffMs: 5 }, [
      again('not yet'),
      { settle: 'dead', reason: 'never' },
    ])
    // Nesting deeper than we read, and a body that is no JSON.
    const levels = Array.from({ length: 10 }, (_, level) =>
      Buffer.from([0x41, 0, 0, 0, 5 * (9 - level)]),
    )
    const table = Buffer.concat([
      Buffer.from('\x03bigl\0\0\0\x01\0\0\0\0', 'latin1'),
      Buffer.from('\x04deep', 'latin1'),
      ...levels,
    ])
    const body = Buffer.from([0, 1, 2, 0xff])
    const others = { flags: 0x80, bytes: Buffer.from('\x04mid1', 'latin1') }
    raw.send({
      ...{ exchange: '', routingKey: queue.name, body, headers: table, others },
      ...{ contentType: 'application/octet-stream', contentEncoding: 'binary', priority: 3 },
    })
    await until(2)
    const dead = Promise.withResolvers<Parameters<Parameters<RawPeer['take']>[1]>[0]>()
    await raw.take(deadOf(queue), dead.resolve)
    const message = await dead.promise
    assert.deepEqual(
      {
        ...{ body: message.body, type: message.contentType, encoding: message.contentEncoding },
        ...{ priority: message.priority, others: message.others, mode: message.deliveryMode },
      },
      {
        ...{ body, type: 'application/octet-stream', encoding: 'binary' },
        ...{ priority: 3, others, mode: 2 },
      },
    )
    assert.deepEqual(message.headers!.subarray(0, table.length), table)
  })

  it('retries a message with headers as large as the broker takes', async (t) => {
    const connection = await connect(t)
    await using raw = await peer()
    const queue = sharedQueue()
    const { until } = await settling(connection, queue, { backoffMs: 5 }, [again('once'), 'done'])
    const size = Buffer.alloc(4)
    size.writeUInt32BE(125_000)
    const text = Buffer.concat([
      Buffer.from('\x05largeS', 'latin1'),
      size,
      Buffer.alloc(125_000, 'x'),
    ])
    raw.send({ exchange: '', routingKey: queue.name, body: Buffer.from('1'), headers: text })
    const [, second] = await until(2)
    assert.equal(second!.attempt, 2)
    assert.equal((second!.headers.large as string).length, 125_000)
  })

  it('believes no forged attempts that AMQP could not have carried', async (t) => {
    const connection = await connect(t)
    await using raw = await peer()
    const queue = sharedQueue()
    const retry = { backoffMs: 1, maxAttempts: 3 }
    const { until } = await settling(connection, queue, retry, ['done'])
    const forged: readonly (readonly [exchange: string, key: string, attempt: number])[] = [
      ['other', 'key', 2],
      ['other', 'key', -7],
      ['other', 'key', 1e300],
      ['other', 'key', 2.5],
      ['x'.repeat(256), 'key', 2],
      ['other', 'y'.repeat(60_000), 2],
    ]
    for (const [exchange, key, attempt] of forged) {
      const table = encodeTable({
        ...{ 'clew-exchange': exchange, 'clew-routing-key': key, 'clew-attempt': attempt },
      })
      raw.send({ exchange: '', routingKey: queue.name, body: Buffer.from('1'), headers: table })
    }
    const seen = (await until(forged.length)).map(({ exchange, routingKey, attempt }) => [
      ...[exchange, routingKey, attempt],
    ])
    const plain = ['', queue.name, 1]
    assert.deepEqual(seen, [
      ['other', 'key', 2],
      ['other', 'key', 1],
      ...[plain, plain, plain, plain],
    ])
  })

  it('waits longer each time, and gives up after the last attempt', async (t) => {
    const connection = await connect(t)
    const queue = sharedQueue()
    const policy = { backoffMs: 20, maxBackoffMs: 40, maxAttempts: 4 }
    const times: number[] = []
    await connection.consume({ queue, prefetch: 1, retry: policy }, async () => {
      times.push(performance.now())
      return again(`failed ${times.length} times`)
    })
    await connection.publish(
      publication({ routingKey: queue.name, payload: 'x', context: headers({ a: 'b' }) }),
    )
    const dead = await collect(connection, deadOf(queue))
    const [arrival] = await dead.until(1)
    assert.equal(times.length, 4)
    const waits = times.slice(1).map((time, index) => time - times[index]!)
    // The broker may take longer, but never waits less.
    for (const [index, least] of [20, 40, 40].entries()) assert.ok(waits[index]! >= least - 2)
    assert.deepEqual(
      [arrival!.payload, arrival!.attempt, arrival!.routingKey, arrival!.headers['clew-reason']],
      ['x', 4, queue.name, 'failed 4 times'],
    )
    assert.deepEqual({ ...arrival!.context }, { a: 'b' })
  })

  it('puts away what is dead at once, however long the reason', async (t) => {
    const connection = await connect(t)
    const queue = sharedQueue()
    const reason = 'é'.repeat(100_000)
    await settling(connection, queue, {}, [{ settle: 'dead', reason }])
    const expirationMs = 200
    await connection.publish(publication({ routingKey: queue.name, payload: 'x', expirationMs }))
    await new Promise((resolve) => setTimeout(resolve, expirationMs + 50))
    const dead = await collect(connection, deadOf(queue))
    const [arrival] = await dead.until(1)
    assert.equal(arrival!.attempt, 1)
    assert.equal(arrival!.headers['clew-reason'], reason.slice(0, 1000))
  })

  it('retries what a taker rejected, though it must not', async (t) => {
    const connection = await connect(t)
    const queue = sharedQueue()
    let tries = 0
    const done = Promise.withResolvers<Arrival>()
    await connection.consume({ queue, prefetch: 1, retry: { backoffMs: 1 } }, async (arrival) => {
      if (++tries === 1) throw new Error('broken')
      done.resolve(arrival)
      return 'done'
    })
    await connection.publish(publication({ routingKey: queue.name }))
    assert.equal((await done.promise).attempt, 2)
  })

  it('goes on with others while a message waits', async (t) => {
    const connection = await connect(t)
    const queue = sharedQueue()
    const settlements = [again('later'), 'done'] as const
    const { until } = await settling(connection, queue, { backoffMs: 60_000 }, settlements)
    for (const payload of ['waits', 'goes']) {
      await connection.publish(publication({ routingKey: queue.name, payload, confirm: true }))
    }
    assert.equal((await until(2))[1]!.payload, 'goes')
  })

  it('keeps a message that cannot be put aside', async (t) => {
    const problems: Problem[] = []
    const connection = await connect(t, { onProblem: (problem) => problems.push(problem) })
    const other = await connect(t)
    const queue = sharedQueue()
    // Somebody else has made a queue of that name, in which messages would stay.
    const blocking = { name: `clew.retry-${queue.name}-7`, durable: false, exclusive: true }
    await collect(other, blocking)
    const settlements = [again('later'), 'done'] as const
    const { until, consumer } = await settling(connection, queue, { backoffMs: 7 }, settlements)
    await connection.publish(publication({ routingKey: queue.name, payload: 'kept' }))
    const [, second] = await until(2)
    assert.deepEqual([second!.payload, second!.redelivered, second!.attempt], ['kept', true, 1])
    assert.deepEqual(
      problems.map(({ kind }) => kind),
      ['retry_failed'],
    )
    await consumer.stop()
  })
}
