/** Events whose handlers fail, are killed, or stop: none is lost, and none holds others up. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { event, workerContext } from 'clew'
import { eventually } from 'clew/testing'
import { ROADS, uniqueName } from './brokers.ts'
import { opened } from './opened.ts'

interface Order {
  readonly id: number
}

for (const road of ROADS) {
  describe(`events that fail (${road.name})`, { skip: road.skip }, () => {
    it('are logged and done with where nothing else is asked for', async () => {
      await using at = await opened(road)
      const source = uniqueName('orders')
      const seen: number[] = []
      class Listener {
        static readonly name: string = uniqueName('listener')
        @event(source, 'created', { expectedErrors: [RangeError] }) handle({ id }: Order) {
          seen.push(id)
          if (id === 1) throw new TypeError('not this one')
          if (id === 2) throw new RangeError('nor this one')
        }
      }
      await at.start(Listener)
      for (const id of [1, 2, 3]) await at.cluster.dispatch(source, 'created', { id })
      await eventually(() => assert.equal(seen.length, 3))
      assert.deepEqual(seen, [1, 2, 3])
      assert.deepEqual(
        at.log.map(({ level, method }) => `${level} ${method}`),
        ['error handle', 'warn handle'],
      )
    })

    it('of a queue that goes with its replica are dropped in the end, and that is told', async () => {
      await using at = await opened(road)
      const source = uniqueName('orders')
      let failures = 0
      class Listener {
        static readonly name: string = uniqueName('listener')
        @event(source, 'created', {
          handlerType: 'broadcast',
          reliableDelivery: false,
          requeueOnError: { backoffMs: 5, maxAttempts: 2 },
        })
        handle(_order: Order) {
          failures++
          throw new RangeError('never')
        }
      }
      await at.start(Listener)
      await at.cluster.dispatch(source, 'created', { id: 1 })
      const told = () => at.log.find(({ message }) => /it is dropped/.test(message))
      await eventually(() => assert.ok(told()))
      assert.match(told()!.message, /\.handle: a message in .* has failed 2 times, it is dropped$/)
      assert.equal(failures, 2)
    })

    it('have failed where their method does not end in time, and keep no worker', async () => {
      await using at = await opened(road)
      const source = uniqueName('orders')
      const seen: number[] = []
      let aborted = 0
      class Listener {
        static readonly name: string = uniqueName('listener')
        worker = workerContext()
        @event(source, 'created', {
          timeoutMs: 50,
          requeueOnError: { backoffMs: 5, maxAttempts: 2 },
        })
        async handle({ id }: Order) {
          seen.push(id)
          this.worker.signal.addEventListener('abort', () => aborted++)
          if (id === 1) await new Promise(() => {})
        }
      }
      await at.start(Listener, { maxWorkers: 1, drainTimeoutMs: 50 })
      for (const id of [1, 2]) await at.cluster.dispatch(source, 'created', { id })
      const told = () => at.log.find(({ message }) => /has failed 2 times/.test(message))
      await eventually(() => assert.ok(told()))
      assert.deepEqual(seen.toSorted(), [1, 1, 2])
      assert.equal(aborted, 2)
      assert.match(told()!.error!.toString(), /was still running after the 50 ms/)
    })

    it('come again by their policy, each attempt a call of its own', async () => {
      await using at = await opened(road)
      const source = uniqueName('orders')
      const seen: { attempt: number | undefined; id: string }[] = []
      class Listener {
        static readonly name: string = uniqueName('listener')
        worker = workerContext()
        @event(source, 'created', { requeueOnError: { backoffMs: 20, maxAttempts: 5 } })
        handle(_order: Order) {
          const { attempt, id } = this.worker.call
          seen.push({ attempt, id })
          if (seen.length < 3) throw new Error('not yet')
        }
      }
      await at.start(Listener)
      await at.cluster.dispatch(source, 'created', { id: 1 })
      await eventually(() => assert.equal(seen.length, 3))
      assert.deepEqual(
        seen.map(({ attempt }) => attempt),
        [1, 2, 3],
      )
      assert.equal(new Set(seen.map(({ id }) => id)).size, 3)
    })

    it('come again when their own policy says, not when another one does', async () => {
      await using at = await opened(road)
      const source = uniqueName('orders')
      const attempts = { soon: 0, late: 0 }
      class Listener {
        static readonly name: string = uniqueName('listener')
        @event(source, 'created', { requeueOnError: true }) soon(_order: Order) {
          attempts.soon++
          throw new Error('in a second')
        }
        @event(source, 'created', { requeueOnError: { backoffMs: 60_000 } }) late(_order: Order) {
          attempts.late++
          throw new Error('in a minute')
        }
      }
      await at.start(Listener)
      await at.cluster.dispatch(source, 'created', { id: 1 })
      await eventually(() => assert.equal(attempts.soon, 2))
      assert.equal(attempts.late, 1)
    })

    it('hold nobody up and are not lost, when a thousand of them fail', async () => {
      await using at = await opened(road)
      const source = uniqueName('orders')
      const EVENTS = 1000
      let mended = false
      let failures = 0
      const failing = new Set<number>()
      const handled = new Set<number>()
      const others = new Set<number>()
      class Storm {
        static readonly name: string = uniqueName('storm')
        @event(source, 'created', { requeueOnError: { backoffMs: 2000, maxBackoffMs: 2000 } })
        handle({ id }: Order) {
          if (!mended) {
            failures++
            failing.add(id)
            throw new Error('the shop is closed')
          }
          handled.add(id)
        }
        @event(source, 'created') other({ id }: Order) {
          others.add(id)
        }
      }
      await at.start(Storm)
      const dispatched = Array.from({ length: EVENTS }, (_, id) =>
        at.cluster.dispatch(source, 'created', { id }),
      )
      await Promise.all(dispatched)
      await eventually(() => assert.equal(others.size, EVENTS), 30_000)
      await eventually(() => assert.equal(failing.size, EVENTS), 30_000)
      // Nameko's hot loop would have come to tens of thousands.
      assert.ok(failures < EVENTS * 20, `${failures} attempts: it spins`)
      mended = true
      await eventually(() => assert.equal(handled.size, EVENTS), 30_000)
    })

    it('are handled by others when their service is killed, under the same id', async () => {
      await using at = await opened(road)
      const source = uniqueName('orders')
      const seen: { redelivered: boolean; id: string }[] = []
      const gate = Promise.withResolvers<void>()
      class Listener {
        static readonly name: string = uniqueName('listener')
        worker = workerContext()
        @event(source, 'created') async handle(_order: Order) {
          const { redelivered, id } = this.worker.call
          seen.push({ redelivered, id })
          if (!redelivered) await gate.promise
        }
      }
      const first = await at.start(Listener)
      const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`
      await at.cluster.dispatch(source, 'created', { id: 1 }, { headers: { traceparent } })
      await eventually(() => assert.equal(seen.length, 1))
      await first.kill()
      await at.start(Listener)
      await eventually(() => assert.equal(seen.length, 2))
      gate.resolve()
      assert.deepEqual(
        seen.map(({ redelivered }) => redelivered),
        [false, true],
      )
      assert.equal(seen[0]!.id, seen[1]!.id)
    })

    it('are left to others by a service that is stopping', async () => {
      await using at = await opened(road)
      const source = uniqueName('orders')
      const seen: string[] = []
      const gate = Promise.withResolvers<void>()
      const listener = (replica: string, name: string) =>
        class {
          static readonly name: string = name
          @event(source, 'created') async handle({ id }: Order) {
            seen.push(`${replica} begins ${id}`)
            if (id === 1) await gate.promise
            seen.push(`${replica} ends ${id}`)
          }
        }
      const name = uniqueName('listener')
      const first = await at.start(listener('first', name))
      await at.cluster.dispatch(source, 'created', { id: 1 })
      await eventually(() => assert.equal(seen.length, 1))
      const stopping = first.stop()
      await new Promise((resolve) => setTimeout(resolve, 50))
      await at.cluster.dispatch(source, 'created', { id: 2 })
      await at.start(listener('second', name))
      await eventually(() => assert.equal(seen.length, 3))
      gate.resolve()
      await stopping
      assert.deepEqual(seen, ['first begins 1', 'second begins 2', 'second ends 2', 'first ends 1'])
    })

    it('do not exist when handlers are restarted one after the other', async () => {
      await using at = await opened(road)
      const source = uniqueName('orders')
      const handled: number[] = []
      class Listener {
        static readonly name: string = uniqueName('listener')
        @event(source, 'created') async handle({ id }: Order) {
          await new Promise((resolve) => setTimeout(resolve, 2))
          handled.push(id)
        }
      }
      let replicas = [await at.start(Listener), await at.start(Listener)]
      let dispatching = true
      let events = 0
      const stream = (async () => {
        while (dispatching) {
          await at.cluster.dispatch(source, 'created', { id: events++ })
          // Where nothing is confirmed, nothing else would slow it down.
          await new Promise((resolve) => setTimeout(resolve, 1))
        }
      })()
      for (let restarts = 0; restarts < 4; restarts++) {
        const seen = handled.length
        await eventually(() => handled.length > seen + 20)
        const [oldest, ...rest] = replicas
        await oldest!.stop()
        replicas = [...rest, await at.start(Listener)]
      }
      dispatching = false
      await stream
      await eventually(() => assert.equal(handled.length, events))
      assert.equal(new Set(handled).size, events, 'each of them once')
      assert.ok(events > 80)
    })
  })
}
