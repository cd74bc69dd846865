/** Extensions: their lives, what they share, what they fire, and what goes to no service. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  connect,
  Dependency,
  declareMethod,
  Entrypoint,
  Extension,
  type Interceptor,
  inject,
  memory,
  proxy,
  type Reply,
  rpc,
  run,
  type WorkerContext,
  workerContext,
} from 'clew'

const QUIET = { signals: false, log: () => {} }

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** A bell that all services of a run share, and that entrypoints hang on. */
class Bell extends Extension {
  readonly lines: string[] = []
  readonly ringers: ((times: number) => Promise<Reply>)[] = []
  override setup() {
    this.lines.push(`bell set up after ${this.ringers.length} ringers`)
  }
  override start() {
    this.lines.push('bell started')
  }
  override stop() {
    this.lines.push('bell stopped')
  }
  override kill() {
    this.lines.push('bell killed')
  }
  ring(times: number): Promise<Reply[]> {
    return Promise.all(this.ringers.map((ring) => ring(times)))
  }
}

let bell: Bell

class Ringing extends Entrypoint {
  override setup() {
    bell = this.host.shared(Bell)
    bell.ringers.push((times) => this.fire({ args: [times], shownAs: `ring ${times}` }))
  }
  override start() {
    bell.lines.push(`${this.host.service} listens`)
  }
  override stop() {
    bell.lines.push(`${this.host.service} listens no more`)
  }
}

/** A custom entrypoint's decorator. */
function onRing(method: (times: number) => unknown, context: ClassMethodDecoratorContext): void {
  declareMethod({ kind: 'ring', make: () => new Ringing() }, method, context)
}

class Clock extends Dependency<WorkerContext> {
  override start() {
    bell.lines.push(`${this.host.service}'s clock started`)
  }
  override stop() {
    bell.lines.push(`${this.host.service}'s clock stopped`)
  }
  override get(worker: WorkerContext) {
    return worker
  }
}

class Tower {
  static readonly name: string = 'tower'
  clock = inject(new Clock())
  @onRing async toll(times: number) {
    if (times > 12) throw new RangeError('no hour has so many')
    return `${this.clock.call.method}, ${this.clock.callId.split('.').slice(0, 2).join('.')}`
  }
}

class Chapel extends Tower {
  static override readonly name: string = 'chapel'
}

describe('extensions', () => {
  it('live in the order that their work needs, and share what they share', async () => {
    const running = await run([Tower, Chapel], { broker: memory(), ...QUIET })
    const replies = await bell.ring(3)
    assert.deepEqual(
      replies.map(({ result }) => result),
      ['ring 3, tower.toll', 'ring 3, chapel.toll'],
    )
    await running.stop()
    assert.deepEqual(bell.lines, [
      'bell set up after 2 ringers',
      "tower's clock started",
      "chapel's clock started",
      'tower listens',
      'chapel listens',
      'bell started',
      'tower listens no more',
      'chapel listens no more',
      "tower's clock stopped",
      "chapel's clock stopped",
      'bell stopped',
    ])
  })

  it('are killed, not stopped, when a service is', async () => {
    const running = await run(Tower, { broker: memory(), ...QUIET })
    await running.kill()
    assert.equal(bell.lines.at(-1), 'bell killed')
  })

  it('get the error of what they fired as a reply, never thrown', async () => {
    await using _running = await run(Tower, { broker: memory(), ...QUIET })
    const [reply] = await bell.ring(13)
    assert.ok(reply?.error instanceof RangeError)
  })

  it('pass the interceptors of callees, as calls do', async () => {
    const seen: string[] = []
    const noting: Interceptor = (next) => (call) => {
      seen.push(`${call.service} ${call.method}`)
      return next(call)
    }
    await using _running = await run(Tower, { broker: memory(), use: [noting], ...QUIET })
    await bell.ring(1)
    assert.deepEqual(seen, ['tower ring 1'])
  })

  it('abort the worker when nobody waits for it any more', async () => {
    const leaving = new AbortController()
    const aborted = Promise.withResolvers<unknown>()
    class Waiting extends Entrypoint {
      override start() {
        this.host.spawn(async () => {
          const reply = await this.fire({ args: [], signal: leaving.signal })
          aborted.resolve(reply.error)
        })
      }
    }
    function onStart(method: () => unknown, context: ClassMethodDecoratorContext): void {
      declareMethod({ kind: 'start', make: () => new Waiting() }, method, context)
    }
    class Patient {
      static readonly name = 'patient'
      worker = workerContext()
      @onStart wait() {
        leaving.abort()
        return this.worker.signal.aborted
      }
    }
    await using _running = await run(Patient, { broker: memory(), ...QUIET })
    const error = await aborted.promise
    assert.equal((error as { code?: string }).code, 'cancelled')
  })
})

