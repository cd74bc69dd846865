import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type Broker, memory, type Running, rabbitmq, run, type ServiceClass } from 'clew'
import { HttpServer } from 'clew/http'
import { profile, type Sink } from 'clew/profile'
import { eventually } from 'clew/testing'
import { type CallTree, callTree, type Trace } from 'clew/trace'
import { STORE_ERRORS } from './errors.ts'
import { GatewayService, OrdersService, ProductsService } from './services.ts'

export interface Answer {
  readonly status: number
  readonly body: unknown
  readonly type: string | null
}

/** The running store, as its clients and its operators see it. */
export interface Store {
  readonly running: Running
  request(method: string, path: string, body?: unknown): Promise<Answer>
  /** The tree of the latest request of this kind that has ended, once `isMeant` likes it. */
  treeOf(method: string, isMeant?: (tree: CallTree) => boolean): Promise<CallTree>
}

export interface StoreOptions {
  readonly broker?: Broker
  readonly config?: Readonly<Record<string, unknown>>
  readonly services?: readonly ServiceClass[]
  readonly timeoutMs?: number
}

/** One for all tests of a file, kept open: PGlite takes a second to start. */
const DATABASE = 'pglite:store'
let keeper: Running | undefined
before(async () => {
  const config = { DB_URIS: { 'orders:Base': DATABASE } }
  keeper = await run(OrdersService, { broker: memory(), config, signals: false })
})
after(() => keeper?.stop())

/** Runs the store for as long as `body` takes. By default all is in this process. */
export async function withStore(
  { broker = memory(), config, services, timeoutMs = 10_000 }: StoreOptions,
  body: (store: Store) => Promise<void>,
): Promise<void> {
  const traces: Trace[] = []
  await using running = await run(services ?? [GatewayService, OrdersService, ProductsService], {
    broker,
    use: [profile({ sink: sinkInto(traces) })],
    errors: STORE_ERRORS,
    config: {
      DB_URIS: { 'orders:Base': DATABASE },
      REDIS_URI: `memory:${randomUUID()}`,
      PRODUCT_IMAGE_ROOT: 'http://example.com/images',
      http: { host: '127.0.0.1', port: 0 },
      ...config,
    },
    signals: false,
    timeoutMs,
    drainTimeoutMs: 2000,
    log: () => {},
  })
  const { url } = running.shared(HttpServer)
  await body({
    running,
    async request(method, path, given) {
      const text = typeof given === 'string' ? given : JSON.stringify(given)
      const response = await fetch(`${url}${path}`, {
        method,
        ...(given !== undefined && { body: text }),
      })
      const type = response.headers.get('content-type')
      const answer = await response.text()
      const isJson = type?.startsWith('application/json') === true
      return { status: response.status, body: isJson ? JSON.parse(answer) : answer, type }
    },
    treeOf: (method, isMeant = () => true) =>
      eventually(() => {
        const trees = traces.map((trace) => callTree(trace))
        return trees.findLast((tree) => tree.root.method === method && isMeant(tree)) ?? false
      }),
  })
}

function sinkInto(traces: Trace[]): Sink {
  return {
    take: (trace) => void traces.push(trace),
    flush: async () => {},
    close: async () => {},
    counts: { taken: 0, written: 0, dropped: 0 },
  }
}

/** Runs a test in this process, and on the servers that the environment names. */
export function onEachRoad(name: string, body: (store: Store) => Promise<void>): void {
  test(`${name}, in this process`, () => withStore({}, body))
  const { CLEW_AMQP_URL: amqp, CLEW_POSTGRES_URL: database, CLEW_REDIS_URL: cache } = process.env
  const missing = [amqp, database, cache].includes(undefined)
  const skip = missing && 'needs RabbitMQ, PostgreSQL and Redis: run `npm test`'
  test(`${name}, on RabbitMQ, PostgreSQL and Redis`, { skip }, () =>
    withStore(
      {
        broker: rabbitmq(amqp!),
        config: { DB_URIS: { 'orders:Base': database }, REDIS_URI: cache },
      },
      body,
    ),
  )
}
