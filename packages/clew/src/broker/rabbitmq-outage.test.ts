import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Connection, type Delivery, newHalfId } from '../call/index.ts'
import { call, echo, serviceName } from './contract/fixtures.ts'
import { exchange, publication } from './contract/publishing.ts'
import { rabbitmq } from './rabbitmq.ts'

const control = process.env.CLEW_RABBITMQ_CONTROL
const skip = control === undefined && 'needs a RabbitMQ that may be stopped: run `npm test`'

/** For messages that wait at the broker, once it is back. */
const PATIENCE_MS = 30_000

/** A RabbitMQ of our own: other tests use theirs meanwhile. */
interface Spare {
  readonly url: string
  readonly control: string
}

async function post(address: string, body?: unknown): Promise<unknown> {
  const response = await fetch(address, {
    method: 'POST',
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const answer = await response.text()
  assert.ok(response.ok, answer)
  return answer === '' ? undefined : JSON.parse(answer)
}

describe('rabbitmq, outages of the broker', { skip }, () => {
  let spare: Spare
  const open: Connection[] = []

  before(async () => {
    spare = (await post(`${control}/spare`)) as Spare
  })
  after(async () => {
    await Promise.all(open.map((connection) => connection.close()))
    await post(`${spare.control}/stop`)
  })

  async function connect(delivery: Delivery = 'nameko'): Promise<Connection> {
    const connection = await rabbitmq(spare.url).connect({ delivery })
    open.push(connection)
    return connection
  }

  /** Calls steadily until the outage is over; every call must come back. */
  async function callThrough(outage: () => Promise<unknown>): Promise<number> {
    const service = serviceName()
    const server = await connect()
    await server.serve(service, echo, { prefetch: 10 })
    const client = await connect()
    let over = false
    const ended = outage().finally(() => {
      over = true
    })
    const replies: Promise<unknown>[] = []
    while (!over) {
      const argument = replies.length
      const reply = client.request(call({ service, args: [argument], timeoutMs: 60_000 }))
      replies.push(reply.then(({ result }) => assert.equal(result, argument)))
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await ended
    await Promise.all(replies)
    return replies.length
  }

  it('lose no call through an orderly restart', async () => {
    assert.ok((await callThrough(() => post(`${spare.control}/restart`))) > 10)
  })

  it('lose no call through a sudden end', async () => {
    const outage = async () => {
      await new Promise((resolve) => setTimeout(resolve, 200))
      await post(`${spare.control}/kill`)
      await post(`${spare.control}/start`)
    }
    assert.ok((await callThrough(outage)) > 10)
  })

  /** Publishes steadily until the outage is over; all must arrive, those too that fail at first. */
  async function publishThrough(outage: () => Promise<unknown>): Promise<number> {
    // Bindings of an exchange that is not durable go with the broker, and messages with them.
    const events = { ...exchange('topic'), durable: true, autoDelete: false }
    const queue = { name: `test-${newHalfId()}`, exchange: events, bindingKey: '#' }
    const consumer = await connect()
    const [arrived, failed] = [new Set<unknown>(), new Set<unknown>()]
    const retry = { backoffMs: 200, maxBackoffMs: 200 }
    await consumer.consume({ queue, prefetch: 10, retry }, async ({ payload }) => {
      if (failed.has(payload)) {
        arrived.add(payload)
        return 'done'
      }
      failed.add(payload)
      return { settle: 'retry', reason: 'at first' }
    })
    const sender = await connect()
    let over = false
    const ended = outage().finally(() => {
      over = true
    })
    const sent: Promise<void>[] = []
    while (!over) {
      const payload = sent.length
      const fields = { exchange: events, routingKey: 'a', payload, timeoutMs: 60_000 }
      sent.push(sender.publish(publication(fields)))
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await ended
    await Promise.all(sent)
    const until = Date.now() + PATIENCE_MS
    const missing = () => Array.from(sent.keys()).filter((payload) => !arrived.has(payload))
    while (missing().length > 0 && Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    assert.deepEqual(missing(), [])
    return sent.length
  }

  it('lose no confirmed message, nor one that waits for another try', async () => {
    assert.ok((await publishThrough(() => post(`${spare.control}/restart`))) > 10)
    const outage = async () => {
      await new Promise((resolve) => setTimeout(resolve, 200))
      await post(`${spare.control}/kill`)
      await post(`${spare.control}/start`)
    }
    assert.ok((await publishThrough(outage)) > 10)
  })

  it('lose nothing in a storm of retries that a sudden end breaks off', async () => {
    const MESSAGES = 3000
    const queue = { name: `test-${newHalfId()}` }
    const consumer = await connect()
    const tries = new Map<unknown, number>()
    const done = new Set<unknown>()
    const retry = { backoffMs: 100, maxBackoffMs: 200 }
    await consumer.consume({ queue, prefetch: 50, retry }, async ({ payload, attempt }) => {
      tries.set(payload, Math.max(attempt, tries.get(payload) ?? 0))
      if (attempt < 5) return { settle: 'retry', reason: 'not yet' }
      done.add(payload)
      return 'done'
    })
    const sender = await connect()
    const sent = Array.from({ length: MESSAGES }, (_, payload) =>
      sender.publish(publication({ routingKey: queue.name, payload, timeoutMs: 60_000 })),
    )
    while (Array.from(tries.values()).filter((attempt) => attempt > 2).length < MESSAGES / 4) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await post(`${spare.control}/kill`)
    await post(`${spare.control}/start`)
    await Promise.all(sent)
    const until = Date.now() + PATIENCE_MS
    while (done.size < MESSAGES && Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    assert.equal(done.size, MESSAGES)
  })

  it('fail calls fast when the broker is short of memory', async () => {
    const service = serviceName()
    const server = await connect()
    await server.serve(service, echo, { prefetch: 10 })
    const clients = [await connect(), await connect('fast')]
    const watermark = (value: string[]) =>
      post(`${spare.control}/ctl`, ['set_vm_memory_high_watermark', ...value])
    await Promise.all(clients.map((client) => client.request(call({ service }))))
    await watermark(['absolute', '1MB'])
    for (const client of clients) {
      const timeoutMs = 20_000
      await assert.rejects(client.request(call({ service, timeoutMs })), { code: 'overloaded' })
    }
    await watermark(['0.6'])
    for (const client of clients) {
      let answered = false
      while (!answered) {
        const reply = client.request(call({ service, timeoutMs: 2000 }))
        answered = await reply.then(
          () => true,
          () => false,
        )
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  })
})
