import { eventDispatcher, rpc } from 'clew'
import { postgres, type Statements } from 'clew/postgres'
import { KeyError, OrderNotFound } from './errors.ts'
import { migrate } from './migrations.ts'
import type { NewOrderDetail, Order, OrderDetail, OrderEvents } from './schemas.ts'

/** An id as callers may give it; Python's clients send `"1"` as well. */
type Id = number | string

const DETAILS = 'id, product_id, price, quantity'

/** Keeps orders, in PostgreSQL: `DB_URIS["orders:Base"]` in the configuration. */
export class OrdersService {
  static readonly name = 'orders'
  db = postgres({ prepare: migrate })
  dispatch = eventDispatcher<OrderEvents>()

  @rpc({ params: ['order_id'], expectedErrors: [OrderNotFound] })
  async get_order(order_id: Id): Promise<Order> {
    return await orderIn(this.db, order_id)
  }

  @rpc({ params: ['order_details'] })
  async create_order(order_details: readonly NewOrderDetail[]): Promise<Order> {
    const details = order_details.map(detailOf)
    const order = await this.db.transaction(async (tx): Promise<Order> => {
      const [made] = await tx.query<{ id: number }>(
        "INSERT INTO orders (created_at, updated_at) VALUES (timezone('utc', now()), timezone('utc', now())) RETURNING id",
      )
      const { id } = made!
      return { id, order_details: await insertDetails(tx, id, details) }
    })
    await this.dispatch('order_created', { order })
    return order
  }

  /** Changes price and quantity of an order's details. */
  @rpc({ params: ['order'], expectedErrors: [OrderNotFound] })
  async update_order(order: Order): Promise<Order> {
    return await this.db.transaction(async (tx) => {
      const { order_details } = await orderIn(tx, field(order, 'id'))
      const given = new Map(field(order, 'order_details').map((one) => [Number(one.id), one]))
      for (const { id } of order_details) {
        const changed = given.get(id)
        if (changed === undefined) throw new KeyError(String(id))
        await tx.execute(
          "UPDATE order_details SET price = $1, quantity = $2, updated_at = timezone('utc', now()) WHERE id = $3",
          [field(changed, 'price'), field(changed, 'quantity'), id],
        )
      }
      return await orderIn(tx, order.id)
    })
  }

  @rpc({ params: ['order_id'], expectedErrors: [OrderNotFound] })
  async delete_order(order_id: Id): Promise<null> {
    return await this.db.transaction(async (tx) => {
      await tx.execute('DELETE FROM order_details WHERE order_id = $1', [order_id])
      const deleted = await tx.execute('DELETE FROM orders WHERE id = $1', [order_id])
      if (deleted === 0) throw notFound(order_id)
      return null
    })
  }
}

async function orderIn(db: Statements, order_id: Id): Promise<Order> {
  const [order] = await db.query<{ id: number }>('SELECT id FROM orders WHERE id = $1', [order_id])
  if (order === undefined) throw notFound(order_id)
  const order_details = await db.query<OrderDetail>(
    `SELECT ${DETAILS} FROM order_details WHERE order_id = $1 ORDER BY id`,
    [order.id],
  )
  return { id: order.id, order_details }
}

async function insertDetails(
  tx: Statements,
  order_id: number,
  details: readonly NewOrderDetail[],
): Promise<readonly OrderDetail[]> {
  // One statement for each: their number is the client's, that of a statement's parameters is bounded.
  const inserted: OrderDetail[] = []
  for (const { product_id, price, quantity } of details) {
    const rows = await tx.query<OrderDetail>(
      `INSERT INTO order_details (order_id, product_id, price, quantity, created_at, updated_at) VALUES ($1, $2, $3, $4, timezone('utc', now()), timezone('utc', now())) RETURNING ${DETAILS}`,
      [order_id, product_id, price, quantity],
    )
    inserted.push(rows[0]!)
  }
  return inserted
}

function detailOf(given: NewOrderDetail): NewOrderDetail {
  return {
    product_id: field(given, 'product_id'),
    price: field(given, 'price'),
    quantity: field(given, 'quantity'),
  }
}

/** @throws KeyError when it is missing, as Python's dictionaries do */
function field<T, Name extends keyof T & string>(given: T, name: Name): T[Name] {
  const value = given[name]
  if (value === undefined) throw new KeyError(name)
  return value
}

function notFound(order_id: Id): OrderNotFound {
  return new OrderNotFound(`Order with id ${order_id} not found`)
}
