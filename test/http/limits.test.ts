import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { workerContext } from 'clew'
import { type HttpResult, HttpServer, http, type Middleware } from 'clew/http'
import { eventually } from 'clew/testing'
import { exchange, open, parseAnswer, rest, serve, until } from './serve.ts'

class Echo {
  static readonly name: string = 'echo'
  @http('POST', '/echo') echo(request: Request): Promise<string> {
    return request.text()
  }
  @http('POST', '/deaf') deaf(): string {
    return 'not read'
  }
  @http('GET', '/') home(): string {
    return 'home'
  }
}

const big = 'x'.repeat(2000)

describe('limits', () => {
  it('refuse bodies that are too large, announced or not', async () => {
    await using server = await serve(Echo, { maxBodyBytes: 1000 })
    const url = `${server.url}/echo`
    const announced = await exchange(
      server.port,
      `POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n`,
    )
    assert.equal(parseAnswer(announced).status, 413)
    const unannounced = await fetch(url, {
      method: 'POST',
      body: ReadableStream.from([Buffer.from(big)]),
      duplex: 'half',
    })
    assert.equal(unannounced.status, 413)
    assert.equal(
      await unannounced.text(),
      'Error: BodyTooLarge: the body has more than 1000 bytes\n',
    )
    const fits = await fetch(url, { method: 'POST', body: big.slice(0, 1000) })
    assert.equal(await fits.text(), big.slice(0, 1000))
  })

  it('answer what nobody reads, and go on with the next connection', async () => {
    await using server = await serve(Echo)
    const body = 'x'.repeat(500_000)
    const answer = await fetch(`${server.url}/deaf`, { method: 'POST', body })
    assert.equal(await answer.text(), 'not read')
    assert.equal(await (await fetch(server.url)).text(), 'home')
  })

  it('refuse headers that are too large', async () => {
    await using server = await serve(Echo, { maxHeaderBytes: 1000 })
    const text = await exchange(server.port, `GET / HTTP/1.1\r\nHost: x\r\nX-Big: ${big}\r\n\r\n`)
    assert.equal(parseAnswer(text).status, 431)
  })

  it('refuse requests that name two hosts, or a password', async () => {
    await using server = await serve(Echo)
    for (const [target, hosts] of [
      ['/', 'Host: a\r\nHost: b\r\n'],
      ['/', 'Host: a\r\nhost: a\r\n'],
      ['http://user:password@a/', 'Host: a\r\n'],
      ['http://user@a/', 'Host: a\r\n'],
    ]) {
      const text = await exchange(
        server.port,
        `GET ${target} HTTP/1.1\r\n${hosts}Connection: close\r\n\r\n`,
      )
      assert.equal(parseAnswer(text).status, 400, target)
    }
    assert.equal(await (await fetch(server.url)).text(), 'home')
  })

  it('end slow headers', async () => {
    await using server = await serve(Echo, { headersTimeoutMs: 100 })
    const text = await exchange(server.port, 'GET / HTTP/1.1\r\nHost: x\r\nX-Slow:')
    assert.equal(parseAnswer(text).status, 408)
    assert.equal(await (await fetch(server.url)).text(), 'home')
  })

  it('end slow bodies, and the request that waits for them', async () => {
    let failure: unknown
    class Patient {
      static readonly name = 'patient'
      @http('POST', '/') async read(request: Request): Promise<string> {
        return request.text().catch((error) => {
          failure = error
          throw error
        })
      }
    }
    await using server = await serve(Patient, { requestTimeoutMs: 200 })
    const slow = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nslow'
    assert.match(await exchange(server.port, slow), /^(HTTP\/1\.1 408|$)/)
    await until(() => failure instanceof Error, 'whoever reads the body was told')
  })

  it('close idle connections', async () => {
    await using server = await serve(Echo, { idleTimeoutMs: 50 })
    const text = await exchange(server.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    assert.match(text, /home$/)
  })

  it('close connections whose client leaves a response unread', async () => {
    let cancelled = false
    class Flood {
      static readonly name = 'flood'
      @http('GET', '/') flood(): Response {
        const body = new ReadableStream({
          pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
          cancel: () => {
            cancelled = true
          },
        })
        return new Response(body)
      }
    }
    await using server = await serve(Flood, { stallTimeoutMs: 100 })
    const socket = await open(server.port)
    socket.on('error', () => {})
    socket.pause()
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await until(() => cancelled, 'the body was cancelled')
    socket.destroy()
  })

  it('let so many requests wait, and answer 503 to more', async () => {
    const gate = Promise.withResolvers<void>()
    let running = 0
    class Busy {
      static readonly name = 'busy'
      @http('GET', '/') async work(): Promise<string> {
        running++
        await gate.promise
        return 'done'
      }
    }
    await using server = await serve(Busy, { maxWaiting: 2 }, { maxWorkers: 1 })
    const first = [0, 1, 2].map(() => fetch(server.url))
    await until(() => running === 1, 'one works')
    let refused = 0
    while (refused === 0) {
      const answer = await Promise.race([fetch(server.url), ...first])
      if (answer.status !== 503) continue
      refused++
      assert.equal(answer.headers.get('retry-after'), '1')
      assert.doesNotMatch(await answer.text(), /busy/)
    }
    gate.resolve()
    const answers = await Promise.all(first)
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200],
    )
    assert.equal((await fetch(server.url)).status, 200)
  })

  it('hold for clients that leave as well: no more is worked on at a time than there are workers', async () => {
    const gate = Promise.withResolvers<void>()
    const begun: string[] = []
    let left = 0
    let running = 0
    let most = 0
    class Busy {
      static readonly name = 'busy'
      @http('GET', '/<name>') async work(_request: Request, name: string): Promise<string> {
        begun.push(name)
        most = Math.max(most, ++running)
        await gate.promise
        running--
        return name
      }
    }
    const asked: string[] = []
    class Web extends HttpServer {
      override middleware(): readonly Middleware[] {
        return [
          ({ req }, next) => {
            asked.push(req.url)
            req.raw.signal.addEventListener('abort', () => left++)
            return next()
          },
        ]
      }
    }
    await using server = await serve(Busy, { server: Web }, { maxWorkers: 1 })
    const leaving = new AbortController()
    const ask = (name: string, signal: AbortSignal | null = null) =>
      fetch(`${server.url}/${name}`, { signal }).then(
        (answer) => answer.text(),
        () => 'left',
      )
    const early = ask('works', leaving.signal)
    await until(() => begun.length === 1, 'it works')
    const inLine = ask('waits', leaving.signal)
    await until(() => asked.length === 2, 'another waits')
    leaving.abort()
    assert.deepEqual(await Promise.all([early, inLine]), ['left', 'left'])
    await until(() => left === 2, 'the server knows')
    const stays = ask('stays')
    await until(() => asked.length === 3, 'a third one waits')
    gate.resolve()
    assert.equal(await stays, 'stays')
    assert.deepEqual([begun, most], [['works', 'stays'], 1])
  })

  it('end requests at their deadline even where no worker has become free for them', async () => {
    const gate = Promise.withResolvers<void>()
    let begun = 0
    class Stuck {
      static readonly name = 'stuck'
      @http('GET', '/stuck') async stuck(): Promise<string> {
        begun++
        await gate.promise
        return 'at last'
      }
      @http('GET', '/quick', { timeoutMs: 50 }) quick(): string {
        begun++
        return 'quick'
      }
    }
    await using server = await serve(Stuck, {}, { maxWorkers: 1 })
    const stuck = fetch(`${server.url}/stuck`)
    await until(() => begun === 1, 'the worker is busy')
    assert.equal((await fetch(`${server.url}/quick`)).status, 504)
    assert.equal(begun, 1)
    gate.resolve()
    assert.equal(await (await stuck).text(), 'at last')
    assert.equal(await (await fetch(`${server.url}/quick`)).text(), 'quick')
  })

  it('end the work of who left at its deadline, so that its place is not lost', async () => {
    let begun = 0
    class Lost {
      static readonly name = 'lost'
      @http('GET', '/', { timeoutMs: 50 }) async lost(): Promise<string> {
        if (++begun === 1) await new Promise(() => {})
        return 'found'
      }
    }
    await using server = await serve(Lost, {}, { maxWorkers: 1, drainTimeoutMs: 100 })
    const leaving = new AbortController()
    const left = fetch(server.url, { signal: leaving.signal }).catch(() => 'left')
    await until(() => begun === 1, 'it works')
    leaving.abort()
    assert.equal(await left, 'left')
    const answers = async () => (await fetch(server.url)).status === 200
    await eventually(answers)
  })

  it('end requests at their deadline, which aborts the worker', async () => {
    let aborted = false
    class Slow {
      static readonly name = 'slow'
      worker = workerContext()
      @http('GET', '/', { timeoutMs: 50 }) async slow(): Promise<string> {
        const { signal } = this.worker
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        aborted = true
        return 'late'
      }
    }
    await using server = await serve(Slow)
    const answer = await fetch(server.url)
    assert.equal(answer.status, 504)
    assert.equal(await answer.text(), 'Error: Timeout: the answer took too long\n')
    await until(() => aborted, 'the worker was told')
  })

  it('abort the worker when the client goes away, while it works and while it streams', async () => {
    const ended: string[] = []
    let begun = false
    class Long {
      static readonly name = 'long'
      worker = workerContext()
      @http('GET', '/work') async work(): Promise<string> {
        const { signal } = this.worker
        begun = true
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        ended.push('work')
        return ''
      }
      @http('GET', '/stream') stream(request: Request): HttpResult {
        const { signal } = this.worker
        signal.addEventListener('abort', () => ended.push('worker'))
        request.signal.addEventListener('abort', () => ended.push('request'))
        const body = new ReadableStream({
          start: (controller) => controller.enqueue(Buffer.from('first')),
          cancel: () => {
            ended.push('body')
          },
        })
        return new Response(body)
      }
    }
    await using server = await serve(Long)
    const leaving = new AbortController()
    const left = fetch(`${server.url}/work`, { signal: leaving.signal }).catch(() => 'left')
    await until(() => begun, 'it works')
    leaving.abort()
    assert.equal(await left, 'left')
    await until(() => ended.includes('work'), 'the worker was told')
    const stream = await fetch(`${server.url}/stream`)
    const reader = stream.body!.getReader()
    await reader.read()
    await reader.cancel()
    await until(() => ended.length === 4, 'signals and body of the stream were told')
    assert.deepEqual(ended.slice(1).sort(), ['body', 'request', 'worker'])
  })

  it('tell of uploads that break off, but not as faults of the service', async () => {
    let begun = false
    class Reading {
      static readonly name = 'reading'
      @http('POST', '/') read(request: Request): Promise<string> {
        begun = true
        return request.text()
      }
    }
    await using server = await serve(Reading)
    const socket = await open(server.port)
    socket.on('error', () => {})
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx')
    await until(() => begun, 'it is read')
    socket.resetAndDestroy()
    await until(() => server.logged.length === 2, 'it was told')
    for (const { level, message } of server.logged) {
      assert.equal(level, 'info')
      assert.match(message, /its caller went away/)
    }
  })

  it('keep a stream no longer than its client reads it', async () => {
    let pulled = 0
    class Endless {
      static readonly name = 'endless'
      @http('GET', '/') endless(): Response {
        const body = new ReadableStream({
          pull: (controller) => {
            pulled++
            controller.enqueue(new Uint8Array(65_536))
          },
        })
        return new Response(body)
      }
    }
    await using server = await serve(Endless)
    const socket = await open(server.port)
    socket.on('error', () => {})
    socket.pause()
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    let before = -1
    await until(() => {
      const still = pulled > 0 && pulled === before
      before = pulled
      return still
    }, 'the source waits')
    assert.ok(pulled < 500, `${pulled} chunks of 64 KiB were made for a client that reads nothing`)
    socket.destroy()
  })

  it('cut a stream off when its source fails, and tell nobody outside why', async () => {
    class Failing {
      static readonly name = 'failing'
      @http('GET', '/late') late(): Response {
        return new Response(ReadableStream.from(failing(true)))
      }
      @http('GET', '/early') early(): Response {
        return new Response(ReadableStream.from(failing(false)))
      }
    }
    async function* failing(late: boolean): AsyncGenerator<Uint8Array> {
      if (late) {
        yield Buffer.from('begun')
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      throw new Error('secret source')
    }
    await using server = await serve(Failing)
    const late = await exchange(server.port, 'GET /late HTTP/1.1\r\nHost: x\r\n\r\n')
    assert.match(late, /begun/)
    assert.doesNotMatch(late, /secret|\r\n0\r\n\r\n/)
    const early = await fetch(`${server.url}/early`)
    assert.equal(early.status, 500)
    assert.doesNotMatch(await early.text(), /secret/)
    assert.equal(server.logged.filter(({ message }) => /broke off/.test(message)).length, 2)
  })
})

