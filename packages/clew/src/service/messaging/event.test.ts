import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Arrival, ConfigError } from '../../call/index.ts'
import { methodsOf } from '../declare-method.ts'
import { consume } from './consume.ts'
import { event } from './event.ts'
import type { EventOptions } from './event-options.ts'
import { eventQueue, exchangeSettings, type HandlerType } from './event-queue.ts'
import { handlingId } from './message-id.ts'

const SUBSCRIBER = {
  source: 'orders',
  type: 'order_created',
  service: 'products',
  method: 'handle',
  identifier: 'host-1',
}

describe("a handler's queue", () => {
  // Read from Nameko's source, and confirmed against its broker: see docs/nameko.md.
  const NAMEKO: [HandlerType, boolean, string, boolean, boolean][] = [
    ['service-pool', true, 'evt-orders-order_created--products.handle', false, false],
    ['service-pool', false, 'evt-orders-order_created--products.handle', false, true],
    ['singleton', true, 'evt-orders-order_created', false, false],
    ['singleton', false, 'evt-orders-order_created', false, true],
    ['broadcast', true, 'evt-orders-order_created--products.handle-host-1', false, false],
    ['broadcast', false, 'evt-orders-order_created--products.handle-host-1', true, true],
  ]
  for (const [handlerType, reliable, name, exclusive, autoDelete] of NAMEKO) {
    it(`is Nameko's, for ${handlerType}${reliable ? '' : ' without reliable delivery'}`, () => {
      assert.deepEqual(eventQueue({ ...SUBSCRIBER, handlerType, reliable }, {}), {
        name,
        durable: true,
        exclusive,
        autoDelete,
        bindingKey: 'order_created',
        declareExchange: true,
        exchange: { name: 'orders.events', type: 'topic', durable: true, autoDelete: false },
      })
    })
  }

  it("heeds Nameko's settings", () => {
    const settings = exchangeSettings({
      AUTO_DELETE_EVENT_EXCHANGES: true,
      DECLARE_EVENT_EXCHANGES: false,
    })
    const subscriber = { ...SUBSCRIBER, handlerType: 'singleton', reliable: true } as const
    const queue = eventQueue(subscriber, settings)
    assert.equal(queue.exchange?.autoDelete, true)
    assert.equal(queue.declareExchange, false)
    assert.throws(() => exchangeSettings({ DECLARE_EVENT_EXCHANGES: 'no' }), ConfigError)
  })
})

describe('@event', () => {
  it('may stand before a method several times', () => {
    class Products {
      @event('orders', 'order_created')
      @event('orders', 'order_paid', { handlerType: 'singleton' })
      handle(_order: { id: number }) {}
    }
    assert.deepEqual(
      methodsOf(Products).map(({ kind, name }) => [kind, name]),
      [
        ['event', 'handle'],
        ['event', 'handle'],
      ],
    )
  })

  const REFUSED: [string, unknown, RegExp][] = [
    ['broadcast and reliable delivery alone', { handlerType: 'broadcast' }, /broadcastIdentifier/],
    ['a misspelt handler type', { handlerType: 'service_pool' }, /service_pool/],
    ['an identifier without broadcast', { broadcastIdentifier: 'a' }, /only a handler/],
    ['no time at all', { timeoutMs: 0 }, /timeoutMs must be a number above 0; got 0/],
    ['a time that is no number', { timeoutMs: Number.NaN }, /timeoutMs must be/],
    ['a backoff of nothing', { requeueOnError: { backoffMs: 0 } }, /waits 0/],
    ['a wait that is no number', { requeueOnError: { maxBackoffMs: Number.NaN } }, /waits/],
    ['no attempt at all', { requeueOnError: { maxAttempts: 0 } }, /0 attempts/],
    ['half an attempt', { requeueOnError: { maxAttempts: 1.5 } }, /1.5 attempts/],
  ]
  for (const [what, options, message] of REFUSED) {
    it(`refuses ${what}`, () => {
      const declare = () => {
        class Broken {
          @event('orders', 'order_created', options as EventOptions) handle(_order: unknown) {}
        }
        return Broken
      }
      assert.throws(declare, (error) => error instanceof ConfigError && message.test(error.message))
    })
  }

  it('refuses names that cannot be bound', () => {
    const declare = (service: string, type: string) => () => {
      class Broken {
        @event(service, type) handle(_order: unknown) {}
      }
      return Broken
    }
    for (const service of ['', 'a b', '*', undefined]) {
      assert.throws(declare(service as string, 'created'), /no service's name/)
    }
    for (const type of ['', 'x'.repeat(256), undefined]) {
      assert.throws(declare('orders', type as string), /event type/)
    }
  })

  it('refuses methods that need more than the payload', () => {
    const handle = function (this: unknown, _one: number, _two: number) {} as () => void
    const context = { kind: 'method', name: 'handle', metadata: {} } as ClassMethodDecoratorContext
    for (const declare of [event('orders', 'created'), consume('work')]) {
      assert.throws(() => declare(handle, context as never), /needs 2 arguments/)
    }
    assert.throws(() => consume({ name: '' })(() => {}, context as never), /no name/)
  })
})

describe("the id of a message's handling", () => {
  const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`
  const arrival: Arrival = {
    exchange: 'orders.events',
    routingKey: 'order_created',
    payload: {},
    unreadable: undefined,
    context: {},
    headers: { traceparent },
    correlationId: '',
    redelivered: false,
    attempt: 1,
  }
  const idOf = (change: Partial<Arrival> = {}, queue = 'evt-a', service = 'a', method = 'handle') =>
    handlingId({ ...arrival, ...change }, queue, service, method)

  it('is the same for the same message, and another for all else', () => {
    assert.equal(idOf(), idOf({ redelivered: true, payload: 7 }))
    const others = [
      idOf({ attempt: 2 }),
      idOf({ headers: { traceparent: traceparent.replace(/2/g, '3') } }),
      idOf({}, 'evt-b'),
      idOf({}, 'evt-a', 'b'),
      idOf({}, 'evt-a', 'a', 'other'),
      idOf({ headers: {}, correlationId: 'c' }),
    ]
    assert.equal(new Set([idOf(), ...others]).size, 7)
    assert.equal(
      idOf({ headers: {}, correlationId: 'c' }),
      idOf({ headers: {}, correlationId: 'c' }),
    )
  })

  it('is a new one where nothing tells messages apart, or it cannot be read', () => {
    assert.notEqual(idOf({ headers: {} }), idOf({ headers: {} }))
    assert.notEqual(idOf({ headers: { traceparent: 7 } }), idOf({ headers: { traceparent: 7 } }))
    const relayed = { headers: {}, context: { traceparent } }
    assert.notEqual(idOf(relayed), idOf(relayed))
  })

  it('is a UUID of version 8 whatever it is made from', () => {
    const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }),
        fc.string(),
        fc.nat(),
        (correlationId, queue, attempt) => {
          assert.match(idOf({ headers: {}, correlationId, attempt }, queue), uuid)
        },
      ),
    )
  })
})
