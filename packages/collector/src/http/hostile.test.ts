import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { createCollector } from '../collector.ts'
import { serve } from '../serve.ts'
import { memoryStore } from '../store/memory-store.ts'

async function served(t: TestContext) {
  const collector = createCollector({ store: memoryStore() })
  const serving = await serve(collector, { port: 0 })
  t.after(async () => {
    await serving.close(100)
    await collector.close()
  })
  const { url } = serving
  const status = async (path: string, init: RequestInit = {}) =>
    (await fetch(url + path, { ...init, signal: AbortSignal.timeout(10_000) })).status
  return { collector, url, status, port: Number(new URL(url).port) }
}

/** Sends words, then nothing; what comes back until the connection ends. */
function raw(port: number, words: string): { socket: Socket; answer: Promise<string> } {
  const socket = connect(port, '127.0.0.1')
  socket.write(words)
  const answer = new Promise<string>((resolve) => {
    let text = ''
    socket.on('data', (part) => {
      text += String(part)
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
  })
  return { socket, answer }
}

const BEGUN = 'POST /v1/batches HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\nx'

test('bodies that never end keep nobody from asking, and are let go', async (t) => {
  const { status, port } = await served(t)
  const slow = Array.from({ length: 64 }, () => raw(port, BEGUN))
  t.after(() => {
    for (const { socket } of slow) socket.destroy()
  })
  while ((await status('/v1/batches', { method: 'POST', body: 'x' })) !== 429) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.deepEqual([await status('/healthz'), await status('/api/traces')], [200, 200])
  for (const answer of await Promise.all(slow.map((one) => one.answer))) {
    assert.match(answer, /^HTTP\/1.1 408 [\s\S]*"code":"slow"/u)
  }
  assert.equal(await status('/v1/batches', { method: 'POST', body: 'x' }), 400)
})

test('who only asks for the head of a tail does not hold one', async (t) => {
  const { collector, url, status } = await served(t)
  for (let times = 0; times < 5; times++) {
    assert.equal(await status('/api/tail', { method: 'HEAD' }), 200)
  }
  const metrics = await (await fetch(`${url}/metrics`)).text()
  assert.match(metrics, /^clew_collector_tail_readers 0$/mu)
  const head = await collector.fetch(new Request('http://localhost/healthz', { method: 'HEAD' }))
  assert.deepEqual([head.status, await head.text()], [200, ''])
})

test('requests that no client would send are answered, and the collector goes on', async (t) => {
  const { status, port } = await served(t)
  const host = 'host: localhost\r\nconnection: close\r\n'
  const cases: readonly (readonly [string, RegExp])[] = [
    [`GET /${'x'.repeat(40_000)} HTTP/1.1\r\n${host}\r\n`, /^HTTP\/1.1 (431|400)/u],
    [`GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n`, /^HTTP\/1.1 400/u],
    [`GET http://[ HTTP/1.1\r\n${host}\r\n`, /^HTTP\/1.1 4\d\d/u],
    [`GET /api/traces/%ff%00 HTTP/1.1\r\n${host}\r\n`, /^HTTP\/1.1 4\d\d/u],
    [`GET /api/../../etc/passwd HTTP/1.1\r\n${host}\r\n`, /^HTTP\/1.1 404/u],
    [`CONNECT x:1 HTTP/1.1\r\n${host}\r\n`, /^(HTTP\/1.1 4\d\d|$)/u],
    [`\u0016\u0003\u0001`.repeat(50), /^HTTP\/1.1 400/u],
    [
      `POST /v1/batches HTTP/1.1\r\n${host}transfer-encoding: chunked\r\n\r\nzz\r\n`,
      /^(HTTP\/1.1 4\d\d|$)/u,
    ],
  ]
  for (const [words, expected] of cases) {
    assert.match(await raw(port, words).answer, expected, words.slice(0, 60))
  }
  const twice = gzipSync(gzipSync(new Uint8Array(50_000_000)))
  const headers = { 'content-encoding': 'gzip' }
  assert.equal(await status('/v1/batches', { method: 'POST', body: twice, headers }), 400)
  assert.equal(await status('/healthz'), 200)
})

test('readers of a tail are not waited for, and their answer ends well', async () => {
  const collector = createCollector({ store: memoryStore() })
  const serving = await serve(collector, { port: 0 })
  const tail = await fetch(`${serving.url}/api/tail`)
  const whole = tail.text()
  await serving.close(60_000)
  assert.equal(typeof (await whole), 'string')
  await collector.close()
})
