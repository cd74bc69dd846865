// Compiled, never run: what the types of services and proxies promise. A line that should not
// compile but does makes `tsc` fail on its @ts-expect-error.
import { type Cluster, clusterProxy, proxy, type Rpc, rpc, withOptions } from 'clew'
import { traced } from 'clew/profile'
import type { Trace } from 'clew/trace'

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(..._proof: Equal<A, B> extends true ? [] : ['the types differ']): void {}

interface Order {
  id: number
  lines: { product: string; price?: string }[]
  parent?: Order
}

export class Orders {
  static readonly name = 'orders'
  private secret = 1
  limit = 10

  @rpc async get(id: number): Promise<Order> {
    return { id: id + this.secret, lines: [] }
  }
  @rpc({ name: 'list_all', params: ['first', 'count'] }) list(
    _first = 0,
    _count?: number,
  ): Order[] {
    return []
  }
  @rpc untyped(value: unknown): unknown {
    return value
  }

  // @ts-expect-error a Date does not travel as JSON
  @rpc since(_date: Date): void {}
  // @ts-expect-error functions do not travel
  @rpc callback(_done: () => void): void {}
  // @ts-expect-error nor do Maps in results
  @rpc index(): Map<string, Order> {
    return new Map()
  }
  // @ts-expect-error bigint in a nested place
  @rpc total(_order: { sum: bigint }): void {}
}

export class Gateway {
  static readonly name = 'gateway'
  orders = proxy<Orders>('orders')
  everyone = clusterProxy<{ orders: Orders }>()

  @rpc async first(): Promise<string> {
    const order = await this.orders.get(1)
    same<typeof order, Order>()
    const again = await this.everyone.orders.get(2)
    same<typeof again, Order>()
    return order.lines[0]?.product ?? 'none'
  }
}

export async function client(cluster: Cluster): Promise<void> {
  const orders = cluster.proxy<Orders>('orders')
  same<typeof orders, Rpc<Orders>>()
  const list = await orders.list(0)
  same<typeof list, Order[]>()
  // @ts-expect-error the argument must be a number
  await orders.get('1')
  // @ts-expect-error no such method
  await orders.gte(1)
  // @ts-expect-error fields cannot be called
  orders.limit()
  // @ts-expect-error private members are not there
  orders.secret
  // @ts-expect-error too many arguments
  await orders.get(1, 2)

  const slow = withOptions(orders, { timeoutMs: 60_000 })
  same<typeof slow, Rpc<Orders>>()
  const byKeyword = await withOptions(orders, { kwargs: { id: 1 } }).get()
  same<typeof byKeyword, Order>()
  // @ts-expect-error options are named
  withOptions(orders, { timeout: 5 })

  const { result, trace } = await traced(orders).get(1)
  same<typeof result, Order>()
  same<typeof trace, Trace>()
  // @ts-expect-error the argument must be a number
  await traced(orders).get('1')
}

// Services that call each other, and themselves, compile.
export class Ping {
  static readonly name = 'ping'
  pong = proxy<Pong>('pong')
  self = proxy<Ping>('ping')
  @rpc async hit(left: number): Promise<number> {
    return left === 0 ? await this.self.hit(1) : await this.pong.hit(left - 1)
  }
}
export class Pong {
  static readonly name = 'pong'
  ping = proxy<Ping>('ping')
  @rpc async hit(left: number): Promise<number> {
    return await this.ping.hit(left)
  }
}
