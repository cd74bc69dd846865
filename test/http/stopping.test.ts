import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { ConfigError, proxy, rpc, workerContext } from 'clew'
import { type HttpResult, HttpServer, http } from 'clew/http'
import { exchange, open, parseAnswer, rest, serve, until } from './serve.ts'

/** Lets pass one request after the other, when told. */
function gates() {
  const opened = new Map<string, PromiseWithResolvers<void>>()
  const gate = (name: string) => {
    const known = opened.get(name) ?? Promise.withResolvers<void>()
    opened.set(name, known)
    return known
  }
  let begun = 0
  class Work {
    static readonly name = 'work'
    @http('GET', '/wait/<name>') async wait(_request: Request, name: string): Promise<string> {
      begun++
      await gate(name).promise
      return `done ${name}`
    }
    @http('GET', '/now') now(): string {
      return 'now'
    }
    @http('GET', '/stream/<name>') stream(_request: Request, name: string): HttpResult {
      begun++
      async function* body() {
        yield Buffer.from('begun ')
        await gate(name).promise
        yield Buffer.from('ended')
      }
      return new Response(ReadableStream.from(body()))
    }
  }
  return { Work, open: (name: string) => gate(name).resolve(), begun: () => begun }
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`

describe('stopping', () => {
  it('ends what runs, streams included, and closes their connections', async () => {
    const { Work, open: pass, begun } = gates()
    const server = await serve(Work)
    const waiting = exchange(server.port, get('/wait/a'))
    const streaming = exchange(server.port, get('/stream/b'))
    await until(() => begun() === 2, 'both run')
    let stopped = false
    const stopping = server.running.stop().then(() => {
      stopped = true
    })
    await until(() => nobodyListens(server.port), 'nobody listens')
    pass('a')
    const answer = parseAnswer(await waiting)
    assert.deepEqual([answer.status, answer.body], [200, 'done a'])
    assert.ok(answer.headers.some(([name, value]) => name === 'connection' && value === 'close'))
    assert.equal(stopped, false)
    pass('b')
    assert.equal(parseAnswer(await streaming).body, 'begun ended')
    await stopping
  })

  it('answers requests that come on open connections meanwhile', async () => {
    const { Work, open: pass, begun } = gates()
    const server = await serve(Work, { idleGraceMs: 5000 })
    const socket = await open(server.port)
    const all = rest(socket)
    socket.write(get('/now'))
    const waiting = exchange(server.port, get('/wait/a'))
    await until(() => begun() === 1, 'one runs')
    const stopping = server.running.stop()
    socket.write(get('/now'))
    const text = await all
    assert.equal(text.match(/200 OK/g)?.length, 2)
    assert.match(text, /connection: close\r\n/i)
    pass('a')
    assert.match(await waiting, /done a/)
    // No connection is left, so nobody waits for the grace to end.
    await stopping
  })

  it('answers on connections that the system has made, and this process has not seen', async () => {
    const { Work } = gates()
    const server = await serve(Work)
    const answers = Array.from({ length: 20 }, () => {
      const socket = connect(server.port, '127.0.0.1')
      socket.write(get('/now'))
      return rest(socket)
    })
    await server.running.stop()
    for (const answer of await Promise.all(answers)) assert.match(answer, /now$/)
  })

  it('keeps idle connections as long as clients still send requests by them', async () => {
    const { Work } = gates()
    const graceMs = 400
    const server = await serve(Work, { idleGraceMs: graceMs })
    const sockets = await Promise.all(Array.from({ length: 9 }, () => open(server.port)))
    const answers = sockets.map(rest)
    for (const socket of sockets) socket.write(get('/now'))
    await until(() => sockets.every(({ bytesRead }) => bytesRead > 0), 'all are idle')
    const stopping = server.running.stop()
    for (const [turn, socket] of sockets.entries()) {
      socket.write(get('/now'))
      await answers[turn]
      await new Promise((resolve) => setTimeout(resolve, graceMs / 4))
    }
    for (const answer of answers) assert.equal((await answer).match(/200 OK/g)?.length, 2)
    await stopping
  })

  it('answers requests that came while this process was busy, although the grace is over', async () => {
    const { Work } = gates()
    const graceMs = 300
    const server = await serve(Work, { idleGraceMs: graceMs })
    const socket = await open(server.port)
    const all = rest(socket)
    socket.write(get('/now'))
    await until(() => socket.bytesRead > 0, 'the connection is idle')
    const stopping = server.running.stop()
    await until(() => nobodyListens(server.port), 'nobody listens')
    // From here timers come before sockets.
    await setImmediate()
    socket.write(get('/now'))
    // The bytes have left; nothing here reads them before the timer of the grace is due.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 * graceMs)
    await stopping
    assert.equal((await all).match(/200 OK/g)?.length, 2)
  })

  it('lets workers of HTTP call services of the same process to the end', async () => {
    const gate = Promise.withResolvers<void>()
    let called = false
    class Stock {
      static readonly name = 'stock'
      @rpc async count(): Promise<number> {
        called = true
        await gate.promise
        return 7
      }
    }
    class Shop {
      static readonly name = 'shop'
      stock = proxy<Stock>('stock')
      @http('GET', '/') async get(): Promise<string> {
        return `${await this.stock.count()} ${await this.stock.count()}`
      }
    }
    const server = await serve([Stock, Shop])
    const answer = exchange(server.port, get('/'))
    await until(() => called, 'the call runs')
    const stopping = server.running.stop()
    gate.resolve()
    assert.match(await answer, /7 7$/)
    await stopping
  })

  it('is over at once when killed', async () => {
    let begun = false
    let aborted = false
    class Stuck {
      static readonly name = 'stuck'
      worker = workerContext()
      @http('GET', '/') async get(): Promise<string> {
        begun = true
        await new Promise((resolve) => this.worker.signal.addEventListener('abort', resolve))
        aborted = true
        return ''
      }
    }
    const server = await serve(Stuck, {}, { drainTimeoutMs: 50 })
    const answer = exchange(server.port, get('/'))
    await until(() => begun, 'it runs')
    await server.running.stop()
    assert.equal(await answer, '')
    await until(() => aborted, 'the worker was told')
  })

  it('fails no request in a rolling restart under load', async () => {
    class Slow {
      static readonly name = 'slow'
      @http('POST', '/slow') async slow(request: Request): Promise<string> {
        const text = await request.text()
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 20))
        return text
      }
    }
    const start = (port: number) => serve(Slow, { port, idleGraceMs: 250 }, { maxWorkers: 50 })
    const instances = [await start(0), await start(0)]
    const ports = instances.map(({ port }) => port)
    const balancer = await balance(ports)
    const agent = new Agent({ keepAlive: true, maxSockets: 20 })
    let answered = 0
    let stop = false
    const clients = Array.from({ length: 20 }, async (_, client) => {
      for (let turn = 0; !stop; turn++) {
        const body = `${client}:${turn}`
        assert.equal(await post(agent, balancer.port, '/slow', body), `200 ${body}`)
        answered++
      }
    })
    const failed = Promise.all(clients)
    failed.catch(() => {})
    try {
      for (let round = 0; round < 3; round++) {
        for (const [index, port] of ports.entries()) {
          const before = answered
          await Promise.race([failed, until(() => answered > before + 50, 'requests pass')])
          await instances[index]!.running.stop()
          instances[index] = await start(port)
        }
      }
      stop = true
      await failed
    } finally {
      stop = true
      agent.destroy()
      balancer.server.close()
      for (const { running } of instances) await running.stop()
    }
    assert.ok(answered > 300, `${answered} requests were answered`)
  })
})

/** Ports where nobody listens any more. */
const refused = new Set<number>()

function nobodyListens(port: number): boolean {
  const socket = connect(port, '127.0.0.1')
  socket.once('error', () => refused.add(port)).once('connect', () => socket.destroy())
  return refused.has(port)
}

/** Passes connections on to one of the ports, in turn, or to the other one where nobody listens. */
async function balance(ports: readonly number[]): Promise<{ server: Server; port: number }> {
  let next = 0
  const pass = (client: Socket, choice: number, tries: number) => {
    const upstream = connect(ports[choice % ports.length]!, '127.0.0.1')
    let connected = false
    upstream.once('connect', () => {
      connected = true
      client.pipe(upstream).pipe(client)
      client.on('error', () => upstream.destroy())
    })
    upstream.on('error', () =>
      connected || tries === 0 ? client.destroy() : pass(client, choice + 1, tries - 1),
    )
  }
  const server = createServer((client) => pass(client, next++, 3))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, port: (server.address() as { port: number }).port }
}

function post(agent: Agent, port: number, path: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ agent, port, path, method: 'POST' }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk
      })
      response.once('end', () => resolve(`${response.statusCode} ${text}`)).once('error', reject)
    })
    sent.once('error', reject)
    sent.end(body)
  })
}

describe('starting', () => {
  it('refuses routes that cannot be right, and says why', () => {
    const declare = (methods: string, url: string, options = {}) => {
      class Shop {
        static readonly name = 'shop'
        @http(methods, url, options) get(_request: Request): string {
          return ''
        }
      }
      return Shop
    }
    const wrong: readonly (readonly [string, string, RegExp])[] = [
      ['GET', 'orders', /@http on get: the route "orders" must start with a slash/],
      ['GET', '/<integer:id>', /no converter "integer"; use string, int, float/],
      ['GET', '/<int:id', /cannot be read from "<int:id"/],
      ['GET', '/<int:1d>', /cannot be read/],
      ['GET', '/<a>/<a>', /two variables named a/],
      ['GET', '/<int(length=3):id>', /there is no argument length; use fixed_digits, min, max/],
      ['GET', '/<int(min=x):id>', /min must be a number/],
      ['GET', '/<string(length=1.5):id>', /length must be a whole number/],
      ['GET', '/<any:id>', /any needs its items/],
      ['GET', '/<path(1):id>', /at most 0 arguments/],
      ['GET', '/<int(=):id>', /cannot be read from =/],
      ['FETCH', '/', /"FETCH" is no method of HTTP/],
      ['CONNECT', '/', /"CONNECT" is no method of HTTP/],
      ['GET,', '/', /"" is no method of HTTP/],
    ]
    for (const [methods, url, reason] of wrong) {
      assert.throws(
        () => declare(methods, url),
        (error) => error instanceof ConfigError && reason.test(error.message),
        `${methods} ${url}`,
      )
    }
    assert.throws(
      () => declare('GET', '/', { timeoutMs: 0 }),
      /timeoutMs must be a positive number/,
    )
    assert.throws(() => {
      class Shop {
        static readonly name = 'shop'
        // @ts-expect-error the route has one value
        @http('GET', '/<int:id>') get(_request: Request, _id: number, _more: string): string {
          return ''
        }
      }
      return Shop
    }, /needs 3 arguments, but gets the request and 1 values from \/<int:id>/)
  })

  it('refuses two methods for the same requests, of one service or of several', async () => {
    class Shop {
      static readonly name = 'shop'
      @http('GET', '/orders/<int:id>') get(): string {
        return ''
      }
    }
    class Other {
      static readonly name = 'other'
      @http('GET,POST', '/orders/<int:order>') read(): string {
        return ''
      }
    }
    class Fine {
      static readonly name = 'fine'
      @http('POST', '/orders/<int:id>') post(): string {
        return ''
      }
      @http('GET', '/orders/<id>') text(): string {
        return ''
      }
    }
    await assert.rejects(
      serve([Shop, Other]),
      /ConfigError: (shop\.get and other\.read|other\.read and shop\.get) would answer the same requests/,
    )
    await using _fine = await serve([Shop, Fine])
  })

  it('refuses settings that cannot be right', async () => {
    class Shop {
      static readonly name = 'shop'
      @http('GET', '/') get(): string {
        return ''
      }
    }
    const start = (config: Record<string, unknown>) => serve(Shop, {}, { config })
    await assert.rejects(
      start({ http: { prot: 1 } }),
      /no setting http\.prot; the settings are server, host, port/,
    )
    await assert.rejects(
      start({ http: { port: '80' } }),
      /http\.port must be a whole number from 0 to 65535/,
    )
    await assert.rejects(start({ http: { maxBodyBytes: 0 } }), /from 1 to 2147483647; got 0/)
    await assert.rejects(start({ http: { host: 7 } }), /http\.host must be/)
    await assert.rejects(start({ http: { errorTexts: 'some' } }), /'expected' or 'all'/)
    await assert.rejects(start({ http: [] }), /must be an object/)
    await assert.rejects(start({ WEB_SERVER_ADDRESS: 'x:y' }), /Misconfigured bind address "x:y"/)
    await assert.rejects(
      start({ WEB_SERVER_ADDRESS: '0.0.0.0:70000' }),
      /Misconfigured bind address/,
    )
    await assert.rejects(
      start({ WEB_SERVER_ADDRESS: '203.0.113.1:0' }),
      /cannot listen on 203\.0\.113\.1:0: this machine has no such address/,
    )
    for (const WEB_SERVER_ADDRESS of ['127.0.0.1:0', '0', ':0', '[::1]:0']) {
      await using server = await serve(Shop, {}, { config: { WEB_SERVER_ADDRESS } })
      assert.equal((await fetch(server.url)).status, 200, WEB_SERVER_ADDRESS)
    }
  })

  it('says what to do when the port is taken', async () => {
    class Shop {
      static readonly name = 'shop'
      @http('GET', '/') get(): string {
        return ''
      }
    }
    await using server = await serve(Shop)
    await assert.rejects(serve(Shop, { port: server.port }), (error) => {
      assert.ok(error instanceof ConfigError)
      assert.match(
        error.message,
        /cannot listen on 127\.0\.0\.1:\d+: something listens there already/,
      )
      return true
    })
    assert.equal((await fetch(server.url)).status, 200)
  })

  it('has no web server where nobody asks for one', async () => {
    class Plain {
      static readonly name = 'plain'
      @rpc get(): string {
        return ''
      }
    }
    await assert.rejects(serve(Plain), /no service asked for a shared HttpServer/)
    assert.throws(() => new HttpServer().url, /was not started/)
  })
})
