import type { Trace } from 'clew/trace'
import { type CallSpec, traceOf } from './spec.ts'

const operation = (name: string, at: number, total: number): CallSpec => ({
  ...{ name, at, total, edge: 'down', presence: '1001' },
})

/** An order that comes by HTTP, is kept in a database, and of which two others hear, one in vain. */
export function ordering(): Trace {
  const details = Array.from({ length: 4 }, (_, index) =>
    operation(
      'orders.db.INSERT INTO order_details (order_id, product_id, price) VALUES ($1, $2, $3)',
      19.2 + index * 0.9,
      0.8 + index * 0.03,
    ),
  )
  const mail = { service: 'mailer.db', method: 'SELECT address FROM customers WHERE id = $1' }
  return traceOf({
    ...{ name: 'gateway.POST /orders', host: 'gateway-1', at: 0, total: 41.6, handle: 41.6 },
    presence: '0110',
    calls: [
      {
        ...{ name: 'products.list', host: 'products-2', at: 1.9, total: 7.4, handle: 6 },
        calls: [
          operation('products.cache.KEYS products:*', 3, 0.9),
          operation('products.cache.PIPELINE HGETALL products:*', 4.2, 3.1),
        ],
      },
      {
        ...{ name: 'orders.create_order', host: 'orders-0', at: 11, total: 28.8, handle: 26.9 },
        calls: [
          operation('orders.db.BEGIN', 13, 0.6),
          operation('orders.db.INSERT INTO orders (created_at) VALUES ($1) RETURNING id', 14, 4.9),
          ...details,
          operation('orders.db.COMMIT', 24, 9.6),
          {
            ...{ name: 'orders.events.order_created', at: 34.4, total: 1.7 },
            ...{ edge: 'event', presence: '1001' },
            calls: [
              {
                ...{ name: 'products.on order_created', host: 'products-1', at: 36, total: 9 },
                ...{ handle: 9, edge: 'event', presence: '0110' },
                calls: [operation('products.cache.HINCRBY products:*', 38, 5.5)],
              },
              {
                ...{ name: 'mailer.on order_created', host: 'mailer-0', at: 36.4, total: 22 },
                ...{ handle: 22, edge: 'event', presence: '0110' },
                ...{ status: 'error', error: 'SmtpError' },
                folds: [
                  {
                    ...mail,
                    ...{
                      edge: 'down',
                      count: 60,
                      minMs: 0.1,
                      medianMs: 0.14,
                      maxMs: 0.9,
                      sumMs: 11,
                    },
                  },
                ],
                calls: [
                  {
                    ...operation('mailer.db.UPDATE outbox SET sent_at = $1 WHERE id = $2', 50, 6),
                    ...{ status: 'error', error: 'DeadlockDetected' },
                  },
                ],
              },
            ],
          },
        ],
      },
    ],
  })
}
