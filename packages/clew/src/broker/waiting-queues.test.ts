import assert from 'node:assert/strict'
import { it } from 'node:test'
import { encodeTable } from './field-table.ts'
import { MemoryTransport } from './memory.ts'
import { MemoryBus } from './memory-bus.ts'
import { type Message, NO_HEADERS } from './message.ts'
import { NO_RECEIPT } from './transport.ts'
import { WaitingQueues } from './waiting-queues.ts'

const QUEUE = { name: 'shelf' }

function message(fields: Partial<Message>): Message {
  return {
    ...{ exchange: '', routingKey: QUEUE.name, contentType: '', contentEncoding: '' },
    ...{ headers: NO_HEADERS, deliveryMode: 2, priority: 0, correlationId: '', replyTo: '' },
    ...{ expiration: '', redelivered: false, body: Buffer.from('1') },
    ...fields,
  }
}

/** A queue, what arrives in it, and those that wait for it. */
async function shelf({
  sendBack,
  graceMs = 60_000,
}: {
  sendBack?: (message: Message) => Promise<void>
  graceMs?: number
} = {}) {
  const events = { returned() {}, down() {}, restored() {}, blocked() {}, problem() {} }
  const transport = new MemoryTransport(new MemoryBus(100), events)
  const send = (one: Message) =>
    transport.publish(one, { mandatory: false, confirm: false }, NO_RECEIPT)
  let arrive: (one: Message) => void
  const arrived = new Promise<Message>((resolve) => {
    arrive = resolve
  })
  await transport.consume(QUEUE, {
    prefetch: 1,
    acknowledge: 'each',
    take: (delivery) => {
      delivery.acknowledge()
      arrive(delivery.message)
    },
  })
  const waiting = new WaitingQueues({
    transport,
    queue: QUEUE,
    sendBack: sendBack ?? (async (one) => send({ ...one, routingKey: QUEUE.name })),
    tell: () => {},
    graceMs,
  })
  return { transport, send, arrived, waiting }
}

it('a message that is due is sent back as it was, without the word of when', async () => {
  const { send, arrived, waiting } = await shelf()
  const routingKey = await waiting.open(30)
  const headers = encodeTable({ 'clew-due': String(Date.now() + 30), other: 'stays' })
  send(message({ routingKey, headers }))
  assert.deepEqual((await arrived).headers, encodeTable({ other: 'stays' }))
  await waiting.close()
})

it('one that says no time, or a time of a clock far ahead, waits as long as all others', async () => {
  for (const due of ['soon', String(Date.now() + 3_600_000)]) {
    const { send, arrived, waiting } = await shelf()
    const routingKey = await waiting.open(10)
    send(message({ routingKey, headers: encodeTable({ 'clew-due': due }) }))
    await arrived
    await waiting.close()
  }
})

it('what cannot be sent back stays, and is tried again', async () => {
  let tries = 0
  const done = Promise.withResolvers<void>()
  const { send, waiting } = await shelf({
    sendBack: async () => {
      if (++tries === 1) throw new Error('no room')
      done.resolve()
    },
  })
  send(message({ routingKey: await waiting.open(1) }))
  await done.promise
  assert.equal(tries, 2)
  await waiting.close()
})

it('what nobody fetches is taken back by the broker', async () => {
  const { send, arrived, waiting } = await shelf({ graceMs: 50 })
  const routingKey = await waiting.open(20)
  await waiting.close()
  send(message({ routingKey }))
  assert.equal((await arrived).body.toString(), '1')
})

it('what is held when we end stays at the broker, for whoever comes next', async () => {
  const first = await shelf()
  const routingKey = await first.waiting.open(60_000)
  const headers = encodeTable({ 'clew-due': String(Date.now() + 20) })
  first.send(message({ routingKey, headers: NO_HEADERS }))
  await new Promise((resolve) => setTimeout(resolve, 10))
  await first.waiting.close()
  first.send(message({ routingKey, headers, body: Buffer.from('2') }))
  const { transport, send } = first
  const bodies: string[] = []
  const next = new WaitingQueues({
    transport,
    queue: QUEUE,
    sendBack: async (one) => {
      bodies.push(one.body.toString())
      send({ ...one, routingKey: QUEUE.name })
    },
    tell: () => {},
    graceMs: 60_000,
  })
  await next.open(60_000)
  assert.equal((await first.arrived).body.toString(), '2')
  assert.deepEqual(bodies, ['2'])
  await next.close()
})
