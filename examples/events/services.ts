import { event, eventDispatcher, once, proxy, rpc, timer } from 'clew'

/** An order as the services speak of it. */
export interface Order {
  readonly id: number
  readonly product: string
  readonly quantity: number
}

/** What the orders service tells the others of. */
export interface OrderEvents {
  order_created: Order
}

/** Takes orders, and tells whoever wants to know. */
export class Orders {
  static readonly name = 'orders'
  dispatch = eventDispatcher<OrderEvents>()

  @rpc async create(order: { id: number; product: string; quantity: number }): Promise<number> {
    await this.dispatch('order_created', order)
    return order.id
  }
}

const stock = new Map<string, number>()

/** Keeps the stock. */
export class Products {
  static readonly name = 'products'

  @once fill(): void {
    stock.set('the odyssey', 10)
  }
  @rpc inStock(product: string): number {
    return stock.get(product) ?? 0
  }
  @event('orders', 'order_created') async reserve({ product, quantity }: Order): Promise<void> {
    stock.set(product, this.inStock(product) - quantity)
  }
}

const mailbox: string[] = []

/** Writes letters. One that cannot be sent is tried again, up to five times; then people look at it. */
export class Mailer {
  static readonly name = 'mailer'
  products = proxy<Products>('products')

  @event('orders', 'order_created', { requeueOnError: { backoffMs: 50, maxAttempts: 5 } })
  async confirm({ id, product }: Order): Promise<void> {
    mailbox.push(
      `order ${id}: ${product}, of which ${await this.products.inStock(product)} are left`,
    )
  }
  @timer({ every: '1h' }) forget(): void {
    mailbox.length = 0
  }
  @rpc sent(): string[] {
    return mailbox
  }
}

export const services = [Orders, Products, Mailer]
