/** Events in traces, from the service that dispatches to the last of the attempts to handle them. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { connect, event, eventDispatcher, rpc, run, type ServiceClass, timer } from 'clew'
import { profile, type Sink, traced } from 'clew/profile'
import { eventually } from 'clew/testing'
import { type CallNode, callTree, type Trace } from 'clew/trace'
import { ROADS, type Road, uniqueName } from './brokers.ts'

for (const road of ROADS) {
  describe(`events in traces (${road.name})`, { skip: road.skip }, () => {
    it('show each attempt and each replica below the call that dispatched', async () => {
      const Orders = ordersService()
      const failed = new Set<number>()
      const listener = () =>
        class {
          static readonly name: string = `${Orders.name}_listener`
          dispatch = eventDispatcher()
          @event(Orders.name, 'created', { requeueOnError: { backoffMs: 10 } })
          async pool({ id }: { id: number }) {
            if (failed.has(id)) return await this.dispatch('listed', id)
            failed.add(id)
            throw new RangeError('not yet')
          }
          @event(Orders.name, 'created', { handlerType: 'broadcast', reliableDelivery: false })
          everywhere() {}
        }
      await using at = await profiled(road, [Orders])
      await at.start([listener()])
      await at.start([listener()])
      const orders = traced(at.cluster.proxy<InstanceType<typeof Orders>>(Orders.name))
      let id = 0
      // Handlers that come home later than 250 ms after the reply are no part of this trace.
      await eventually(async () => {
        const { trace } = await orders.create({ id: id++ })
        const { root, problems } = callTree(trace)
        assert.deepEqual(problems, [])
        assert.equal(root.calls.length, 1)
        const [published] = root.calls
        assert.deepEqual(told(published!), `event ${Orders.name}.events.created ok try 1`)
        const name = `${Orders.name}_listener`
        assert.deepEqual(published!.calls.map(told).toSorted(), [
          `event ${name}.on created error try 1`,
          `event ${name}.on created ok try 1`,
          `event ${name}.on created ok try 1`,
          `event ${name}.on created ok try 2`,
        ])
        const last = published!.calls.find(({ attempt }) => attempt === 2)
        assert.deepEqual(last!.calls.map(told), [`event ${name}.events.listed ok try 1`])
        assert.equal(new Set(published!.calls.map(({ id: call }) => call)).size, 4)
      })
    })

    it('begin where a clock or a program outside has dispatched', async () => {
      const traces: Trace[] = []
      const source = uniqueName('clock')
      class Clock {
        static readonly name: string = source
        dispatch = eventDispatcher()
        @timer({ every: '20ms' }) async tick() {
          await this.dispatch('ticked')
        }
      }
      class Listener {
        static readonly name: string = uniqueName('listener')
        @event(source, 'ticked') handle() {}
        @event(source, 'outside') outside() {}
      }
      await using at = await profiled(road, [Clock, Listener], traces)
      const rootOf = (method: string) =>
        eventually(() => {
          const roots = traces.map((trace) => callTree(trace).root)
          const root = roots.find((one) => one.method === method && hasHandler(one))
          assert.ok(root)
          return root
        })
      const tick = await rootOf('every 20ms')
      assert.deepEqual(tick.calls.map(told), [`event ${source}.events.ticked ok try 1`])
      await at.cluster.dispatch(source, 'outside')
      const outside = await eventually(() => {
        const roots = traces.map((trace) => callTree(trace).root)
        const root = roots.find(({ method }) => method === 'on outside')
        assert.ok(root)
        return root
      })
      assert.equal(told(outside), `event ${Listener.name}.on outside ok try 1`)
    })
  })
}

function hasHandler(root: CallNode): boolean {
  return root.calls.some(({ calls }) => calls.length > 0)
}

function told({ edge, service, method, status, attempt }: CallNode): string {
  return `${edge} ${service}.${method} ${status} try ${attempt}`
}

function ordersService() {
  return class Orders {
    static readonly name: string = uniqueName('orders')
    dispatch = eventDispatcher<{ created: { id: number } }>()
    @rpc async create(order: { id: number }) {
      await this.dispatch('created', order)
    }
  }
}

async function profiled(road: Road, services: readonly ServiceClass[], traces: Trace[] = []) {
  const broker = road.broker()
  const { delivery } = road
  const sink: Sink = {
    take: (trace) => void traces.push(trace),
    flush: async () => {},
    close: async () => {},
    counts: { taken: 0, written: 0, dropped: 0 },
  }
  const stack = new AsyncDisposableStack()
  const start = async (classes: readonly ServiceClass[]) => {
    const use = [profile({ sink })]
    stack.use(await run(classes, { broker, delivery, use, signals: false, log: () => {} }))
  }
  const cluster = stack.use(await connect(broker, { delivery, timeoutMs: 10_000 }))
  await start(services)
  return { cluster, start, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}
