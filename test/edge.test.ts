import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { memory, type Plugin, proxy, rpc, run, type ServiceClass } from 'clew'
import { HttpServer, http, httpWith } from 'clew/http'
import {
  type GrantClaims,
  generateGrantKey,
  grantIssuer,
  grantVerifier,
  importGrantKeys,
  type ProfileOptions,
  profile,
} from 'clew/profile'
import { eventually } from 'clew/testing'
import { type CallNode, callTree, type Trace } from 'clew/trace'
import { readPiece } from 'clew/trace/blocks'
import { websocket } from 'clew/websocket'
import { WebSocket } from 'ws'
import { raw, requestOf } from './raw-http.ts'
import { tapOn } from './tap.ts'

const SECRET_HOST = 'secret-host-of-the-inside'
const FOREIGN = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`

class SecretStock {
  static readonly name = 'secret_stock'
  @rpc async secret_count(): Promise<number> {
    return 7
  }
}

class SecretOrders {
  static readonly name = 'secret_orders'
  stock = proxy<SecretStock>('secret_stock')
  @rpc async secret_order(id: number): Promise<string> {
    return `order ${id} of ${await this.stock.secret_count()}`
  }
  @rpc async secret_failure(): Promise<void> {
    throw new RangeError('secret_text of secret_orders')
  }
}

class OutOfStock extends Error {}

class Gateway {
  static readonly name = 'gateway'
  orders = proxy<SecretOrders>('secret_orders')
  unknown = proxy<SecretOrders>('secret_nobody')
  @http('GET', '/orders/<int:id>') async get(_: Request, id: number): Promise<string> {
    return this.orders.secret_order(id)
  }
  @http('GET', '/many/<int:count>') async many(_: Request, count: number): Promise<string> {
    for (let at = 0; at < count; at++) await this.orders.secret_order(at)
    return 'done'
  }
  @http('GET', '/broken') async broken(): Promise<string> {
    await this.orders.secret_failure()
    return ''
  }
  @http('GET', '/nobody') async nobody(): Promise<string> {
    return this.unknown.secret_order(1)
  }
  @http('GET', '/wrong') async wrong(): Promise<string> {
    return (this.orders.secret_order as (...args: unknown[]) => Promise<string>)(1, 2, 3)
  }
  @http('GET', '/empty', { expectedErrors: [OutOfStock] }) empty(): string {
    throw new OutOfStock('nothing is left')
  }
  @websocket async secret_socket_method(_socket: string, { id }: { id: number }): Promise<string> {
    return this.orders.secret_order(id)
  }
  @websocket async secret_socket_failure(_socket: string, _: { id: number }): Promise<string> {
    await this.orders.secret_failure()
    return ''
  }
  @http('POST', '/echo') async echo(request: Request): Promise<string> {
    return request.text()
  }
}

async function keysOf() {
  const made = await generateGrantKey()
  const [key] = await importGrantKeys(made.private)
  const [verifying] = await importGrantKeys(made.public!)
  const issuer = grantIssuer({ key: key! })
  const grant = (claims: Partial<GrantClaims> = {}) =>
    issuer.issue({ subject: 'customer', audience: 'gateway', scope: 'full', ...claims })
  return { verifying: verifying!, issuer, grant }
}

async function gateway(use: Plugin[], log: (message: string) => void = () => {}) {
  const running = await run([Gateway, SecretOrders, SecretStock] as ServiceClass[], {
    broker: memory(),
    use,
    signals: false,
    log: ({ message }) => log(message),
    config: { http: { host: '127.0.0.1', port: 0 } },
  })
  const { url } = running.shared(HttpServer)
  return { url, port: Number(new URL(url).port), [Symbol.asyncDispose]: () => running.stop() }
}

async function profiled(options: ProfileOptions = {}) {
  const keys = await keysOf()
  const logged: string[] = []
  const access = { verify: grantVerifier({ keys: [keys.verifying] }) }
  const use = [profile({ access, host: SECRET_HOST, ...options })]
  const served = await gateway(use, (message) => void logged.push(message))
  return Object.assign(served, keys, { logged })
}

const LINES: readonly (readonly [line: string, body?: string])[] = [
  ['GET /orders/1'],
  ['HEAD /orders/1'],
  ['GET /many/3'],
  ['GET /broken'],
  ['GET /nobody'],
  ['GET /wrong'],
  ['GET /empty'],
  ['GET /orders/x'],
  ['GET /nowhere'],
  ['DELETE /orders/1'],
  ['POST /echo', 'hello'],
]

test('without a valid grant a response is byte for byte that of an untraced service', async () => {
  await using plain = await gateway([])
  await using traces = await profiled()
  await using closed = await gateway([profile({ host: SECRET_HOST })])
  const used = await traces.grant()
  assert.match(
    await raw(traces.port, requestOf('GET /orders/1', { 'clew-grant': used })),
    /clew-trace: /,
  )
  const context = { traceparent: FOREIGN, tracestate: 'a=b', baggage: 'c=d', b3: '1' }
  const cases: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    nothing: {},
    context,
    malformed: { traceparent: 'ff-1-2-3', tracestate: ';;;' },
    garbage: { ...context, 'clew-grant': 'garbage' },
    replayed: { ...context, 'clew-grant': used },
    'for another audience': { ...context, 'clew-grant': await traces.grant({ audience: 'x' }) },
    'of the scope none': { 'clew-grant': await traces.grant({ scope: 'none', uses: 99 }) },
    'by an unknown key': { 'clew-grant': await (await keysOf()).grant() },
    'under another name': { authorization: `Bearer ${await traces.grant()}` },
  }
  for (const [line, body] of LINES) {
    for (const [which, headers] of Object.entries(cases)) {
      const request = requestOf(line, headers, body)
      const expected = await raw(plain.port, request)
      assert.match(expected, /^HTTP\/1\.1 \d{3} /)
      assert.equal(await raw(traces.port, request), expected, `${line}, grant: ${which}`)
      assert.equal(await raw(closed.port, request), expected, `${line}, no access, grant: ${which}`)
    }
  }
})

test('a header of 10 MB harms nobody', async () => {
  await using traces = await profiled()
  for (const bytes of [5_000, 20_000, 10 * 1024 * 1024]) {
    const request = requestOf('GET /orders/1', { 'clew-grant': 'x'.repeat(bytes) })
    const answer = await raw(traces.port, request)
    if (bytes < 10_000) assert.match(answer, /200 OK[\s\S]*order 1 of 7/)
    else assert.match(answer, /^(HTTP\/1\.1 431 |$)/)
    assert.doesNotMatch(answer, /clew-trace/)
  }
  assert.match(await raw(traces.port, requestOf('GET /orders/1', {})), /200 OK[\s\S]*order 1 of 7/)
})

const namesIn = (call: CallNode): string[] => [
  `${call.service} ${call.method}`,
  ...call.calls.flatMap(namesIn),
]

async function shown(url: string, headers: Readonly<Record<string, string>>) {
  const response = await fetch(url, { headers })
  await response.text()
  const text = response.headers.get('clew-trace')
  const trace = text === null ? undefined : readPiece(Buffer.from(text, 'base64url'))
  return { response, text, trace: trace as Trace, timing: response.headers.get('server-timing') }
}

test('each scope shows what it says', async () => {
  await using shop = await profiled()
  const look = async (scope: GrantClaims['scope'], path = '/orders/1') =>
    shown(shop.url + path, { 'clew-grant': await shop.grant({ scope }) })
  const own = 'gateway GET /orders/{id}'
  const full = await look('full')
  const inside = ['secret_orders secret_order', 'secret_stock secret_count']
  assert.deepEqual(namesIn(callTree(full.trace).root), [own, ...inside])
  assert.equal(callTree(full.trace).root.host, SECRET_HOST)
  assert.match(full.timing!, /^total;dur=[\d.]+, self;dur=[\d.]+, wait;dur=[\d.]+$/)
  const traceparent = full.response.headers.get('traceparent')!
  assert.equal(traceparent.slice(3, 35), full.trace.id)
  assert.equal(full.response.headers.get('cache-control'), 'private, no-store')
  const partner = await look('own')
  const merged = [own, 'secret_orders secret_order', 'internal internal']
  assert.deepEqual(namesIn(callTree(partner.trace).root), merged)
  const total = await look('total')
  assert.deepEqual(namesIn(callTree(total.trace).root), [own])
  assert.match(total.timing!, /^total;dur=\d+$/)
  const none = await look('none')
  assert.deepEqual([none.text, none.timing], [null, null])
  const failed = callTree((await look('own', '/broken')).trace)
  assert.deepEqual([failed.root.status, failed.root.error], ['error', 'RangeError'])
  assert.equal(callTree((await look('total', '/broken')).trace).root.error, undefined)
})

test('only with a valid grant a foreign trace is continued', async () => {
  await using shop = await profiled()
  for (const scope of ['full', 'own', 'total'] as const) {
    const headers = { 'clew-grant': await shop.grant({ scope }), traceparent: FOREIGN }
    const { trace, response } = await shown(`${shop.url}/orders/1`, headers)
    assert.equal(trace.id, 'a'.repeat(32))
    assert.equal(response.headers.get('traceparent')?.slice(3, 35), 'a'.repeat(32))
    const root = trace.entries.find(({ kind }) => kind === 'rpc-receive')
    assert.equal(root?.parent, 'b'.repeat(16))
  }
  const fresh = await shown(`${shop.url}/orders/1`, { 'clew-grant': await shop.grant() })
  assert.notEqual(fresh.trace.id, 'a'.repeat(32))
})

test('a stranger starts a trace of ours, which keeps what they called theirs', async () => {
  const taken: Trace[] = []
  const counts = { taken: 0, written: 0, dropped: 0 }
  const sink = { flush: async () => {}, close: async () => {}, counts }
  await using shop = await profiled({ sink: { ...sink, take: (trace) => void taken.push(trace) } })
  await raw(shop.port, requestOf('GET /orders/1', { traceparent: FOREIGN }))
  await eventually(() => assert.equal(taken.length, 1))
  const [trace] = taken
  assert.notEqual(trace?.id, 'a'.repeat(32))
  const receive = trace?.entries.find(({ kind }) => kind === 'rpc-receive')
  assert.deepEqual(receive?.foreign, { trace: 'a'.repeat(32), parent: 'b'.repeat(16) })
  assert.equal(callTree(trace!).calls, 3)
})

test('where strangers share the broker, only a grant of everything continues a foreign trace', async () => {
  const keys = await keysOf()
  const access = { verify: grantVerifier({ keys: [keys.verifying] }) }
  const grant = keys.issuer.source({ subject: 'inside', scope: 'full' })
  await using shop = await gateway([profile({ access, require: 'grant', grant })])
  const look = async (scope: GrantClaims['scope']) => {
    const headers = { 'clew-grant': await keys.grant({ scope }), traceparent: FOREIGN }
    return (await shown(`${shop.url}/orders/1`, headers)).trace
  }
  const [full, own] = [await look('full'), await look('own')]
  assert.equal(full.id, 'a'.repeat(32))
  assert.notEqual(own.id, 'a'.repeat(32))
  // Services show grants of their own to each other, so the tree is whole.
  assert.equal(callTree(full).calls, 3)
  assert.equal(callTree(own).calls, 3)
})

test('context data made of headers steer no traces', async () => {
  const taken: Trace[] = []
  const counts = { taken: 0, written: 0, dropped: 0 }
  const sink = { flush: async () => {}, close: async () => {}, counts }
  class Trusting extends HttpServer {
    override contextFromHeaders(headers: Headers) {
      return Object.fromEntries(headers)
    }
  }
  const trusting = httpWith({ server: Trusting })
  class Door {
    static readonly name = 'door'
    @trusting('GET', '/') async knock(): Promise<string> {
      return 'come in'
    }
  }
  const take = (trace: Trace) => void taken.push(trace)
  await using running = await run(Door as ServiceClass, {
    broker: memory(),
    use: [profile({ sink: { ...sink, take } })],
    signals: false,
    log: () => {},
    config: { http: { host: '127.0.0.1', port: 0 } },
  })
  await (await fetch(running.shared(Trusting).url, { headers: { traceparent: FOREIGN } })).text()
  await eventually(() => assert.equal(taken.length, 1))
  assert.notEqual(taken[0]!.id, 'a'.repeat(32))
  const receive = taken[0]!.entries.find(({ kind }) => kind === 'rpc-receive')
  assert.equal(receive?.foreign?.trace, 'a'.repeat(32))
})

test('views fit into a header, however large the tree', async () => {
  await using shop = await profiled()
  for (const scope of ['full', 'own', 'total'] as const) {
    const headers = { 'clew-grant': await shop.grant({ scope }) }
    const { text, trace } = await shown(`${shop.url}/many/800`, headers)
    assert.ok(text!.length <= 8192, `${scope}: ${text!.length}`)
    const tree = callTree(trace)
    assert.equal(tree.root.service, 'gateway')
    if (scope === 'full') assert.equal(tree.calls + tree.missingCalls, 1601)
    const merged = tree.root.folds.reduce((sum, { count }) => sum + count, 0)
    if (scope !== 'total') assert.equal(tree.root.calls.length + merged, 800)
  }
})

test('without a grant nothing of the inside is in the packets of a thousand requests', async () => {
  await using shop = await profiled()
  await using tap = await tapOn({ host: '127.0.0.1', port: shop.port })
  const searched = async (headers: Readonly<Record<string, string>>, rounds: number) => {
    tap.clear()
    for (let round = 0; round < rounds; round++) {
      await Promise.all(LINES.map(([line, body]) => raw(tap.port, requestOf(line, headers, body))))
    }
    const heard = tap.heard().toString('latin1')
    const traces = [...heard.matchAll(/^clew-trace: (\S+)/gim)].map(([, text]) => text!)
    const inside = traces.map((text) => Buffer.from(text, 'base64url').toString('latin1'))
    const all = [heard, ...inside].join('\n')
    const names = [/secret\w*/g, /clew/gi, /traceparent/gi, /server-timing/gi]
    const found = names.flatMap((name) => all.match(name) ?? [])
    assert.ok(heard.length > 100 * rounds, 'the tap hears')
    return [...new Set(found)].sort()
  }
  const strangers = { traceparent: FOREIGN, 'clew-grant': 'garbage', baggage: 'debug=1' }
  assert.deepEqual(await searched({}, 50), [])
  assert.deepEqual(await searched(strangers, 50), [])
  const own = await searched({ 'clew-grant': await shop.grant({ scope: 'own', uses: 1000 }) }, 5)
  for (const name of ['secret_stock', 'secret_count', 'secret_text', SECRET_HOST]) {
    assert.ok(!own.includes(name), name)
  }
  assert.ok(own.includes('secret_order'))
  const total = await searched(
    { 'clew-grant': await shop.grant({ scope: 'total', uses: 1000 }) },
    5,
  )
  assert.deepEqual(
    total.filter((name) => name.startsWith('secret')),
    [],
  )
})

/** Frames that answer requests sent one by one over a socket, without the id of the socket. */
async function framesOf(
  port: number,
  headers: Readonly<Record<string, string>>,
  methods: readonly string[],
): Promise<string[]> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers })
  const frames: string[] = []
  let next = Promise.withResolvers<void>()
  socket.on('message', (frame) => {
    frames.push(String(frame).replace(/"socket_id":\s*"[^"]+"/, '"socket_id":"-"'))
    next.resolve()
  })
  await next.promise
  for (const method of methods) {
    next = Promise.withResolvers<void>()
    socket.send(`{"method":"${method}","data":{"id":1},"correlation_id":7}`)
    await next.promise
  }
  socket.terminate()
  return frames
}

test('frames of a socket without a grant are those of an untraced service; with one they bring a view', async () => {
  await using plain = await gateway([])
  await using traces = await profiled()
  const methods = [
    'secret_socket_method',
    'secret_socket_failure',
    'nothing',
    'secret_socket_method',
  ]
  const expected = await framesOf(plain.port, {}, methods)
  assert.equal(expected.length, 5)
  assert.match(expected[1]!, /order 1 of 7/)
  // What the inside says of its failure stays there.
  assert.doesNotMatch(expected[2]!, /secret/)
  for (const headers of [{}, { 'clew-grant': 'garbage', traceparent: FOREIGN }]) {
    assert.deepEqual(await framesOf(traces.port, headers, methods), expected)
  }
  const uses = 2
  const granted = { 'clew-grant': await traces.grant({ scope: 'own', uses }), traceparent: FOREIGN }
  const frames = await framesOf(traces.port, granted, methods)
  const brought = frames.map((frame) => JSON.parse(frame).trace as Record<string, string>)
  const [, first] = brought
  const read = (headers: Record<string, string>) =>
    readPiece(Buffer.from(headers['clew-trace']!, 'base64url'))!
  assert.equal(read(first!).id, 'a'.repeat(32))
  // The second request is covered too, but the socket's trace context was for the first.
  assert.notEqual(read(brought[2]!).id, 'a'.repeat(32))
  assert.deepEqual([brought[3], brought[4]], [undefined, undefined])
})

test('a grant that expired while its socket was silent shows nothing', async () => {
  await using traces = await profiled()
  const token = await traces.grant({ scope: 'full', expiresSeconds: 1 })
  const socket = new WebSocket(`ws://127.0.0.1:${traces.port}/ws`, {
    headers: { 'clew-grant': token },
  })
  await once(socket, 'message')
  await setTimeout(1100)
  socket.send('{"method":"secret_socket_method","data":{"id":1}}')
  const [frame] = await once(socket, 'message')
  assert.match(String(frame), /order 1 of 7/)
  assert.equal((JSON.parse(String(frame)) as { trace?: unknown }).trace, undefined)
  socket.terminate()
})

test('refused grants are told to the log, and nobody outside can flood it', async () => {
  await using shop = await profiled()
  for (let at = 0; at < 50; at++) {
    await raw(shop.port, requestOf('GET /orders/1', { 'clew-grant': 'garbage\u0001' }))
    await raw(shop.port, requestOf('GET /orders/1', { 'clew-grant': 'garbage' }))
  }
  const told = shop.logged.filter((message) => message.includes('refused'))
  assert.deepEqual(told, [
    'a grant for gateway was refused (malformed): it is no token of three parts',
  ])
})
