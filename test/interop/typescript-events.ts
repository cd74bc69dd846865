import { consume, event, eventDispatcher, publisher, rpc, userId, workerContext } from 'clew'

export interface Order {
  readonly id: number
}

/** Events of services.py, as TypeScript sees it. */
export interface PythonEvents {
  send(type: string, payload: unknown): void
  send_twice(type: string, payload: unknown): void
  put(routingKey: string, payload: unknown): void
  tally(handler: string): unknown[]
}

/** What has been handled here, by the handlers' names. */
export class Tally {
  readonly #lists = new Map<string, unknown[]>()
  note(handler: string, payload: unknown): void {
    this.of(handler).push(payload)
  }
  of(handler: string): unknown[] {
    let list = this.#lists.get(handler)
    if (list === undefined) {
      list = []
      this.#lists.set(handler, list)
    }
    return list
  }
}

/** What runs beside Events of services.py. */
export function eventServices(prefix: string, tally: Tally) {
  const python = `${prefix}_events`
  class Shop {
    static readonly name: string = `${prefix}_shop`
    dispatch = eventDispatcher<{ order_created: Order; order_relayed: Order }>()
    publish = publisher({ exchange: { name: `${prefix}_work`, type: 'direct' } })
    @rpc async create(order: { id: number }) {
      await this.dispatch('order_created', order)
    }
    @rpc async relay(order: { id: number }) {
      await this.dispatch('order_relayed', order)
    }
    @rpc async put(routingKey: string, task: unknown) {
      await this.publish(task, { routingKey })
    }
  }
  class Bookkeeper {
    static readonly name: string = `${prefix}_bookkeeper`
    worker = workerContext()
    user = userId()
    @rpc book(_order: { id: number }) {
      return 'booked'
    }
    @event(python, 'noted') pool(payload: unknown) {
      tally.note('pool', payload)
      tally.note('ids', this.worker.call.id)
      tally.note('context', { user: this.user ?? null, stack: this.worker.callIdStack })
    }
    @event(python, 'noted', { handlerType: 'singleton' }) singleton(payload: unknown) {
      tally.note('singleton', payload)
    }
    @event(python, 'noted', { handlerType: 'broadcast', reliableDelivery: false })
    broadcast(payload: unknown) {
      tally.note('broadcast', payload)
    }
    @event(python, 'order_booked') booked(payload: unknown) {
      const { call, context } = this.worker
      tally.note('booked', payload)
      tally.note('arrived', { attempt: call.attempt, keys: Object.keys(context).toSorted() })
    }
    @event(python, 'retried', { requeueOnError: { backoffMs: 10, maxAttempts: 3 } })
    retried(payload: unknown) {
      tally.note('retried', payload)
      throw new RangeError('never')
    }
    @consume({
      name: `${prefix}_typescript_work`,
      exchange: { name: `${prefix}_work`, type: 'direct' },
      bindingKey: 'typescript',
    })
    work(task: unknown) {
      tally.note('work', task)
    }
  }
  return { Shop, Bookkeeper }
}

export type Shop = InstanceType<ReturnType<typeof eventServices>['Shop']>

/** A replica of Events of services.py, as far as its handlers share queues. */
export function eventsReplica(prefix: string, tally: Tally) {
  return class Replica {
    static readonly name: string = `${prefix}_events`
    @event(`${prefix}_shop`, 'order_created') pool(order: Order) {
      tally.note('replica', order)
    }
    @event(`${prefix}_shop`, 'order_created', { handlerType: 'singleton' }) singleton(
      _order: Order,
    ) {}
    @event(`${prefix}_shop`, 'order_created', { reliableDelivery: false }) unreliable(
      _order: Order,
    ) {}
  }
}

/** A replica that fails where Python does not. */
export function failingReplica(prefix: string, tally: Tally) {
  return class Failing {
    static readonly name: string = `${prefix}_events`
    @event(`${prefix}_shop`, 'order_relayed', { requeueOnError: { backoffMs: 20 } })
    relayed(order: Order) {
      tally.note('failed', order)
      throw new RangeError('leave it to Python')
    }
  }
}

/** The queues that are left behind: durable ones, which nobody else would delete. */
export function eventQueues(prefix: string): readonly string[] {
  const own = `${prefix}_bookkeeper`
  const python = `${prefix}_events`
  const queues = [
    ...['pool', 'context'].map((method) => `evt-${prefix}_shop-order_created--${python}.${method}`),
    `evt-${prefix}_shop-order_created`,
    `evt-${prefix}_shop-order_relayed--${python}.relayed`,
    `evt-${python}-noted--${own}.pool`,
    `evt-${python}-noted`,
    `evt-${python}-order_booked--${own}.booked`,
    `evt-${python}-retried--${own}.retried`,
    `dead-evt-${python}-retried--${own}.retried`,
    `${prefix}_typescript_work`,
    `${prefix}_python_work`,
  ]
  return queues
}
