import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Call, Reply } from 'clew'
import { TrafficCounter, tableBytes, together } from './traffic.ts'

it('counts the bytes of a header table as AMQP writes them', () => {
  // Each by hand: length of the key and the key, the type's letter, then the value.
  assert.equal(tableBytes({}), 0)
  assert.equal(tableBytes({ ab: 'xyz' }), 3 + 1 + 4 + 3)
  assert.equal(tableBytes({ ab: 'größe' }), 3 + 1 + 4 + 7)
  assert.equal(tableBytes({ n: 7 }), 2 + 1 + 4)
  assert.equal(tableBytes({ n: 7.5 }), 2 + 1 + 8)
  assert.equal(tableBytes({ n: 2 ** 40 }), 2 + 1 + 8)
  assert.equal(tableBytes({ t: true, v: null }), 2 + 1 + 1 + 2 + 1)
  assert.equal(tableBytes({ x: new Uint8Array(9) }), 2 + 1 + 4 + 9)
  assert.equal(tableBytes({ a: [{ k: 'v' }, 'w'] }), 2 + 5 + (5 + 2 + 5 + 1) + 6)
})

it('counts requests and replies only while it is told to', async () => {
  const counter = new TrafficCounter()
  const reply = { headers: { a: 'b' }, attachment: new Uint8Array(10) } as Partial<Reply> as Reply
  const send = counter.plugin.caller!(async () => reply)
  const call = { headers: { traceparent: 'x'.repeat(55) } } as Partial<Call> as Call
  await send(call)
  assert.equal(counter.take().all, 0)
  counter.counting = true
  await send(call)
  await send({ ...call, headers: {} })
  const block = 10 + 9
  assert.deepEqual(counter.take(), {
    all: 72 + 2 * (block + 8),
    largestRequest: 72,
    largestReply: block + 8,
  })
  assert.equal(counter.take().all, 0, 'what was taken is counted no more')
})

it('adds what was counted in several places', () => {
  const one = { all: 10, largestRequest: 3, largestReply: 7 }
  const other = { all: 5, largestRequest: 5, largestReply: 0 }
  assert.deepEqual(together([one, other]), { all: 15, largestRequest: 5, largestReply: 7 })
})
