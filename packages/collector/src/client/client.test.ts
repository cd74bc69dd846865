import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ClientOptions, CollectorError, collectorClient } from './index.ts'

/** A client of somebody who answers so. */
const answering = (
  body: ConstructorParameters<typeof Response>[0],
  init: ResponseInit = {},
  options?: Partial<ClientOptions>,
) =>
  collectorClient({
    url: 'http://collector',
    fetch: async () => new Response(body, init),
    ...options,
  })

const isError = (status: number, code: string) => (error: unknown) =>
  error instanceof CollectorError && error.status === status && error.code === code

/** A body that breaks off behind its beginning. */
const broken = (text: string) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text))
    },
    pull(controller) {
      controller.error(new TypeError('terminated'))
    },
  })

test('whoever is no collector is told from one that does not answer', async () => {
  await assert.rejects(() => answering('<html>').map(), isError(200, 'unreadable'))
  await assert.rejects(() => answering('no', { status: 502 }).map(), isError(502, 'unreadable'))
  const gone = collectorClient({
    url: 'http://collector',
    fetch: () => Promise.reject(new TypeError('fetch failed')),
  })
  await assert.rejects(() => gone.find(), isError(0, 'unreachable'))
  const hangs = collectorClient({
    url: 'http://collector',
    timeoutMs: 10,
    fetch: (_, init) =>
      new Promise((_resolve, reject) => {
        init!.signal!.addEventListener('abort', () => reject(init!.signal!.reason as Error))
      }),
  })
  await assert.rejects(() => hangs.find(), isError(0, 'timeout'))
  const error = { error: { code: 'bad_filter', message: 'no', advice: 'do', position: 3 } }
  await assert.rejects(
    () => answering(JSON.stringify(error), { status: 400 }).analyze(),
    (found) =>
      found instanceof CollectorError &&
      [found.code, found.message, found.advice, found.position].join() === 'bad_filter,no,do,3',
  )
})

test('an answer that breaks off is no answer', async () => {
  await assert.rejects(() => answering(broken('{"asked":')).map(), isError(0, 'unreachable'))
  await assert.rejects(() => answering(broken('{"host":')).trace('ab12'), isError(0, 'unreachable'))
  const tail = answering(broken('id: 1\nevent: missed\ndata: 3\n\nid: 2')).tail()
  assert.deepEqual((await tail.next()).value, { missed: 3 })
  await assert.rejects(() => tail.next(), isError(0, 'unreachable'))
})

test('what was called off rejects with the reason of the signal, whenever that was', async () => {
  const reason = new Error('enough')
  const before = AbortSignal.abort(reason)
  const early = collectorClient({
    url: 'http://collector',
    fetch: async (_, init) => {
      init!.signal!.throwIfAborted()
      return new Response('{}')
    },
  })
  await assert.rejects(() => early.map({ signal: before }), reason)
  const abort = new AbortController()
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      abort.abort(reason)
      controller.error(reason)
    },
  })
  await assert.rejects(() => answering(body).map({ signal: abort.signal }), reason)
})

test('events are read however their bytes come, and the connection is let go of', async () => {
  const bytes = new TextEncoder().encode(
    ': ready\r\n\r\nid: 7\r\nevent: trace\r\ndata: {"id":"ä€😀"}\r\n\r\n: alive\n\nevent: missed\ndata:2\n\n',
  )
  for (const step of [1, 2, 7, 1_000]) {
    let [at, isEnded] = [0, false]
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(bytes.slice(at, at + step))
        at += step
      },
      cancel: () => {
        isEnded = true
      },
    })
    const ids: string[] = []
    const tail = answering(body).tail({ onId: (id) => ids.push(id) })
    assert.deepEqual((await tail.next()).value, { trace: { id: 'ä€😀' } })
    assert.deepEqual((await tail.next()).value, { missed: 2 })
    await tail.return(undefined)
    assert.deepEqual([ids, isEnded], [['7'], true])
  }
})
