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

/** The store at work, and a client who knows what can be asked of it. */
export interface DemoStore extends AsyncDisposable {
  /** A page that can be looked at while the store is open. */
  readonly page: string
  /**
   * Makes each of the four kinds of requests so many times over HTTP, one after the other, and returns
   * a trace of each.
   * @throws Error when a request is not answered as it should be
   */
  measure(each: number): Promise<readonly Trace[]>
  /** From now on every trace goes here, whoever asks. */
  watch(take: (trace: Trace) => void): void
}

/** Opens the store: what `clew demo` shows. */
export async function openStore(options: DemoOptions): Promise<DemoStore> {
  let take: (trace: Trace) => void = () => {}
  const running = await run([GatewayService, OrdersService, ProductsService], {
    broker: options.broker,
    use: [profile({ sink: sinkInto((trace) => take(trace)) })],
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
    const traces: Trace[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    take = (trace) => {
      traces.push(trace)
      if (traces.length >= count * KINDS) resolve()
    }
    for (let round = 0; round < count; round++) await shopOnce(url)
    const timer = setTimeout(resolve, PATIENCE_MS)
    await promise
    clearTimeout(timer)
    return traces
  }
  return {
    page: `${url}/products/${PRODUCT.id}`,
    async measure(each) {
      await rounds(WARM_UPS)
      return await rounds(each)
    },
    watch(watcher) {
      take = watcher
    },
    async [Symbol.asyncDispose]() {
      await running.stop()
    },
  }
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
