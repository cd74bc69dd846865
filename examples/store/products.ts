import { eventsOf, rpc } from 'clew'
import { redis } from 'clew/redis'
import { ProductNotFound, ValidationError } from './errors.ts'
import { type Order, type OrderEvents, PRODUCT, type Product } from './schemas.ts'
import { validated } from './validation.ts'

const orders = eventsOf<OrderEvents>('orders')

/** Keys are `products:{id}`, hashes of text. */
const PREFIX = 'products:'

/** Keeps products and how many there are of each, in Redis: `REDIS_URI` in the configuration. */
export class ProductsService {
  static readonly name = 'products'
  cache = redis()

  @rpc({ params: ['product_id'], expectedErrors: [ProductNotFound] })
  async get(product_id: string): Promise<Product> {
    const product = productIn(await this.cache.hgetall(`${PREFIX}${product_id}`))
    if (product === undefined) {
      throw new ProductNotFound(`Product ID ${product_id} does not exist`)
    }
    return product
  }

  @rpc async list(): Promise<Product[]> {
    const keys = await this.cache.keys(`${PREFIX}*`)
    const hashes = await this.cache.pipeline((batch) => {
      for (const key of keys) batch.hgetall(key)
    })
    return hashes
      .map((hash) => productIn(hash as Record<string, string>))
      .filter((product) => product !== undefined)
  }

  @rpc({ params: ['product'], expectedErrors: [ValidationError] })
  async create(product: Product): Promise<null> {
    const valid = validated(PRODUCT, product)
    await this.cache.hset(`${PREFIX}${valid.id}`, { ...valid })
    return null
  }

  /** What was ordered is no longer in stock. What cannot be counted now is tried again. */
  @orders.on('order_created', { requeueOnError: { maxAttempts: 5 } })
  async handle_order_created({ order }: { readonly order: Order }): Promise<void> {
    const sold = order.order_details.map(({ product_id, quantity }) => ({
      key: `${PREFIX}${product_id}`,
      quantity,
    }))
    const known = await this.cache.pipeline((batch) => {
      for (const { key } of sold) batch.exists(key)
    })
    await this.cache.multi((batch) => {
      for (const [at, { key, quantity }] of sold.entries()) {
        // A hash with nothing but `in_stock` would be no product, and break whoever reads it.
        if (known[at] === 1) batch.hincrby(key, 'in_stock', -quantity)
      }
    })
  }
}

/** Undefined for what is no whole product. */
function productIn(hash: Readonly<Record<string, string>>): Product | undefined {
  const { id, title, passenger_capacity, maximum_speed, in_stock } = hash
  if (id === undefined || title === undefined) return undefined
  return {
    id,
    title,
    passenger_capacity: Number(passenger_capacity),
    maximum_speed: Number(maximum_speed),
    in_stock: Number(in_stock),
  }
}
