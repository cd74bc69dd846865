/** Raw messages: any exchange, any queue. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  connect,
  consume,
  Dependency,
  inject,
  type Publish,
  Publisher,
  publisher,
  rpc,
  run,
  type WorkerContext,
  workerContext,
} from 'clew'
import { eventually } from 'clew/testing'
import { ROADS, type Road, uniqueName } from './brokers.ts'

for (const road of ROADS) {
  describe(`messages (${road.name})`, { skip: road.skip }, () => {
    it('go to a queue by its name, with the context of their worker', async () => {
      const queue = uniqueName('work')
      const seen: unknown[] = []
      class Taker {
        static readonly name: string = uniqueName('taker')
        worker = workerContext()
        publish = publisher<{ n: number }>({ queues: [{ name: queue }] })
        @rpc async put(n: number) {
          await this.publish({ n }, { routingKey: queue, headers: { 'x-mark': 'red' } })
        }
        @consume(queue) take(task: { n: number }) {
          const { call, context } = this.worker
          const { headers, method, edge } = call
          seen.push([task, method, edge, headers['x-mark'], context.user_id])
        }
      }
      await using at = await served(road, Taker, { user_id: '7' })
      await at.cluster.proxy<Taker>(Taker.name).put(1)
      await eventually(() => assert.equal(seen.length, 1))
      assert.deepEqual(seen, [[{ n: 1 }, `on ${queue}`, 'event', 'red', '7']])
    })

    it('go to an exchange, and find queues that were declared with them', async () => {
      const exchange = { name: uniqueName('work'), type: 'direct' } as const
      const queue = { name: uniqueName('red'), exchange, bindingKey: 'red' }
      const seen: unknown[] = []
      class Putter {
        static readonly name: string = uniqueName('putter')
        publish = publisher({ exchange, queues: [queue], routingKey: 'red' })
        strict = publisher({ exchange, mandatory: true, confirm: true })
        @rpc async put(n: number, routingKey: string) {
          await this.publish(n, { routingKey })
        }
        @rpc async red(n: number) {
          await this.publish(n)
        }
        @rpc async lost() {
          await this.strict(0, { routingKey: 'nowhere' })
        }
      }
      class Taker {
        static readonly name: string = uniqueName('taker')
        @consume(queue) take(n: number) {
          seen.push(n)
        }
      }
      await using at = await served(road, Putter)
      const putter = at.cluster.proxy<Putter>(Putter.name)
      // Nobody consumes yet: the queue was declared by who publishes.
      await putter.red(1)
      await putter.put(2, 'blue')
      await putter.put(3, 'red')
      await at.start(Taker)
      await eventually(() => assert.equal(seen.length, 2))
      assert.deepEqual(seen, [1, 3])
      await assert.rejects(putter.lost(), /unknown_service|no queue/)
    })

    it('come again by their policy, then lie among the dead', async () => {
      const queue = uniqueName('work')
      const seen: unknown[] = []
      const log: string[] = []
      class Taker {
        static readonly name: string = uniqueName('taker')
        worker = workerContext()
        publish = publisher({ queues: [{ name: queue }], routingKey: queue })
        @rpc async put() {
          await this.publish('a task')
        }
        @consume(queue, { requeueOnError: { backoffMs: 10, maxAttempts: 3 } }) take(_task: string) {
          seen.push(this.worker.call.attempt)
          throw new RangeError('never')
        }
        @consume(`dead-${queue}`) bury(task: string) {
          log.push(task)
        }
      }
      await using at = await served(road, Taker)
      await at.cluster.proxy<Taker>(Taker.name).put()
      await eventually(() => assert.deepEqual(log, ['a task']))
      assert.deepEqual(seen, [1, 2, 3])
    })

    it('may be published by dependencies that are made of publishers', async () => {
      const queue = uniqueName('audit')
      const seen: string[] = []
      class Audit extends Dependency<(what: string) => Promise<void>> {
        readonly publisher = this.use(
          new Publisher({ routingKey: queue, queues: [{ name: queue }] }),
        )
        override get(worker: WorkerContext) {
          const publish: Publish = this.publisher.get(worker)
          return (what: string) => publish(`${worker.entrypoint.name}: ${what}`)
        }
      }
      class Shop {
        static readonly name: string = uniqueName('shop')
        audit = inject(new Audit())
        @rpc async sell() {
          await this.audit('sold')
        }
        @consume(queue) take(line: string) {
          seen.push(line)
        }
      }
      await using at = await served(road, Shop)
      await at.cluster.proxy<Shop>(Shop.name).sell()
      await eventually(() => assert.deepEqual(seen, ['sell: sold']))
    })
  })
}

async function served(
  road: Road,
  service: Parameters<typeof run>[0],
  context: Record<string, string> = {},
) {
  const broker = road.broker()
  const stack = new AsyncDisposableStack()
  const { delivery } = road
  const start = async (started: Parameters<typeof run>[0]) =>
    void stack.use(await run(started, { broker, delivery, signals: false, log: () => {} }))
  await start(service)
  const cluster = stack.use(await connect(broker, { delivery, context, timeoutMs: 10_000 }))
  return { cluster, start, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}
