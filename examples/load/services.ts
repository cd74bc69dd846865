import { setTimeout as sleep } from 'node:timers/promises'
import { proxy, rpc, type ServiceClass } from 'clew'

interface Payments {
  charge(cents: number): Promise<number>
}

export interface PoolOptions {
  /** Connections to the bank: payments that go on at a time. @default 4 */
  readonly connections?: number
  /** What one payment takes there, in milliseconds. @default 20 */
  readonly paymentMs?: number
  /** In front of both services' names, where others share the broker. @default '' */
  readonly prefix?: string
}

/**
 * A shop whose orders take longer than its payments, until so many come that they wait for a connection
 * to the bank: with four of them, and 20 ms each, that is at 200 orders a second.
 */
export function shop({ connections = 4, paymentMs = 20, prefix = '' }: PoolOptions = {}): {
  readonly orders: ServiceClass
  readonly payments: ServiceClass
  /** Calls that `payments` handles at a time. */
  readonly connections: number
} {
  class OrdersService {
    static readonly name: string = `${prefix}orders`
    payments = proxy<Payments>(`${prefix}payments`)

    @rpc async create(cents: number): Promise<number> {
      await sleep(paymentMs * 1.5)
      return await this.payments.charge(cents)
    }
  }

  class PaymentsService implements Payments {
    static readonly name: string = `${prefix}payments`

    @rpc async charge(cents: number): Promise<number> {
      await sleep(paymentMs)
      return cents
    }
  }

  return { orders: OrdersService, payments: PaymentsService, connections }
}
