import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RpcError } from '../call/index.ts'
import { ConnectionNotFound, Hub } from './hub.ts'

/** Sockets that only exist. */
function open(...ids: string[]) {
  const sent: [string, string][] = []
  const sockets = new Set(ids)
  const hub = new Hub(
    {
      get size() {
        return sockets.size
      },
      droppedSockets: 0,
      maxSubscriptions: 3,
      has: (id) => sockets.has(id),
      send: (id, frame) => sockets.has(id) && sent.push([id, frame]) > 0,
    },
    'chat',
  )
  const close = (id: string) => sockets.delete(id) && hub.forget(id)
  return { hub, sent, close }
}

test('a broadcast reaches those subscribed, once each', () => {
  const { hub, sent } = open('a', 'b', 'c')
  for (const id of ['a', 'b', 'a']) hub.subscribe(id, 'room')
  hub.broadcast('room', 'chat', { text: 'hi' })
  const frame = '{"type":"event","event":"chat","data":{"text":"hi"}}'
  assert.deepEqual(sent, [
    ['a', frame],
    ['b', frame],
  ])
})

test('subscriptions are sorted as Python sorts them', () => {
  const { hub } = open('a')
  // By UTF-16 units the last two would change places.
  for (const channel of ['\u{1F600}', '\uFF5E', 'Z']) hub.subscribe('a', channel)
  assert.deepEqual(hub.getSubscriptions('a'), ['Z', '\uFF5E', '\u{1F600}'])
  assert.deepEqual(hub.getSubscriptions('nobody'), [])
})

test('who is not there cannot subscribe, and is told nothing', () => {
  const { hub } = open('a')
  assert.throws(() => hub.subscribe('b', 'room'), ConnectionNotFound)
  hub.unsubscribe('b', 'room')
  assert.equal(hub.unicast('b', 'chat', 1), false)
  assert.equal(hub.unicast('a', 'chat', 1), true)
})

test('what a client may call a channel is a text, and not without end', () => {
  const { hub } = open('a')
  hub.subscribe('a', 'x'.repeat(1000))
  for (const channel of ['x'.repeat(1001), 5, null, undefined, { a: 1 }, ['a']]) {
    assert.throws(() => hub.subscribe('a', channel as string), /a channel is a text of at most/)
  }
  assert.equal(hub.getSubscriptions('a').length, 1)
})

test('a socket has so many subscriptions and no more', () => {
  const { hub } = open('a')
  for (const channel of ['1', '2', '3', '3']) hub.subscribe('a', channel)
  assert.throws(
    () => hub.subscribe('a', '4'),
    (error) => error instanceof RpcError && error.code === 'overloaded',
  )
  hub.unsubscribe('a', '1')
  hub.subscribe('a', '4')
  assert.deepEqual(hub.getSubscriptions('a'), ['2', '3', '4'])
})

test('after any life of subscriptions, exactly the subscribed are told', () => {
  const id = fc.constantFrom('a', 'b', 'c')
  const channel = fc.constantFrom('x', 'y', 'z')
  const act = fc.oneof(
    fc.record({ act: fc.constant('subscribe' as const), id, channel }),
    fc.record({ act: fc.constant('unsubscribe' as const), id, channel }),
    fc.record({ act: fc.constant('close' as const), id, channel }),
  )
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
      const { hub, sent, close } = open('a', 'b', 'c')
      const model = new Map([...'abc'].map((one) => [one, new Set<string>()]))
      for (const { act, id, channel } of acts) {
        if (act === 'close') {
          close(id)
          model.delete(id)
        } else if (act === 'unsubscribe') {
          hub.unsubscribe(id, channel)
          model.get(id)?.delete(channel)
        } else if (model.has(id)) {
          hub.subscribe(id, channel)
          model.get(id)?.add(channel)
        }
      }
      for (const channel of ['x', 'y', 'z']) {
        sent.length = 0
        hub.broadcast(channel, 'e', null)
        const told = sent.map(([id]) => id).sort()
        const expected = [...model].filter(([, has]) => has.has(channel)).map(([id]) => id)
        assert.deepEqual(told, expected.sort())
      }
    }),
  )
})
