import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get } from 'node:http'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import { ConfigError, memory, run } from '../index.ts'
import { hub, type WebsocketConfig, websocket } from './index.ts'
import { Client, refusal, serve } from './test-client.ts'

const limited = (settings: WebsocketConfig) => ({
  broker: memory(),
  config: { websocket: settings },
})

/** One request waits at the gate. */
function gated() {
  const gate = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  class Gated {
    static readonly name = 'gated'
    hub = hub()
    @websocket async wait(_socketId: string) {
      begun.resolve()
      await gate.promise
    }
    @websocket({ params: ['value'] }) echo(_socketId: string, value: unknown) {
      return value
    }
    @websocket({ params: ['channel'] }) join(socketId: string, channel: string) {
      this.hub.subscribe(socketId, channel)
    }
    @websocket({ params: ['bytes'] }) shout(_socketId: string, bytes: number) {
      this.hub.broadcast('room', 'shout', 'x'.repeat(bytes))
      return { sockets: this.hub.sockets, dropped: this.hub.dropped }
    }
  }
  return { Gated, gate, begun }
}

test('what is no handshake is refused by HTTP', async () => {
  await using server = await serve(gated().Gated, limited({}))
  assert.equal((await fetch(`${server.url}/ws`)).status, 400)
  assert.equal((await fetch(`${server.url}/ws`, { method: 'POST' })).status, 405)
  assert.equal(await refusal(`${server.socketUrl}/other`), 404)
  const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' }
  const [keyless] = await once(get(`${server.url}/ws`, { headers }), 'response')
  assert.equal(keyless.statusCode, 400)
})

test('requests beyond those that may wait are answered at once, and no other is lost', async () => {
  const { Gated, gate, begun } = gated()
  await using server = await serve(Gated, limited({ maxWaitingRequests: 2 }))
  const { client } = await Client.open(server.socketUrl)
  client.send({ method: 'wait', correlation_id: 'first' })
  await begun.promise
  for (const id of [1, 2, 3, 4])
    client.send({ method: 'echo', data: { value: id }, correlation_id: id })
  for (const id of [3, 4]) {
    assert.deepEqual(await client.next(), {
      type: 'result',
      success: false,
      error: {
        exc_type: 'Overloaded',
        exc_path: 'clew.errors.Overloaded',
        exc_args: ['too many requests; try again later'],
        value: 'too many requests; try again later',
      },
      correlation_id: id,
    })
  }
  gate.resolve()
  const ids = [await client.next(), await client.next(), await client.next()]
  assert.deepEqual(
    ids.map((answer) => (answer as { correlation_id: unknown }).correlation_id),
    ['first', 1, 2],
  )
})

test('large requests may wait only as far as their bytes allow', async () => {
  const { Gated, gate, begun } = gated()
  await using server = await serve(Gated, limited({ maxWaitingBytes: 10_000 }))
  const { client } = await Client.open(server.socketUrl)
  client.send({ method: 'wait' })
  await begun.promise
  const value = 'x'.repeat(6_000)
  for (const id of [1, 2]) client.send({ method: 'echo', data: { value }, correlation_id: id })
  assert.match(await client.nextText(), /Overloaded.*"correlation_id":2/)
  gate.resolve()
  assert.match(await client.nextText(), /"correlation_id":null/)
  assert.match(await client.nextText(), /x{6000}.*"correlation_id":1/)
})

test('a frame that is too large closes its socket', async () => {
  await using server = await serve(gated().Gated, limited({ maxFrameBytes: 100 }))
  const { client } = await Client.open(server.socketUrl)
  assert.match(JSON.stringify(await client.ask({ method: 'echo', data: { value: 1 } })), /"data":1/)
  client.send('x'.repeat(101))
  assert.equal((await client.closed).code, 1009)
})

test('text that is not UTF-8 closes its socket; bytes that are not are no JSON', async () => {
  await using server = await serve(gated().Gated, limited({}))
  const { client } = await Client.open(server.socketUrl)
  client.socket.send(Buffer.from([0xff, 0xfe]))
  assert.match(await client.nextText(), /Invalid JSON data/)
  client.socket.send(Buffer.from([0xff, 0xfe]), { binary: false })
  assert.equal((await client.closed).code, 1007)
})

test('so many sockets and no more', async () => {
  await using server = await serve(gated().Gated, limited({ maxSockets: 2 }))
  const { client } = await Client.open(server.socketUrl)
  await Client.open(server.socketUrl)
  assert.equal(await refusal(server.socketUrl), 503)
  await client.close()
  const again = await Client.open(server.socketUrl)
  assert.match(
    JSON.stringify(await again.client.ask({ method: 'shout', data: { bytes: 0 } })),
    /"sockets":2/,
  )
})