describe('bad requests', () => {
  const requests: Readonly<Record<string, string>> = {
    'no HTTP': 'hello\r\n\r\n',
    'no host': 'GET / HTTP/1.1\r\n\r\n',
    'a broken host': 'GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n',
    'a host with a path': 'GET / HTTP/1.1\r\nHost: a/b?c\r\nConnection: close\r\n\r\n',
    'no path': 'GET * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    'another scheme': 'GET ftp://x/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    'two lengths':
      'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    'length and chunks':
      'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'a broken header': 'GET / HTTP/1.1\r\nHost: x\r\nbroken\r\n\r\n',
    'a broken chunk': 'POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    'a negative length': 'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
    'a zero byte': 'GET /\0 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
  }
  for (const [name, request] of Object.entries(requests)) {
    it(`with ${name} get 400, and the server goes on`, async () => {
      await using server = await serve(Echo)
      const text = await exchange(server.port, request)
      assert.match(text, /^HTTP\/1\.1 400 /)
      assert.equal(await (await fetch(server.url)).text(), 'home')
    })
  }

  it('old clients and proxies are answered', async () => {
    await using server = await serve(Echo)
    assert.match(await exchange(server.port, 'GET / HTTP/1.0\r\n\r\n'), /200 OK[\s\S]*home$/)
    const absolute = 'GET http://other/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    assert.match(await exchange(server.port, absolute), /200 OK[\s\S]*home$/)
    const odd = 'GET /?a=%zz&b=\\ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    assert.match(await exchange(server.port, odd), /200 OK/)
    const upgrade =
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade, close\r\nUpgrade: h2c\r\n\r\n'
    assert.match(await exchange(server.port, upgrade), /home/)
  })

  it('pipelined requests are answered in order', async () => {
    class Order {
      static readonly name = 'order'
      @http('GET', '/<int:delay>') async wait(_request: Request, delay: number): Promise<string> {
        await new Promise((resolve) => setTimeout(resolve, delay))
        return `<${delay}>`
      }
    }
    await using server = await serve(Order)
    const socket = await open(server.port)
    const all = rest(socket)
    const line = (delay: number, last = false) =>
      `GET /${delay} HTTP/1.1\r\nHost: x\r\n${last ? 'Connection: close\r\n' : ''}\r\n`
    socket.write(line(40) + line(1) + line(20, true))
    const text = await all
    assert.deepEqual(text.match(/<\d+>/g), ['<40>', '<1>', '<20>'])
  })
})
