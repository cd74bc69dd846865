// Compiled, never run: what the types of events, messages and clocks promise. A line that should not
// compile but does makes `tsc` fail on its @ts-expect-error.
import {
  authToken,
  type Cluster,
  config,
  consume,
  contextValue,
  event,
  eventDispatcher,
  eventsOf,
  type HeaderValue,
  language,
  once,
  publisher,
  timer,
} from 'clew'

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(..._proof: Equal<A, B> extends true ? [] : ['the types differ']): void {}

interface Order {
  id: number
  lines: { product: string }[]
}

interface OrderEvents {
  order_created: Order
  order_paid: { id: number; total: string }
  shop_closed: undefined
  broken: { at: Date }
}

export class Orders {
  static readonly name = 'orders'
  dispatch = eventDispatcher<OrderEvents>()
  anything = eventDispatcher()
  publish = publisher<{ id: number }>({ exchange: { name: 'work', type: 'direct' } })
  config = config<{ currency: string }>()
  language = language()
  token = authToken()
  tenant = contextValue('tenant')

  async create(order: Order): Promise<void> {
    await this.dispatch('order_created', order)
    await this.dispatch('shop_closed')
    await this.anything('whatever', { a: [1] })
    await this.anything('whatever')
    await this.publish({ id: 1 }, { routingKey: 'x', priority: 3 })
    // @ts-expect-error another event's payload
    await this.dispatch('order_paid', order)
    // @ts-expect-error no payload
    await this.dispatch('order_created')
    // @ts-expect-error no such event
    await this.dispatch('order_creatd', order)
    // @ts-expect-error a Date does not travel as JSON
    await this.dispatch('broken', { at: new Date() })
    // @ts-expect-error nor is it the payload of this publisher
    await this.publish({ id: 'one' })
    same<typeof this.language, string | undefined>()
    same<typeof this.token, string | undefined>()
    same<typeof this.tenant, HeaderValue | undefined>()
    same<typeof this.config.currency, string>()
    // @ts-expect-error the configuration is everybody's
    this.config.currency = 'EUR'
  }
}

const orders = eventsOf<OrderEvents>('orders')

export class Products {
  static readonly name = 'products'
  @event('orders', 'order_created') untyped(_order: Order): void {}
  @event('orders', 'order_created', { handlerType: 'singleton' }) ignoring(): void {}
  @event('orders', '#') any(_payload: unknown): void {}
  @orders.on('order_created') typed(_order: Order): void {}
  @orders.on('order_paid', { requeueOnError: true }) part(_paid: { id: number }): void {}
  @orders.on('shop_closed') closed(): void {}
  @consume('work') async work(_task: { id: number }): Promise<void> {}
  @timer(5) async tick(): Promise<void> {}
  @timer({ every: '5s', eager: true }) often(_optional = 1): void {}
  @once start(): void {}
  @once({ name: 'first' }) begin(): void {}

  // @ts-expect-error another event's payload
  @orders.on('order_paid') mistaken(_order: Order): void {}
  // @ts-expect-error no such event
  @orders.on('order_creatd') misspelt(_order: Order): void {}
  // @ts-expect-error a Date does not come from the wire
  @event('orders', 'order_created') dated(_at: Date): void {}
  // @ts-expect-error an event is one payload
  @event('orders', 'order_created') two(_one: Order, _other: Order): void {}
  // @ts-expect-error a clock gives nothing
  @timer(5) needy(_n: number): void {}
  // @ts-expect-error no such handler type
  @event('orders', 'order_created', { handlerType: 'service_pool' }) pool(_order: Order): void {}
}

export async function outside(cluster: Cluster): Promise<void> {
  await cluster.dispatch('orders', 'order_created', { id: 1 }, { context: { language: 'de' } })
}
