import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { proxy, RemoteError, rpc, workerContext } from 'clew'
import { BadRequest, type HttpResult, HttpServer, http, httpWith, type Middleware } from 'clew/http'
import { exchange, serve } from './serve.ts'

class OutOfStock extends Error {}

class Stock {
  static readonly name = 'stock'
  @rpc fail(): void {
    throw new OutOfStock('no gold in warehouse-7')
  }
  @rpc async context(): Promise<string> {
    return JSON.stringify(this.worker.context)
  }
  worker = workerContext()
}

describe('responses', () => {
  it('come from a second server, where a method names one', async () => {
    class Admin extends HttpServer {
      override get settings() {
        return { ...super.settings, port: 0 }
      }
    }
    const admin = httpWith({ server: Admin })
    class Shop {
      static readonly name = 'shop'
      @http('GET', '/') get(): string {
        return 'for all'
      }
      @admin('GET', '/') manage(): string {
        return 'for operators'
      }
    }
    await using server = await serve(Shop)
    const { url } = server.running.shared(Admin)
    assert.notEqual(url, server.url)
    assert.equal(await (await fetch(server.url)).text(), 'for all')
    assert.equal(await (await fetch(url)).text(), 'for operators')
  })

  it('says nothing of the inside when an error was not expected', async () => {
    class Shop {
      static readonly name = 'shop'
      stock = proxy<Stock>('stock')
      absent = proxy<{ get(): string }>('secret_service')
      @http('GET', '/own') own(): string {
        throw new TypeError('secret_table has no column')
      }
      @http('GET', '/nested') async nested(): Promise<string> {
        await this.stock.fail()
        return ''
      }
      @http('GET', '/absent') absentService(): Promise<string> {
        return this.absent.get()
      }
      @http('GET', '/method') method(): Promise<string> {
        return (this.stock as unknown as { secret_method(): Promise<string> }).secret_method()
      }
      @http('GET', '/result') result(): HttpResult {
        return { secret: 'warehouse-7' } as unknown as HttpResult
      }
      @http('GET', '/thrown') thrown(): HttpResult {
        throw 'secret warehouse-7'
      }
    }
    await using server = await serve([Shop, Stock])
    for (const path of ['/own', '/nested', '/absent', '/result', '/thrown', '/method']) {
      const response = await fetch(server.url + path)
      assert.equal(response.status, path === '/method' ? 400 : 500, path)
      const kept = JSON.stringify([...response.headers]) + (await response.text())
      assert.doesNotMatch(kept, /secret|warehouse|stock|shop|OutOfStock/i, path)
    }
    assert.ok(server.logged.some(({ message }) => message.includes('secret_table')))
    assert.ok(server.logged.some(({ message }) => message.includes('a result is no response')))
  })

  it('tells texts of errors that are expected, that are made for clients, or of all when asked', async () => {
    class Shop {
      static readonly name = 'shop'
      stock = proxy<Stock>('stock')
      @http('GET', '/expected', { expectedErrors: [RemoteError] }) async expected() {
        await this.stock.fail()
        return ''
      }
      @http('GET', '/bad') bad(): string {
        throw new BadRequest('no such currency')
      }
      @http('GET', '/all', { errorTexts: 'all' }) all(): string {
        throw new OutOfStock('no gold')
      }
    }
    await using server = await serve([Shop, Stock])
    const answer = async (path: string) => {
      const response = await fetch(server.url + path)
      return [response.status, await response.text()]
    }
    assert.deepEqual(await answer('/expected'), [
      400,
      'Error: RemoteError: OutOfStock no gold in warehouse-7\n',
    ])
    assert.deepEqual(await answer('/bad'), [400, 'Error: BadRequest: no such currency\n'])
    assert.deepEqual(await answer('/all'), [500, 'Error: OutOfStock: no gold\n'])
  })

  it('can be made by hooks, of one method or of a service', async () => {
    const api = httpWith({
      responseFromError: (error, { expected }) =>
        error instanceof OutOfStock
          ? Response.json({ error: 'OUT_OF_STOCK', expected }, { status: 404 })
          : undefined,
      responseFromResult: (result) =>
        typeof result === 'object' && !(result instanceof Response)
          ? Response.json(result)
          : undefined,
    })
    class Shop {
      static readonly name = 'shop'
      @api('GET', '/gone', { expectedErrors: [OutOfStock] }) gone(): string {
        throw new OutOfStock()
      }
      @api('GET', '/other') other(): string {
        throw new Error('secret')
      }
      @api('GET', '/object') object(): HttpResult {
        return { a: 1 } as unknown as HttpResult
      }
      @http('GET', '/hook', {
        responseFromError: () => {
          throw new Error('secret hook')
        },
      })
      hook(): string {
        throw new OutOfStock()
      }
    }
    await using server = await serve(Shop)
    const gone = await fetch(`${server.url}/gone`)
    assert.equal(gone.status, 404)
    assert.deepEqual(await gone.json(), { error: 'OUT_OF_STOCK', expected: true })
    assert.equal((await fetch(`${server.url}/other`)).status, 500)
    assert.deepEqual(await (await fetch(`${server.url}/object`)).json(), { a: 1 })
    const hook = await fetch(`${server.url}/hook`)
    assert.equal(hook.status, 500)
    assert.doesNotMatch(await hook.text(), /secret/)
  })

  it('pass through middleware, and context data come from headers', async () => {
    const stamp: Middleware = async (context, next) => {
      await next()
      context.res.headers.set('x-stamp', 'yes')
    }
    const guard: Middleware = async (context, next) => {
      if (context.req.header('x-key') === 'no') return context.text('no entry', 403)
      if (context.req.header('x-key') === 'crash') throw new Error('secret middleware')
      return next()
    }
    class Web extends HttpServer {
      override middleware() {
        return [stamp, guard]
      }
      override contextFromHeaders(headers: Headers) {
        return { language: headers.get('accept-language') }
      }
    }
    class Shop {
      static readonly name = 'shop'
      stock = proxy<Stock>('stock')
      @http('GET', '/context') context(): Promise<string> {
        return this.stock.context()
      }
      @http('GET', '/moved') moved(): Response {
        return Response.redirect('http://localhost/there', 302)
      }
      @http('GET', '/json') json(): Response {
        return Response.json({ a: 1 })
      }
    }
    await using server = await serve([Shop, Stock], { server: Web })
    const headers = { 'accept-language': 'de' }
    const response = await fetch(`${server.url}/context`, { headers })
    assert.equal(response.headers.get('x-stamp'), 'yes')
    assert.equal((JSON.parse(await response.text()) as { language: string }).language, 'de')
    const refused = await fetch(`${server.url}/context`, { headers: { 'x-key': 'no' } })
    assert.deepEqual([refused.status, await refused.text()], [403, 'no entry'])
    const crashed = await fetch(`${server.url}/context`, { headers: { 'x-key': 'crash' } })
    assert.equal(crashed.status, 500)
    assert.doesNotMatch(await crashed.text(), /secret/)
    const moved = await fetch(`${server.url}/moved`, { redirect: 'manual' })
    assert.deepEqual([moved.status, moved.headers.get('x-stamp')], [302, 'yes'])
    const head = await fetch(`${server.url}/context`, { method: 'HEAD', headers })
    assert.equal(head.headers.get('content-length'), response.headers.get('content-length'))
    const json = await fetch(`${server.url}/json`, { method: 'HEAD' })
    assert.deepEqual([json.status, json.headers.get('content-length')], [200, null])
    assert.equal((await fetch(`${server.url}/nope`)).headers.get('x-stamp'), 'yes')
  })

  it('end where their length says, whatever the body holds', async () => {
    const chunks = ['abc', 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged']
    class Relay {
      static readonly name = 'relay'
      @http('GET', '/<int:length>') get(_: Request, length: number): Response {
        let pulled = 0
        const slowly = new ReadableStream<Uint8Array>({
          async pull(controller) {
            await new Promise((resolve) => setTimeout(resolve, 20))
            const chunk = chunks[pulled++]
            if (chunk === undefined) controller.close()
            else controller.enqueue(Buffer.from(chunk))
          },
        })
        return new Response(slowly, { headers: { 'content-length': String(length) } })
      }
    }
    await using server = await serve(Relay)
    const whole = chunks.join('').length
    for (const [length, complete] of [
      [3, false],
      [whole - 1, false],
      [whole + 1, false],
      [whole, true],
    ] as const) {
      const line = `GET /${length} HTTP/1.1\r\nHost: x\r\n\r\n`
      const last = `GET /${length} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`
      const text = await exchange(server.port, complete ? last : line)
      const body = text.slice(text.indexOf('\r\n\r\n') + 4)
      // What does not fit breaks the connection off: nobody takes it for another response.
      assert.ok(body.length <= length, `${length}: ${body}`)
      if (complete) assert.equal(body, chunks.join(''))
    }
  })

  it('carry what Response can', async () => {
    class Shop {
      static readonly name = 'shop'
      worker = workerContext()
      @http('POST', '/bytes') async bytes(request: Request): Promise<Response> {
        return new Response(await request.arrayBuffer())
      }
      @http('POST', '/form') async form(request: Request): Promise<string> {
        return String((await request.clone().formData()).get('name'))
      }
      @http('GET', '/json') json(): Response {
        return Response.json({ ids: this.worker.callIdStack.length })
      }
      @http('GET', '/used') async used(): Promise<Response> {
        const response = new Response('once')
        await response.text()
        return response
      }
      @http('GET', '/again') again(request: Request): string {
        return new Request(request, { method: 'PUT' }).method
      }
    }
    await using server = await serve(Shop)
    const body = new Uint8Array([0, 1, 254, 255])
    const bytes = await fetch(`${server.url}/bytes`, { method: 'POST', body })
    assert.deepEqual(new Uint8Array(await bytes.arrayBuffer()), body)
    const form = new URLSearchParams({ name: 'Ada' })
    const named = await fetch(`${server.url}/form`, { method: 'POST', body: form })
    assert.equal(await named.text(), 'Ada')
    const json = await fetch(`${server.url}/json`)
    assert.equal(json.headers.get('content-length'), '9')
    assert.deepEqual(await json.json(), { ids: 1 })
    assert.equal((await fetch(`${server.url}/used`)).status, 500)
    assert.equal(await (await fetch(`${server.url}/again`)).text(), 'PUT')
  })
})
