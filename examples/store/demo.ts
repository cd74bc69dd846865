import { type Broker, run } from 'clew'
import { HttpServer } from 'clew/http'
import { profile, type Sink } from 'clew/profile'
import type { Trace } from 'clew/trace'
import { STORE_ERRORS } from './errors.ts'
import { GatewayService, OrdersService, ProductsService } from './services.ts'

export interface DemoOptions {
  readonly broker: Broker
  /** `pglite:`, or where PostgreSQL answers. */
  readonly database: string
  /** `memory:`, or where Redis answers. */
  readonly cache: string
}

/** Each kind of request is made so often before anything counts. */
const WARM_UPS = 5
const KINDS = 4
/** For traces that are still on their way when all requests are answered. */
const PATIENCE_MS = 2000

const PRODUCT = {
  id: 'the_odyssey',
  title: 'The Odyssey',
  passenger_capacity: 101,
  maximum_speed: 5,
  in_stock: 1_000_000,
}

/**
 * Opens the store, lets a client make each of the four kinds of requests `each` times over HTTP, one
 * after the other, closes it, and returns a trace of each request: what `clew demo` shows.
 * @throws Error when a request is not answered as it should be
 */
export async function measureStore(options: DemoOptions, each: number): Promise<readonly Trace[]> {
  const traces: Trace[] = []
  let arrived = () => {}
  const sink = sinkInto((trace) => {
    traces.push(trace)
    arrived()
  })
  await using running = await run([GatewayService, OrdersService, ProductsService], {
    broker: options.broker,
    use: [profile({ sink })],
    errors: STORE_ERRORS,
    config: {
      DB_URIS: { 'orders:Base': options.database },
      REDIS_URI: options.cache,
      PRODUCT_IMAGE_ROOT: 'http://localhost/images',
      // Who runs the demo may know why it failed.
      http: { host: '127.0.0.1', port: 0, idleGraceMs: 0, errorTexts: 'all' },
    },
    signals: false,
    log: () => {},
  })
  const { url } = running.shared(HttpServer)
  /** The traces of so many rounds; some come later than the answers, for events are still at work. */
  const rounds = async (count: number): Promise<readonly Trace[]> => {
    for (let round = 0; round < count; round++) await shopOnce(url)
    const { promise, resolve } = Promise.withResolvers<void>()
    arrived = () => {
      if (traces.length >= count * KINDS) resolve()
    }
    const timer = setTimeout(resolve, PATIENCE_MS)
    arrived()
    await promise
    clearTimeout(timer)
    return traces.splice(0)
  }
  await rounds(WARM_UPS)
  return await rounds(each)
}

async function shopOnce(url: string): Promise<void> {
  await request(`${url}/products`, PRODUCT)
  await request(`${url}/products/${PRODUCT.id}`)
  const details = [{ product_id: PRODUCT.id, price: '100000.99', quantity: 1 }]
  const { id } = (await request(`${url}/orders`, { order_details: details })) as { id: number }
  await request(`${url}/orders/${id}`)
}

async function request(url: string, body?: object): Promise<unknown> {
  const sent = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
  const response = await fetch(url, sent)
  const text = await response.text()
  if (!response.ok) throw new Error(`the store answered ${url} with ${response.status}: ${text}`)
  return JSON.parse(text)
}

function sinkInto(take: (trace: Trace) => void): Sink {
  return {
    take,
    flush: async () => {},
    close: async () => {},
    counts: { taken: 0, written: 0, dropped: 0 },
  }
}
