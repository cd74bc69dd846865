import { type Broker, type Cluster, connect, run } from 'clew'
import { profile, type Sink, traced, traceOf } from 'clew/profile'
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
  /** Gets every trace too. */
  readonly sink?: Sink | undefined
}

/** @throws RpcError `disconnected` when the broker cannot be reached */
export async function openShop({ broker, prefix, delayMs, sink }: ShopAddress): Promise<Shop> {
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
    search: () => answered(gateway.search('red boots'), sink),
    order: () => answered(gateway.place_order('red boots, 38'), sink),
    async [Symbol.asyncDispose]() {
      await cluster.close()
      await running.stop()
    },
  }
  return opened
}

async function answered(
  call: Promise<{ readonly trace: Trace }>,
  sink: Sink | undefined,
): Promise<Answer> {
  const answer = await call.then(
    ({ trace }) => ({ trace, error: undefined }),
    (thrown: unknown) => {
      const trace = traceOf(thrown)
      if (trace === undefined) throw thrown
      return { trace, error: thrown as Error }
    },
  )
  sink?.take(answer.trace)
  return answer
}