describe('background tasks', () => {
  function busy(task: (signal: AbortSignal) => Promise<void>) {
    class Busy extends Dependency<undefined> {
      override start() {
        this.host.spawn(task)
      }
      override get() {
        return undefined
      }
    }
    return class Sweeper {
      static readonly name: string = 'sweeper'
      busy = inject(new Busy())
      @rpc sweep() {
        return 'swept'
      }
    }
  }

  it('end with their service, which waits for them', async () => {
    const lines: string[] = []
    const running = await run(
      busy(async (signal) => {
        while (!signal.aborted) await sleep(1)
        await sleep(10)
        lines.push('tidied up')
      }),
      { broker: memory(), ...QUIET },
    )
    await running.stop()
    assert.deepEqual(lines, ['tidied up'])
  })

  it('end all services of their run by an error that nobody catches', async () => {
    const lines: string[] = []
    const running = await run(
      busy(async () => {
        await sleep(5)
        throw new Error('the broom broke')
      }),
      { broker: memory(), signals: false, log: ({ error }) => void lines.push(String(error)) },
    )
    await running.stopped
    assert.deepEqual(lines, ['Error: the broom broke'])
  })
})

describe('what goes to no service', () => {
  class Librarian {
    static readonly name: string = 'librarian'
    worker = workerContext()
    @rpc async find(title: string) {
      return await this.worker.down('librarian.shelves', 'SEARCH', async () => {
        if (title === '') throw new RangeError('no title')
        return title.length
      })
    }
  }

  for (const everyEdge of [false, true]) {
    it(`passes ${everyEdge ? 'interceptors that ask for it' : 'no other interceptor'}`, async () => {
      const seen: string[] = []
      const caller: Interceptor = (next) => async (call) => {
        const reply = await next(call)
        seen.push(`${call.edge} ${call.service} ${call.method} ${reply.error?.name ?? 'ok'}`)
        return reply
      }
      const broker = memory()
      const use = [{ name: 'noting', caller, everyEdge }]
      await using _running = await run(Librarian, { broker, use, ...QUIET })
      await using cluster = await connect(broker)
      const librarian = cluster.proxy<Librarian>('librarian')
      assert.equal(await librarian.find('Ulysses'), 7)
      await assert.rejects(librarian.find(''), { remoteName: 'RangeError' })
      const expected = [
        'down librarian.shelves SEARCH ok',
        'down librarian.shelves SEARCH RangeError',
      ]
      assert.deepEqual(seen, everyEdge ? expected : [])
    })
  }
})

describe('stopping several services of one process', () => {
  it('stops callers before those they call, so that running calls can end', async () => {
    const gate = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    class Well {
      static readonly name = 'well'
      @rpc draw() {
        return 'water'
      }
    }
    class Bucket {
      static readonly name = 'bucket'
      well = proxy<Well>('well')
      @rpc fill() {
        return this.well.draw()
      }
    }
    class Gardener {
      static readonly name = 'gardener'
      bucket = proxy<Bucket>('bucket')
      @rpc async water() {
        begun.resolve()
        await gate.promise
        return this.bucket.fill()
      }
    }
    const broker = memory()
    const running = await run([Well, Bucket, Gardener], { broker, ...QUIET })
    await using cluster = await connect(broker)
    const watering = cluster.proxy<Gardener>('gardener').water()
    await begun.promise
    const stopped = running.stop()
    gate.resolve()
    assert.equal(await watering, 'water')
    await stopped
  })

  it('waits for what is still starting', async () => {
    const lines: string[] = []
    class Slow extends Dependency<undefined> {
      override async start() {
        process.emit('SIGTERM')
        await sleep(20)
        lines.push('started')
      }
      override stop() {
        lines.push('stopped')
      }
      override get() {
        return undefined
      }
    }
    class Snail {
      static readonly name = 'snail'
      slow = inject(new Slow())
      @rpc crawl() {}
    }
    const running = await run(Snail, { broker: memory(), log: () => {} })
    await running.stopped
    assert.deepEqual(lines, ['started', 'stopped'])
  })

  it('stops those that call each other together', async () => {
    class Hen {
      static readonly name = 'hen'
      egg: unknown = proxy<object>('egg')
      @rpc lay() {}
    }
    class Egg {
      static readonly name = 'egg'
      hen: unknown = proxy<object>('hen')
      @rpc hatch() {}
    }
    const running = await run([Hen, Egg], { broker: memory(), ...QUIET })
    await running.stop()
  })
})
