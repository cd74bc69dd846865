import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memory, run } from 'clew'
import { HttpServer, http } from 'clew/http'
import {
  generateGrantKey,
  grantIssuer,
  grantVerifier,
  importGrantKeys,
  profile,
} from 'clew/profile'
import { hub, websocket } from 'clew/websocket'
import { NO_BROWSER, newTab } from './browser.ts'

class Chat {
  static readonly name = 'chat'
  hub = hub()
  @http('GET', '/') page(): [number, Record<string, string>, string] {
    return [200, { 'content-type': 'text/html' }, '<!doctype html><title>chat</title>']
  }
  @websocket({ params: ['room'] }) join(socketId: string, room: string) {
    this.hub.subscribe(socketId, room)
    return this.hub.getSubscriptions(socketId)
  }
  @websocket({ params: ['room', 'text'] }) say(_socketId: string, room: string, text: string) {
    this.hub.broadcast(room, 'said', { text })
  }
}

async function chat() {
  const { private: secret } = await generateGrantKey({ algorithm: 'HS256' })
  const keys = await importGrantKeys(secret)
  const running = await run(Chat, {
    broker: memory(),
    use: [profile({ access: { verify: grantVerifier({ keys }) } })],
    signals: false,
    log: () => {},
    config: { http: { host: '127.0.0.1', port: 0 } },
  })
  const { url } = running.shared(HttpServer)
  const grant = () =>
    grantIssuer({ key: keys[0]! }).issue({ subject: 'page', audience: 'chat', scope: 'full' })
  return { url, grant, [Symbol.asyncDispose]: () => running.stop() }
}

/** Runs in the page: opens a socket, sends frames, gives back so many frames that came, or its end. */
async function talk({
  url,
  protocols,
  frames,
  expect,
}: {
  url: string
  protocols: string[]
  frames: object[]
  expect: number
}): Promise<unknown[]> {
  const { WebSocket } = globalThis
  return new Promise((resolve) => {
    const came: unknown[] = []
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, protocols)
    socket.onopen = () => {
      for (const frame of frames) socket.send(JSON.stringify(frame))
    }
    socket.onmessage = (event) => {
      came.push(JSON.parse(event.data as string))
      if (came.length === expect) resolve(came)
    }
    socket.onclose = ({ code }) => resolve([...came, { closed: code }])
  })
}

interface Frame {
  readonly type: string
  readonly data: unknown
  readonly correlation_id: unknown
  readonly trace?: Readonly<Record<string, string>>
}

test('a page asks, subscribes and is told, in a real browser', { skip: NO_BROWSER }, async () => {
  await using server = await chat()
  const tab = await newTab()
  await tab.goto(server.url)
  const frames = [
    { method: 'join', data: { room: 'attic' }, correlation_id: 1 },
    { method: 'say', data: { room: 'attic', text: 'hé' }, correlation_id: 2 },
  ]
  const came = await tab.evaluate(talk, { url: server.url, protocols: [], frames, expect: 4 })
  const [connected, ...rest] = came as Frame[]
  assert.match((connected!.data as { socket_id: string }).socket_id, /^[\da-f-]{36}$/)
  assert.deepEqual(rest, [
    { type: 'result', success: true, data: ['attic'], correlation_id: 1 },
    { type: 'event', event: 'said', data: { text: 'hé' } },
    { type: 'result', success: true, data: null, correlation_id: 2 },
  ])
})

test('a page with a grant sees where its time went', { skip: NO_BROWSER }, async () => {
  await using server = await chat()
  const tab = await newTab()
  await tab.goto(server.url)
  const protocols = ['clew', `clew-grant.${await server.grant()}`]
  const frames = [{ method: 'join', data: { room: 'attic' } }]
  const came = await tab.evaluate(talk, { url: server.url, protocols, frames, expect: 2 })
  const { trace } = came[1] as Frame
  assert.match(trace?.['server-timing'] ?? '', /^total;dur=/)
  assert.ok(trace?.['clew-trace'])
})

test('a page of another host opens no socket', { skip: NO_BROWSER }, async () => {
  await using server = await chat()
  await using other = await chat()
  const tab = await newTab()
  await tab.goto(other.url)
  const came = await tab.evaluate(talk, { url: server.url, protocols: [], frames: [], expect: 1 })
  assert.deepEqual(came, [{ closed: 1006 }])
})