test('so many subscriptions and no more', async () => {
  await using server = await serve(gated().Gated, limited({ maxSubscriptions: 1 }))
  const { client } = await Client.open(server.socketUrl)
  await client.ask({ method: 'join', data: { channel: 'a' } })
  const answer = await client.ask({ method: 'join', data: { channel: 'b' } })
  assert.match(JSON.stringify(answer), /"exc_type":"Overloaded"/)
})

test('a client that does not read is closed, counted and told of; others are served', async () => {
  await using server = await serve(gated().Gated, limited({ maxWaitingBytes: 65_536 }))
  const { client: slow } = await Client.open(server.socketUrl)
  const { client } = await Client.open(server.socketUrl)
  await slow.ask({ method: 'join', data: { channel: 'room' } })
  slow.socket.pause()
  let state = { dropped: 0 }
  // What the kernel keeps for a reader is some megabytes.
  for (let shouts = 0; state.dropped === 0 && shouts < 1_000; shouts++) {
    const answer = await client.ask({ method: 'shout', data: { bytes: 60_000 } })
    state = (answer as { data: typeof state }).data
  }
  assert.equal(state.dropped, 1)
  slow.socket.resume()
  const { code, reason } = await slow.closed
  assert.deepEqual(
    { code, reason },
    { code: 1013, reason: 'too slow: too many bytes wait to be read' },
  )
  assert.equal(server.log.filter(({ message }) => /bytes unread/.test(message)).length, 1)
  const left = await client.ask({ method: 'shout', data: { bytes: 1 } })
  assert.deepEqual((left as { data: unknown }).data, { sockets: 1, dropped: 1 })
})

test('a client that answers no ping is cut off; one that does stays', async () => {
  await using server = await serve(gated().Gated, limited({ pingIntervalMs: 40 }))
  const { client: dead } = await Client.open(server.socketUrl, { autoPong: false })
  const { client: quiet } = await Client.open(server.socketUrl)
  assert.equal((await dead.closed).code, 1006)
  assert.equal(quiet.socket.readyState, WebSocket.OPEN)
  assert.match(JSON.stringify(await quiet.ask({ method: 'echo', data: { value: 1 } })), /"data":1/)
})

test('pages of other hosts are refused, unless they are listed', async () => {
  const evil = { origin: 'https://evil.example' }
  {
    await using server = await serve(gated().Gated, limited({}))
    assert.equal(await refusal(server.socketUrl, evil), 403)
    assert.equal(await refusal(server.socketUrl, evil), 403)
    assert.equal(await refusal(server.socketUrl, { origin: 'null' }), 403)
    await (await Client.open(server.socketUrl, { origin: server.url })).client.close()
    await (await Client.open(server.socketUrl)).client.close()
    const told = server.log.filter(({ message }) =>
      /evil\.example.*websocket\.origins/.test(message),
    )
    assert.equal(told.length, 1)
  }
  {
    const origins = ['https://shop.example']
    await using server = await serve(gated().Gated, limited({ origins }))
    assert.equal(await refusal(server.socketUrl, evil), 403)
    assert.equal(await refusal(server.socketUrl, { origin: 'https://shop.example.evil' }), 403)
    await Client.open(server.socketUrl, { origin: 'https://shop.example' })
    await Client.open(server.socketUrl, { origin: server.url })
  }
  await using server = await serve(gated().Gated, limited({ origins: '*' }))
  await Client.open(server.socketUrl, evil)
})

test('settings that cannot be right are told before anything starts', async () => {
  const wrong: readonly [unknown, RegExp][] = [
    [[], /must be an object/],
    ['all', /must be an object/],
    [{ maxSocket: 1 }, /no setting websocket\.maxSocket; the settings are .*maxSockets/],
    [{ maxSockets: 0 }, /websocket\.maxSockets must be a whole number from 1/],
    [{ maxFrameBytes: '1' }, /websocket\.maxFrameBytes .* got "1"/],
    [{ pingIntervalMs: 2 ** 31 }, /websocket\.pingIntervalMs must be/],
    [{ origins: 'https://shop.example' }, /origins must be '\*' or a list/],
    [{ origins: ['shop.example'] }, /"shop\.example" is no origin; write scheme, host and port/],
    [{ origins: ['https://shop.example/'] }, /is no origin/],
    [{ origins: ['null'] }, /is no origin/],
    [{ errorTexts: 'none' }, /errorTexts must be 'all' or 'expected'/],
  ]
  const nothing = { maxSockets: null, origins: null, errorTexts: null }
  for (const websocket of [undefined, null, nothing]) {
    const config = { websocket, http: { host: '127.0.0.1', port: 0 } }
    const running = await run(gated().Gated, { broker: memory(), signals: false, config })
    await running.stop()
  }
  for (const [settings, told] of wrong) {
    const config = { websocket: settings, http: { host: '127.0.0.1', port: 0 } }
    const options = { broker: memory(), signals: false, config }
    await assert.rejects(run(gated().Gated, options), (error) => {
      assert.ok(error instanceof ConfigError)
      assert.match(error.message, told)
      return true
    })
  }
})
