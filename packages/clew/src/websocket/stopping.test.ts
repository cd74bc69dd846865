import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memory } from '../index.ts'
import { websocket } from './index.ts'
import { Client, serve } from './test-client.ts'

function gated() {
  const gate = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  class Gated {
    static readonly name = 'gated'
    @websocket async wait(_socketId: string) {
      begun.resolve()
      await gate.promise
      return 'waited'
    }
    @websocket quick(_socketId: string) {}
  }
  return { Gated, gate, begun }
}

test('a service that stops answers what runs, refuses the rest, and says goodbye', async () => {
  const { Gated, gate, begun } = gated()
  const server = await serve(Gated, { broker: memory() })
  const { client } = await Client.open(server.socketUrl)
  const { client: idle } = await Client.open(server.socketUrl)
  client.send({ method: 'wait', correlation_id: 1 })
  await begun.promise
  client.send({ method: 'quick', correlation_id: 2 })
  // Once this is answered the other client's frame has been read as well: one process reads both in turn.
  await idle.settled()
  await client.socket.ping()
  const stopping = server.running.stop()
  assert.match(await refusedLate(server.socketUrl), /ECONNREFUSED|ECONNRESET|503/)
  gate.resolve()
  assert.deepEqual(await client.next(), {
    type: 'result',
    success: true,
    data: 'waited',
    correlation_id: 1,
  })
  assert.match(await client.nextText(), /"exc_type":"Disconnected".*"correlation_id":2/)
  for (const one of [client, idle]) {
    assert.deepEqual(await one.closed, { code: 1001, reason: 'the service stops' })
  }
  await stopping
})

test('a client that does not say goodbye cannot keep a service from stopping', async () => {
  const server = await serve(gated().Gated, { broker: memory() })
  const { client } = await Client.open(server.socketUrl)
  client.socket.pause()
  await server.running.stop()
  client.socket.terminate()
})

test('a service that is killed lets go of its sockets at once', async () => {
  const { Gated, begun } = gated()
  const server = await serve(Gated, { broker: memory() })
  const { client } = await Client.open(server.socketUrl)
  client.send({ method: 'wait' })
  await begun.promise
  await server.running.kill()
  assert.equal((await client.closed).code, 1006)
  assert.deepEqual(client.frames, [])
})

async function refusedLate(url: string): Promise<string> {
  const { WebSocket } = await import('ws')
  return new Promise((resolve) => {
    const socket = new WebSocket(url)
    socket.on('error', (error) => resolve(String(error)))
    socket.on('open', () => resolve('open'))
  })
}
