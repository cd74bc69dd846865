import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { connect, proxy, rpc, run, type ServiceClass, withOptions } from 'clew'
import { encodeJaeger, encodeOtlp, encodeZipkin, formatReader } from 'clew/formats'
import { fileSink, profile, traced, type ValueOptions } from 'clew/profile'
import { type CallNode, callTree, parseTraces, type Trace } from 'clew/trace'
import { ROADS, type Road, uniqueName } from './brokers.ts'

/** Stand in arguments and results, and must get nowhere. */
const CANARY = 'canary-7f3a9'
const CARD = '4111 1111 1111 1111'
const MAIL = 'ada.lovelace@example.org'

interface Order {
  readonly id: number
  readonly customer: { readonly name: string; readonly mail: string }
  readonly lines: readonly { readonly sku: string; readonly note: string }[]
}

const ORDER: Order = {
  id: 17,
  customer: { name: CANARY, mail: MAIL },
  lines: [{ sku: 'a-1', note: CANARY }],
}

async function started(road: Road, options: (service: string) => ValueOptions) {
  const name = uniqueName('orders')
  class Orders {
    static readonly name: string = name
    self = proxy<Orders>(name)
    @rpc({ params: ['order_id', 'comment'] }) async get_order(orderId: number, comment = '') {
      return { status: 'open', comment: `${comment} ${CANARY}`, id: orderId }
    }
    @rpc({ sensitive: ['order.customer.name'] }) async place(order: Order, remark: string) {
      await this.self.get_order(order.id, remark)
      return `placed for ${order.customer.mail}`
    }
    @rpc async fail(order: Order): Promise<never> {
      throw new RangeError(`no ${order.lines[0]!.sku}`)
    }
    @rpc async loose(options: Record<string, unknown>) {
      return Object.keys(options).length
    }
  }
  const directory = await mkdtemp(join(tmpdir(), 'clew-values-'))
  const file = join(directory, 'traces.jsonl')
  const said: string[] = []
  const broker = road.broker()
  const running = await run(Orders as ServiceClass, {
    ...{ broker, delivery: road.delivery, signals: false },
    use: [profile({ ...options(name) })],
    log: (line) => void said.push(JSON.stringify([line, String(line.error)])),
  })
  const sink = fileSink(file)
  const cluster = await connect(broker, {
    delivery: road.delivery,
    use: [profile({ sink })],
    onProblem: (problem) => void said.push(JSON.stringify(problem)),
  })
  const plain = cluster.proxy<Orders>(name)
  return {
    ...{ name, plain, said },
    orders: traced(plain),
    /** What the client's file holds of all calls. */
    async written() {
      await sink.flush()
      return await readFile(file, 'utf8')
    },
    async [Symbol.asyncDispose]() {
      await cluster.close()
      await running.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

const call = (trace: Trace, ...down: number[]): CallNode =>
  down.reduce((above, at) => above.calls[at]!, callTree(trace).root)

const nothing = () => ({})

for (const road of ROADS) {
  describe(`values on ${road.name}`, { skip: road.skip }, () => {
    it('come home where they are listed, of arguments by position and keyword, and of results', async () => {
      await using system = await started(road, (service) => ({
        values: {
          [`${service}.get_order`]: { args: ['order_id'], result: ['status'] },
          [`${service}.place`]: { args: ['order.id', 'order.lines.0.sku', 'order.customer.name'] },
          [`${service}.fail`]: { args: ['order.id'], result: true },
          [`${service}.loose`]: { args: ['order_id'], result: true },
        },
      }))
      const { trace } = await system.orders.place(ORDER, 'by train')
      assert.deepEqual(call(trace).attributes, {
        ...{ 'args.order.id': '17', 'args.order.lines.0.sku': 'a-1' },
        // What the method declares as sensitive is masked before anybody looks.
        'args.order.customer.name': '********',
      })
      const below = { 'args.order_id': '17', 'result.status': 'open' }
      assert.deepEqual(call(trace, 0).attributes, below)
      const byName = traced(withOptions(system.plain, { kwargs: { order_id: 18 } })) as unknown as {
        get_order(): Promise<{ trace: Trace }>
        loose(): Promise<{ trace: Trace }>
      }
      const named = await byName.get_order()
      assert.deepEqual(call(named.trace).attributes, { ...below, 'args.order_id': '18' })
      const loose = await byName.loose()
      assert.deepEqual(call(loose.trace).attributes, { 'args.order_id': '18', result: '1' })
      const { traces } = parseTraces(await system.written())
      assert.deepEqual(call(traces[0]!).attributes, call(trace).attributes)
      await assert.rejects(system.plain.fail(ORDER))
      assert.match(await system.written(), /"args.order.id":"17"/)
    })

    it('stay where they are when nothing is listed, and secrets when they are', async () => {
      await using silent = await started(road, nothing)
      await silent.orders.place(ORDER, CARD)
      await assert.rejects(silent.plain.fail(ORDER))
      const none = (await silent.written()) + silent.said.filter((line) => !line.includes('no a-1'))
      for (const secret of [CANARY, CARD, MAIL, 'a-1', 'attributes']) {
        assert.ok(!none.includes(secret), `${secret} in ${none}`)
      }
      await using open = await started(road, (service) => ({
        values: {
          [`${service}.get_order`]: { args: ['order_id', 'comment'], result: ['id', 'comment'] },
          [`${service}.place`]: { args: ['order.customer.mail', 'remark', 'order'], result: true },
        },
        redact: (text, { path }) => {
          if (path === 'comment') throw new Error(`cannot take ${text}`)
          return text
        },
      }))
      const { trace } = await open.orders.place(ORDER, `${CARD} `)
      assert.deepEqual(call(trace).attributes, {
        'args.order.customer.mail': '[redacted: e-mail]',
        ...{ 'args.remark': '[redacted: card] ', 'args.order': '[object]' },
        result: 'placed for [redacted: e-mail]',
      })
      assert.deepEqual(call(trace, 0).attributes, {
        ...{ 'args.order_id': '17', 'result.id': '17', left_out: '2' },
      })
      const all = (await open.written()) + open.said.join()
      assert.match(open.said.join(), /redact threw for args\.comment/)
      for (const secret of [CANARY, CARD, CARD.replaceAll(' ', ''), MAIL, 'cannot take']) {
        assert.ok(!all.includes(secret), `${secret} in ${all}`)
      }
    })
  })
}

describe('values in other formats', () => {
  it('are tags of the callee, and come back as they were', async () => {
    await using system = await started(ROADS[0]!, (service) => ({
      values: { [`${service}.get_order`]: { args: ['order_id'], result: ['status'] } },
    }))
    const { trace } = await system.orders.get_order(17)
    const writers = { otlp: encodeOtlp, jaeger: encodeJaeger, zipkin: encodeZipkin } as const
    for (const [format, encode] of Object.entries(writers)) {
      const reader = formatReader(format as keyof typeof writers)
      const document = [...encode([trace])].join('')
      const [read] = [...reader.push(new TextEncoder().encode(document)), ...reader.end()]
      const { attributes } = call(read!)
      assert.deepEqual(
        [attributes?.['args.order_id'], attributes?.['result.status']],
        ['17', 'open'],
      )
    }
  })
})
