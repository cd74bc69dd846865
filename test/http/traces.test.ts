import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { proxy, rpc, workerContext } from 'clew'
import { BadRequest, http } from 'clew/http'
import { profile } from 'clew/profile'
import { outline } from 'clew/testing'
import { encodeTrace, parseTraces } from 'clew/trace'
import { ROADS, uniqueName } from '../brokers.ts'
import { KeptTraces } from '../kept-traces.ts'
import { serve, until } from './serve.ts'

function shop() {
  const stock = uniqueName('stock')
  const name = uniqueName('shop')
  let stopped = false
  class Stock {
    static readonly name: string = stock
    worker = workerContext()
    @rpc count(order: number): number {
      return order * 2
    }
    @rpc remaining(): number {
      return this.worker.remainingMs()
    }
    @rpc stack(): readonly string[] {
      return [...this.worker.callIdStack, ...Object.keys(this.worker.context)]
    }
    @rpc async hang(): Promise<void> {
      const { signal } = this.worker
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      stopped = true
    }
  }
  class Shop {
    static readonly name: string = name
    stock = proxy<Stock>(stock)
    @http('GET,HEAD', '/orders/<int:order_id>/<path:rest>')
    async get(_request: Request, order: number, rest: string): Promise<string> {
      return `${await this.stock.count(order)} ${rest}`
    }
    @http('GET', '/remaining', { timeoutMs: 5000 }) async remaining(): Promise<string> {
      return `${await this.stock.remaining()}`
    }
    @http('GET', '/stack') async stack(): Promise<string> {
      return JSON.stringify(await this.stock.stack())
    }
    @http('GET', '/hang', { timeoutMs: 400 }) async hang(): Promise<string> {
      await this.stock.hang()
      return ''
    }
    @http('GET', '/bad') bad(): string {
      throw new BadRequest('no')
    }
  }
  return { services: [Shop, Stock], name, stock, stopped: () => stopped }
}

for (const road of ROADS) {
  describe(`requests (${road.name})`, { skip: road.skip }, () => {
    const options = () => ({ broker: road.broker(), delivery: road.delivery })

    it('begin a trace, in which they are called by their route', async () => {
      const { services, name, stock } = shop()
      const sink = new KeptTraces()
      await using server = await serve(services, {}, { ...options(), use: [profile({ sink })] })
      const answer = await fetch(`${server.url}/orders/7/secret?x=secret`)
      assert.equal(await answer.text(), '14 secret')
      await until(() => sink.traces.length === 1, 'the trace is there')
      const [trace] = sink.traces
      const tree = [`${name}.GET /orders/{order_id}/{rest}`, [`${stock}.count`]]
      assert.deepEqual(outline(trace!), tree)
      const text = encodeTrace(trace!)
      assert.doesNotMatch(text, /secret/)
      assert.deepEqual(outline(parseTraces(text).traces[0]!), tree)
      await fetch(`${server.url}/bad`)
      await until(() => sink.traces.length === 2, 'the second trace is there')
      assert.deepEqual(outline(sink.traces[1]!), [`${name}.GET /bad threw BadRequest`])
    })

    it('give what they call the rest of their time', async () => {
      const { services, stopped } = shop()
      await using server = await serve(services, {}, options())
      const remaining = Number(await (await fetch(`${server.url}/remaining`)).text())
      assert.ok(remaining > 0 && remaining < 5000, `${remaining} ms were left of 5000`)
      const answer = await fetch(`${server.url}/hang`)
      assert.equal(answer.status, 504)
      await until(stopped, 'the called worker was told')
    })

    it('bring no context, and begin the stack of call ids', async () => {
      const { services, name, stock } = shop()
      await using server = await serve(services, {}, options())
      const headers = { 'nameko.language': 'de', call_id_stack: 'x', traceparent: 'y' }
      const stack = (await (await fetch(`${server.url}/stack`, { headers })).json()) as string[]
      assert.equal(stack.length, 2)
      assert.match(stack[0]!, new RegExp(`^${name}\\.stack\\.[0-9a-f-]{36}$`))
      assert.match(stack[1]!, new RegExp(`^${stock}\\.stack\\.`))
    })
  })
}
