import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import {
  ConfigError,
  Dependency,
  declareMethod,
  Entrypoint,
  eventDispatcher,
  inject,
  memory,
  proxy,
  RpcError,
  rpc,
  run,
  type WorkerContext,
  workerContext,
} from '../index.ts'
import { traced } from '../profile/index.ts'
import { callTree, type Trace } from '../trace/index.ts'
import {
  entrypointHook,
  entrypointWaiter,
  eventually,
  memoryCluster,
  outline,
  predictableIds,
  predictableTime,
  replaceDependencies,
  restrictEntrypoints,
  workerOf,
} from './index.ts'

const quiet = { log: () => {} }

class IdService {
  static readonly name = 'id_service'
  @rpc getId(): number {
    return 7
  }
  @rpc other(): string {
    return 'other'
  }
}

class Greeting {
  static readonly name = 'greeting_service'
  ids = proxy<IdService>('id_service')
  worker = workerContext()

  @rpc async hello(name: string): Promise<string> {
    return `Hello, ${name} with id ${await this.ids.getId()}`
  }
  @rpc user(): string {
    return String(this.worker.context.user_id)
  }
  @rpc async slow(): Promise<void> {
    await new Promise((resolve) => this.worker.signal.addEventListener('abort', resolve))
  }
  @rpc fail(reason: string): void {
    throw new RangeError(reason)
  }
}

/** Fires when the test says so. */
class Manual extends Entrypoint {
  static readonly started: Manual[] = []
  override start(): void {
    Manual.started.push(this)
  }
  go(...args: readonly unknown[]): Promise<unknown> {
    return this.fire({ args, shownAs: 'by hand' })
  }
}

function manual(method: (...args: never[]) => unknown, context: ClassMethodDecoratorContext): void {
  declareMethod({ kind: 'manual', make: () => new Manual() }, method, context)
}

test('workerOf: fakes by field, typed by it, and nothing else', async () => {
  const getId = mock.fn(async () => 8)
  const worker = workerOf(Greeting, { ids: { getId } })
  assert.equal(await worker.hello('Ada'), 'Hello, Ada with id 8')
  assert.equal(getId.mock.callCount(), 1)
  // @ts-expect-error: the fake must return what the real one would
  workerOf(Greeting, { ids: { getId: async () => 'eight' } })
})

test('workerOf: what was not given fails in words when it is used', async () => {
  await assert.rejects(
    workerOf(Greeting).hello('Ada'),
    /greeting_service used ids\.getId, but no fake was given for ids; pass \{ ids: \{ getId: … \} \}/,
  )
  await assert.rejects(
    workerOf(Greeting, { ids: { other: async () => '' } }).hello('Ada'),
    /used ids\.getId, but the fake given for ids has only other; add getId/,
  )
  // Looking at a worker, as a failed assertion does, is no use of it.
  assert.match(JSON.stringify(workerOf(Greeting)), /\{\}/)
  const misspelt = { id: {} } as object
  assert.throws(() => workerOf(Greeting, misspelt), /no dependency id .*it has ids, worker/)
  assert.throws(() => workerOf(class Plain {} as never), ConfigError)
})

