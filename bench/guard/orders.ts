import { type Cluster, event, eventDispatcher, proxy, rpc } from 'clew'

const ORDERS = 'guarded_orders'
const DEPTH = 5
const WIDTH = 10

interface Events {
  placed: { readonly order_id: number }
}

/** Calls what it is told to: of itself, over the broker like any other. */
export class OrderService {
  static readonly name = ORDERS
  orders = proxy<OrderService>(ORDERS)
  dispatch = eventDispatcher<Events>()

  @rpc async placeOrder(order: { readonly order_id: number }): Promise<{ accepted: number }> {
    return { accepted: order.order_id }
  }

  @rpc async chain(order: { readonly order_id: number; readonly more: number }): Promise<{
    accepted: number
  }> {
    const { order_id, more } = order
    return more === 0 ? { accepted: order_id } : this.orders.chain({ order_id, more: more - 1 })
  }

  @rpc async fanOut(order: { readonly order_id: number }): Promise<{ accepted: number }> {
    const all = Array.from({ length: WIDTH }, () => this.orders.placeOrder(order))
    const accepted = new Set((await Promise.all(all)).map((one) => one.accepted))
    return { accepted: accepted.size === 1 ? order.order_id : Number.NaN }
  }

  @rpc async announce({ order_id }: { readonly order_id: number }): Promise<{ accepted: number }> {
    await this.dispatch('placed', { order_id })
    return { accepted: order_id }
  }
}

/** Listens to the orders, in the same process. */
export class StockService {
  static readonly name = 'guarded_stock'
  /** Events that were handled, by all of them. */
  static handled = 0

  @event(ORDERS, 'placed') reserve(_placed: Events['placed']) {
    StockService.handled++
  }
}

/** What one call of the client leads to. */
export interface Errand {
  readonly title: string
  run(orders: ReturnType<typeof ordersOf>, order_id: number): Promise<{ accepted: number }>
  /** Events that are handled meanwhile. @default 0 */
  readonly events?: number
}

export const ERRANDS: readonly Errand[] = [
  { title: 'one call', run: (orders, order_id) => orders.placeOrder({ order_id }) },
  {
    title: `a chain of ${DEPTH}`,
    run: (orders, order_id) => orders.chain({ order_id, more: DEPTH - 1 }),
  },
  { title: `a call that makes ${WIDTH}`, run: (orders, order_id) => orders.fanOut({ order_id }) },
  {
    title: 'a call and its event',
    run: (orders, order_id) => orders.announce({ order_id }),
    events: 1,
  },
]

export function ordersOf(cluster: Cluster) {
  return cluster.proxy<OrderService>(ORDERS)
}
