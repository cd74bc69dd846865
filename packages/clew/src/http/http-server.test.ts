import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, memory, type RunOptions, run, type ServiceClass } from '../index.ts'
import { HttpServer, http } from './index.ts'

/** Runs services with a web server on a free port of this machine. */
async function serve(services: ServiceClass | ServiceClass[], options: Partial<RunOptions> = {}) {
  const { config, ...rest } = options
  const given = (config?.http ?? {}) as object
  const running = await run(services, {
    broker: memory(),
    signals: false,
    log: () => {},
    config: { ...config, http: { host: '127.0.0.1', port: 0, ...given } },
    ...rest,
  })
  return {
    running,
    url: running.shared(HttpServer).url,
    [Symbol.asyncDispose]: () => running.stop(),
  }
}

test('a route answers with what its method returns', async () => {
  class Orders {
    static readonly name = 'orders'
    @http('GET', '/orders/<int:order_id>') get(_request: Request, id: number): string {
      return `order ${id}`
    }
  }
  await using server = await serve(Orders)
  const response = await fetch(`${server.url}/orders/7`)
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('content-type'), 'text/plain; charset=utf-8')
  assert.equal(await response.text(), 'order 7')
  assert.equal((await fetch(`${server.url}/orders/x`)).status, 404)
})

test('a port in use is told with what to do', async () => {
  class Orders {
    static readonly name = 'orders'
    @http('GET', '/') get(): string {
      return ''
    }
  }
  await using server = await serve(Orders)
  const { port } = new URL(server.url)
  await assert.rejects(serve(Orders, { config: { http: { port: Number(port) } } }), (error) => {
    assert.ok(error instanceof ConfigError)
    assert.match(
      error.message,
      /cannot listen on 127\.0\.0\.1:\d+: something listens there already/,
    )
    return true
  })
})