test('workerOf: a dependency that is a function is faked by one', async () => {
  class Orders {
    static readonly name = 'orders'
    dispatch = eventDispatcher()
    @rpc async create(id: number) {
      await this.dispatch('order_created', { id })
    }
  }
  const dispatched: unknown[] = []
  const dispatch = async (type: string, payload?: unknown) => void dispatched.push([type, payload])
  await workerOf(Orders, { dispatch }).create(7)
  assert.deepEqual(dispatched, [['order_created', { id: 7 }]])
  await assert.rejects(
    workerOf(Orders).create(7),
    /orders called dispatch, but no fake was given for it; pass \{ dispatch: async/,
  )
})

test('workerOf: an instance of a class is left as it is', () => {
  class Store {
    readonly rows = new Map([['a', 1]])
  }
  class Stored extends Dependency<Store> {
    override get(): Store {
      return new Store()
    }
  }
  class Reading {
    static readonly name = 'reading'
    store = inject(new Stored())
    @rpc size(): number {
      return this.store.rows.size
    }
  }
  const store = new Store()
  assert.equal(workerOf(Reading, { store }).store, store)
  assert.equal(workerOf(Reading, { store }).size(), 1)
})

test('memoryCluster: the whole system, profiled; outline is its tree without times', async () => {
  await using cluster = await memoryCluster([IdService, Greeting])
  const greeting = cluster.proxy<Greeting>('greeting_service')
  const { result, trace } = await traced(greeting).hello('Ada')
  assert.equal(result, 'Hello, Ada with id 7')
  assert.deepEqual(outline(trace), ['greeting_service.hello', ['id_service.getId']])
  await cluster.close()
  await cluster.running.stopped
})

test('outline: what went wrong stands behind the name', async () => {
  await using cluster = await memoryCluster(Greeting, quiet)
  const greeting = cluster.proxy<Greeting>('greeting_service')
  const { traceOf } = await import('../profile/index.ts')
  const error: unknown = await traced(greeting)
    .fail('out')
    .catch((thrown) => thrown)
  assert.deepEqual(outline(traceOf(error)!), ['greeting_service.fail threw RangeError'])
})

test('entrypointHook: the own result and error of any entrypoint, with context and deadline', async () => {
  await using cluster = await memoryCluster([IdService, Greeting], quiet)
  assert.equal(await entrypointHook(cluster, Greeting, 'hello')('Ada'), 'Hello, Ada with id 7')
  const context = { user_id: '42' }
  assert.equal(await entrypointHook(cluster, 'greeting_service', 'user', { context })(), '42')
  await assert.rejects(entrypointHook(cluster.running, Greeting, 'fail')('no'), RangeError)
  await assert.rejects(
    entrypointHook(cluster, Greeting, 'slow', { timeoutMs: 20 })(),
    (error) => error instanceof RpcError && error.code === 'timeout',
  )
  await assert.rejects(
    entrypointHook(cluster, 'greeting_service', 'hello')(),
    /missing 1 required positional argument: 'name'/,
  )
  // @ts-expect-error: arguments are those of the method
  assert.match(await entrypointHook(cluster, Greeting, 'hello')(7), /Hello, 7/)
})

test('entrypointHook: hooks that hang are told as such', async () => {
  class Hanging extends Dependency<undefined> {
    override get(): undefined {}
    override workerTeardown(): Promise<void> {
      return new Promise(() => {})
    }
  }
  class Hung {
    static readonly name = 'hung'
    hanging = inject(new Hanging())
    @rpc answer(): number {
      return 42
    }
  }
  const { running } = await memoryCluster(Hung, quiet)
  await assert.rejects(
    entrypointHook(running, Hung, 'answer', { timeoutMs: 10 })(),
    /hung\.answer has answered, but hooks of its dependencies were still running/,
  )
  await running.kill()
  const cluster = await memoryCluster(Greeting, quiet)
  const unanswered = entrypointHook(cluster, Greeting, 'slow', { timeoutMs: 100 })()
  await cluster.running.kill()
  await assert.rejects(
    unanswered,
    /greeting_service\.slow has not answered \(was its service killed/,
  )
})

test('entrypointHook: what is not there is told at once', async () => {
  await using cluster = await memoryCluster(Greeting)
  assert.throws(
    () => entrypointHook(cluster, 'gone', 'x'),
    /"gone" runs here; there are greeting_service/,
  )
  assert.throws(
    () => entrypointHook(cluster, 'greeting_service', 'helo'),
    /no entrypoint helo; it has hello, user, slow, fail/,
  )
  assert.throws(
    () => entrypointHook(cluster, Greeting, 'hello', { kind: 'event' }),
    /fired by rpc, not by event/,
  )
})

test('a method of two kinds wants to be told which', async () => {
  class Both {
    static readonly name = 'both'
    @rpc @manual act(value: number): number {
      return value + 1
    }
  }
  await using cluster = await memoryCluster(Both)
  assert.throws(() => entrypointHook(cluster, Both, 'act'), /fired by .*; say which/)
  assert.equal(await entrypointHook(cluster, Both, 'act', { kind: 'manual' })(1), 2)
})

test('entrypointWaiter: settles after the hooks of the worker', async () => {
  const hooks: string[] = []
  class Noted extends Dependency<undefined> {
    override get(): undefined {}
    override async workerResult(): Promise<void> {
      await new Promise((resolve) => setImmediate(resolve))
      hooks.push('result')
    }
    override workerTeardown(): void {
      hooks.push('teardown')
    }
  }
  class Events {
    static readonly name = 'events'
    noted = inject(new Noted())
    @manual handle(value: number): number {
      if (value < 0) throw new RangeError('negative')
      return value * 2
    }
  }
  await using cluster = await memoryCluster(Events, quiet)
  const entrypoint = Manual.started.at(-1)!
  const first = entrypointWaiter(cluster, Events, 'handle')
  await entrypoint.go(2)
  assert.equal(await first, 4)
  assert.deepEqual(hooks, ['result', 'teardown'])
  const chosen = entrypointWaiter(cluster, Events, 'handle', {
    until: (outcome, { entrypoint: { kind } }) =>
      kind === 'manual' && 'result' in outcome && outcome.result > 5,
  })
  await entrypoint.go(1)
  await entrypoint.go(-1)
  await entrypoint.go(3)
  assert.equal(await chosen, 6)
  hooks.length = 0
  await entrypointHook(cluster, Events, 'handle')(1)
  assert.deepEqual(hooks, ['result', 'teardown'])
  const failed = entrypointWaiter(cluster, Events, 'handle')
  await entrypoint.go(-1)
  await assert.rejects(failed, RangeError)
})

test('entrypointWaiter: gives up with what it saw, and when the service stops', async () => {
  const cluster = await memoryCluster(Greeting, quiet)
  await assert.rejects(
    entrypointWaiter(cluster, Greeting, 'user', { timeoutMs: 10 }),
    /greeting_service\.user was waited for in vain for 10 ms: no worker of it ended/,
  )
  const picky = entrypointWaiter(cluster, Greeting, 'user', { until: () => false, timeoutMs: 100 })
  await entrypointHook(cluster, Greeting, 'user')()
  await assert.rejects(picky, /1 ended, none as `until` wants/)
  const odd = entrypointWaiter(cluster, Greeting, 'user', {
    until: () => {
      throw new Error('odd')
    },
  })
  await entrypointHook(cluster, Greeting, 'user')()
  await assert.rejects(odd, /odd/)
  const stopped = entrypointWaiter(cluster, Greeting, 'user')
  await cluster.close()
  await assert.rejects(stopped, /its service was stopped/)
})

test('replaceDependencies: in running services, and what is replaced never starts', async () => {
  let started = 0
  class Counter extends Dependency<{ next(): number }> {
    override start(): void {
      started += 1
    }
    override get(): { next(): number } {
      return { next: () => 1 }
    }
  }
  class Service {
    static readonly name = 'counting'
    counter = inject(new Counter())
    worker: WorkerContext = workerContext()
    @rpc next(): string {
      return `${this.worker.service} ${this.counter.next()}`
    }
  }
  const Replaced = replaceDependencies(Service, { counter: { next: () => 99 } })
  {
    await using cluster = await memoryCluster(Replaced)
    assert.equal(await cluster.proxy<Service>('counting').next(), 'counting 99')
    assert.equal(await entrypointHook(cluster, Replaced, 'next')(), 'counting 99')
  }
  assert.equal(started, 0)
  await using cluster = await memoryCluster(Service)
  assert.equal(await cluster.proxy<Service>('counting').next(), 'counting 1')
  assert.equal(started, 1)
  assert.throws(
    () => replaceDependencies(Service, { count: 1 } as object),
    /it has counter, worker/,
  )
})

test('restrictEntrypoints: the others are not there', async () => {
  class Two {
    static readonly name = 'two'
    ids = proxy<IdService>('id_service')
    @rpc one(): Promise<number> {
      return this.ids.getId()
    }
    @manual other(): void {}
  }
  const before = Manual.started.length
  const Restricted = restrictEntrypoints(
    replaceDependencies(Two, { ids: { getId: async () => 3 } }),
    'one',
  )
  await using cluster = await memoryCluster(Restricted)
  assert.equal(await cluster.proxy<Two>('two').one(), 3)
  assert.equal(Manual.started.length, before)
  assert.throws(() => entrypointHook(cluster, 'two', 'other'), /it has one/)
  assert.throws(
    () => restrictEntrypoints(Two, 'oen' as never),
    /no entrypoint oen; it has one, other/,
  )
  await using whole = await memoryCluster(Two)
  assert.equal(Manual.started.length, before + 1)
  await whole.close()
})

test('predictable ids and times: the same trace in each run', async () => {
  const traces: unknown[] = []
  for (let run = 0; run < 2; run += 1) {
    using _ids = predictableIds()
    using _time = predictableTime({ stepMs: 2 })
    await using cluster = await memoryCluster([IdService, Greeting])
    const greeting = cluster.proxy<Greeting>('greeting_service')
    const { trace } = await traced(greeting).hello('Ada')
    traces.push(trace)
  }
  assert.deepEqual(traces[0], traces[1])
  assert.match(JSON.stringify(traces[0]), /0000000000000/)
  const { startedMs } = callTree(traces[0] as Trace)
  assert.equal(new Date(startedMs).getUTCFullYear(), 2020)
  const { newCallId } = await import('../call/index.ts')
  assert.notEqual(newCallId().slice(0, 8), '00000000')
})

test('eventually: tries on until it holds, and tells why it never did', async () => {
  let count = 0
  assert.equal(await eventually(() => ++count > 3 && count), 4)
  await assert.rejects(
    eventually(() => false, 5),
    /still false after 5 ms/,
  )
  await assert.rejects(
    eventually(() => assert.equal(1, 2), 5),
    assert.AssertionError,
  )
})

test('services that run by themselves are served as well', async () => {
  await using running = await run(IdService, { broker: memory(), signals: false })
  assert.equal(await entrypointHook(running, IdService, 'getId')(), 7)
})
