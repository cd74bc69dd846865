import { type Broker, type Cluster, connect, run } from 'clew'
import { profile, traced, traceOf } from 'clew/profile'
import type { Trace } from 'clew/trace'
import { type Storefront, shop } from './shop.ts'

/** What came home of a call. */
export interface Answer {
  readonly trace: Trace
  /** What the call threw. */
  readonly error: Error | undefined
}

/** The shop's services at work, and somebody who calls them. */
export interface Shop extends AsyncDisposable {
  /** How much slower than the others the slow shard is. */
  readonly delayMs: number
  /** Asks ten shards at once, one of which is slow. */
  search(): Promise<Answer>
  /** Fails in a bank three services further down. */
  order(): Promise<Answer>
}

export interface ShopAddress {
  readonly broker: Broker
  /** Before all names of services. */
  readonly prefix: string
  /** How much slower than the others the slow shard is. */
  readonly delayMs: number
}

/** @throws RpcError `disconnected` when the broker cannot be reached */
export async function openShop({ broker, prefix, delayMs }: ShopAddress): Promise<Shop> {
  const running = await run(shop({ prefix, delayMs }), {
    broker,
    use: [profile()],
    signals: false,
    // The bank's failures are the point of the demo, not news.
    log: () => {},
  })
  let cluster: Cluster
  try {
    cluster = await connect(broker)
  } catch (error) {
    await running.kill()
    throw error
  }
  const gateway = traced(cluster.proxy<Storefront>(`${prefix}gateway`))
  const opened: Shop = {
    delayMs,
    search: () => answered(gateway.search('red boots')),
    order: () => answered(gateway.place_order('red boots, 38')),
    async [Symbol.asyncDispose]() {
      await cluster.close()
      await running.stop()
    },
  }
  return opened
}

async function answered(call: Promise<{ readonly trace: Trace }>): Promise<Answer> {
  try {
    const { trace } = await call
    return { trace, error: undefined }
  } catch (thrown) {
    const trace = traceOf(thrown)
    if (trace === undefined) throw thrown
    return { trace, error: thrown as Error }
  }
}
