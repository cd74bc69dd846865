/** What clocks fire, and what every worker may know of its call and its service. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  authToken,
  config,
  connect,
  contextValue,
  type Interceptor,
  type LogEvent,
  language,
  memory,
  once,
  proxy,
  rpc,
  run,
  timer,
  userAgent,
  userId,
  workerContext,
} from 'clew'
import { eventually } from 'clew/testing'
import { ROADS, uniqueName } from './brokers.ts'

const QUIET = { signals: false, log: () => {} }

describe('@timer', () => {
  it('fires with nothing in its context, shown by its interval, and never while it runs', async () => {
    let running = 0
    let runs = 0
    const seen: string[] = []
    class Clock {
      static readonly name = 'clock'
      worker = workerContext()
      @timer({ every: '5ms', eager: true }) async tick() {
        assert.equal(++running, 1)
        runs++
        seen.push(`${this.worker.call.method} ${JSON.stringify(this.worker.context)}`)
        await new Promise((resolve) => setTimeout(resolve, 12))
        running--
      }
    }
    {
      await using _running = await run(Clock, { broker: memory(), ...QUIET })
      await eventually(() => runs >= 4)
    }
    assert.equal(running, 0, 'the stop waited for the last one')
    const after = runs
    await new Promise((resolve) => setTimeout(resolve, 30))
    assert.equal(runs, after, 'and nothing fired later')
    assert.deepEqual(new Set(seen), new Set(['every 5ms {}']))
  })

  it('logs what its worker throws, and goes on', async () => {
    const log: LogEvent[] = []
    let runs = 0
    class Clock {
      static readonly name = 'clock'
      @timer(0.001) tick() {
        runs++
        throw new RangeError('no such hour')
      }
    }
    await using _running = await run(Clock, {
      broker: memory(),
      signals: false,
      log: (event) => void log.push(event),
    })
    await eventually(() => runs >= 3)
    assert.ok(log.every(({ level, method }) => level === 'error' && method === 'tick'))
    assert.match(log[0]!.message, /^clock\.tick\..* failed: RangeError: no such hour$/)
  })

  it('goes on when an interceptor fails, and says so', async () => {
    const log: LogEvent[] = []
    const broken: Interceptor = () => async () => {
      throw new Error('it is broken')
    }
    class Clock {
      static readonly name = 'clock'
      @timer(0.001) tick() {}
    }
    await using _running = await run(Clock, {
      broker: memory(),
      use: [broken],
      signals: false,
      log: (event) => void log.push(event),
    })
    await eventually(() => log.length >= 3)
    assert.equal(log[0]!.message, 'clock.tick could not be run: it is broken')
  })

  it('waits for a free worker, and lets go when its service is killed', async () => {
    const gate = Promise.withResolvers<void>()
    let runs = 0
    class Clock {
      static readonly name = 'clock'
      @timer(0.001) async tick() {
        runs++
        await gate.promise
      }
      @timer(0.001) async tock() {
        runs++
        await gate.promise
      }
    }
    const running = await run(Clock, { broker: memory(), maxWorkers: 1, ...QUIET })
    await eventually(() => runs === 1)
    await running.kill()
    gate.resolve()
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(runs, 1)
  })
})

describe('@once', () => {
  it('fires once for each start, which does not wait for it; the stop does', async () => {
    const gate = Promise.withResolvers<void>()
    const lines: string[] = []
    class Warm {
      static readonly name = 'warm'
      worker = workerContext()
      @once async up() {
        lines.push(this.worker.call.method)
        await gate.promise
        lines.push('warm')
      }
      @once({ name: 'other' }) fails() {
        throw new Error('too cold')
      }
    }
    for (const _start of [1, 2]) {
      const running = await run(Warm, { broker: memory(), ...QUIET })
      const stopping = running.stop()
      gate.resolve()
      await stopping
    }
    assert.deepEqual(lines, ['once', 'warm', 'once', 'warm'])
  })
})

describe('what a worker may know', () => {
  for (const road of ROADS) {
    it(`comes with the call and from the configuration (${road.name})`, {
      skip: road.skip,
    }, async () => {
      class Inner {
        static readonly name: string = uniqueName('inner')
        language = language()
        user = userId()
        agent = userAgent()
        token = authToken()
        tenant = contextValue('tenant')
        config = config<{ currency: string }>()
        @rpc known(): unknown {
          const { user, agent, token, tenant } = this
          return { language: this.language, user, agent, token, tenant, config: this.config }
        }
      }
      class Outer {
        static readonly name: string = uniqueName('outer')
        inner = proxy<Inner>(Inner.name)
        @rpc async known() {
          return await this.inner.known()
        }
      }
      const broker = road.broker()
      await using _running = await run([Inner, Outer], {
        broker,
        delivery: road.delivery,
        config: { currency: 'EUR' },
        ...QUIET,
      })
      const context = { language: 'de', user_id: 7, auth_token: { a: 1 }, tenant: ['a', 1] }
      await using cluster = await connect(broker, { delivery: road.delivery, context })
      assert.deepEqual(await cluster.proxy<Outer>(Outer.name).known(), {
        language: 'de',
        user: '7',
        tenant: ['a', 1],
        config: { currency: 'EUR' },
      })
    })
  }
})
