import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  clusterProxy,
  connect,
  Dependency,
  inject,
  type LogEvent,
  type Outcome,
  proxy,
  RemoteError,
  RpcError,
  rpc,
  run,
  type WorkerContext,
  withOptions,
  workerContext,
} from 'clew'
import { ROADS, type Road, uniqueName } from './brokers.ts'

class NotFound extends Error {
  constructor(readonly what: string) {
    super(`${what} not found`)
    this.name = 'NotFound'
  }
}

const mappedNotFound = (error: unknown) => {
  assert.ok(error instanceof NotFound)
  assert.equal(error.message, 'gold not found', 'not what the constructor makes of its own message')
  return true
}

/** Remembers the life of a service and its workers. */
class Diary extends Dependency<{ write(line: string): void }> {
  readonly #lines: string[]
  constructor(lines: string[]) {
    super()
    this.#lines = lines
  }
  override setup() {
    this.#lines.push('setup')
  }
  override async start() {
    this.#lines.push('start')
  }
  override stop() {
    this.#lines.push('stop')
  }
  override get(worker: WorkerContext) {
    this.#lines.push(`get ${worker.entrypoint.name}`)
    return { write: (line: string) => void this.#lines.push(line) }
  }
  override workerSetup() {
    this.#lines.push('workerSetup')
  }
  override workerResult(_worker: WorkerContext, outcome: Outcome) {
    this.#lines.push('error' in outcome ? `failed ${outcome.error.name}` : `done ${outcome.result}`)
  }
  override workerTeardown() {
    this.#lines.push('workerTeardown')
  }
}

function system() {
  const lines: string[] = []
  const leafName = uniqueName('leaf')
  const topName = uniqueName('top')
  const gate = Promise.withResolvers<void>()
  const state = { running: 0, most: 0, instances: 0 }

  class Leaf {
    static readonly name: string = leafName
    diary = inject(new Diary(lines))
    worker = workerContext()
    constructor() {
      state.instances++
    }
    @rpc async echo(value: unknown) {
      this.diary.write('method')
      return value
    }
    @rpc({ expectedErrors: [NotFound] }) find(what: string): string {
      throw new NotFound(what)
    }
    @rpc async crowd() {
      state.running++
      state.most = Math.max(state.most, state.running)
      await new Promise((resolve) => setTimeout(resolve, 20))
      state.running--
    }
    @rpc async hold() {
      await gate.promise
      return 'held'
    }
    @rpc async untilAborted() {
      await new Promise((resolve) => this.worker.signal.addEventListener('abort', resolve))
      lines.push('aborted')
    }
    @rpc language() {
      return this.worker.context.language as string
    }
    @rpc({ params: ['first', 'second'] }) join(first: string, second: string) {
      return first + second
    }
  }

  class Top {
    static readonly name: string = topName
    leaf = proxy<Leaf>(leafName)
    everyone = clusterProxy<Record<string, Leaf>>()
    @rpc async both() {
      const [one, two] = await Promise.all([this.leaf.echo(1), this.everyone[leafName]!.echo(2)])
      return [one, two]
    }
    @rpc async find() {
      return await this.leaf.find('gold')
    }
    @rpc async language() {
      return await this.leaf.language()
    }
    @rpc async patient() {
      // Asks for longer than its own caller waits.
      return await withOptions(this.leaf, { timeoutMs: 60_000 }).hold()
    }
  }
  return { Leaf, Top, lines, gate, state, leafName, topName }
}

type Services = ReturnType<typeof system>

async function started(road: Road, options: { maxWorkers?: number; log?: LogEvent[] } = {}) {
  const services = system()
  const broker = road.broker()
  const running = await run([services.Leaf, services.Top], {
    broker,
    delivery: road.delivery,
    signals: false,
    maxWorkers: options.maxWorkers ?? 10,
    log: (event) => options.log?.push(event),
  })
  const cluster = await connect(broker, { delivery: road.delivery, timeoutMs: 10_000 })
  return {
    ...services,
    running,
    cluster,
    leaf: cluster.proxy<InstanceType<Services['Leaf']>>(services.leafName),
    top: cluster.proxy<InstanceType<Services['Top']>>(services.topName),
    async [Symbol.asyncDispose]() {
      services.gate.resolve()
      await cluster.close()
      await running.stop()
    },
  }
}

function code(expected: string) {
  return (error: unknown) => {
    assert.ok(error instanceof RpcError, `expected an RpcError, got ${error}`)
    assert.equal(error.code, expected, error.message)
    return true
  }
}

for (const road of ROADS) {
  describe(`framework on ${road.name}`, { skip: road.skip }, () => {
    it('calls, nested and at once, and brings every kind of value back', async () => {
      await using cluster = await started(road)
      assert.deepEqual(await cluster.top.both(), [1, 2])
      const value = { text: 'größe ☂', list: [1, 2.5, -3, null, true], deep: { a: { b: [] } } }
      assert.deepEqual(await cluster.leaf.echo(value), value)
      assert.equal(await cluster.leaf.echo(undefined), null)
      const many = await Promise.all(Array.from({ length: 200 }, (_, n) => cluster.leaf.echo(n)))
      assert.deepEqual(
        many,
        Array.from({ length: 200 }, (_, n) => n),
      )
    })

    it("leads dependencies through Nameko's life cycle, one instance a call", async () => {
      const cluster = await started(road)
      const before = cluster.state.instances
      await cluster.leaf.echo('x')
      await assert.rejects(cluster.leaf.find('gold'))
      await cluster[Symbol.asyncDispose]()
      assert.equal(cluster.state.instances - before, 2)
      assert.deepEqual(cluster.lines, [
        'setup',
        'start',
        ...['get echo', 'workerSetup', 'method', 'done x', 'workerTeardown'],
        ...['get find', 'workerSetup', 'failed NotFound', 'workerTeardown'],
        'stop',
      ])
    })

    it('throws what the callee threw, through several services, with its name and arguments', async () => {
      const log: LogEvent[] = []
      await using cluster = await started(road, { log })
      const direct = () => cluster.leaf.find('gold')
      for (const call of [direct, () => cluster.top.find()]) {
        await assert.rejects(call(), (error: RemoteError) => {
          assert.ok(error instanceof RemoteError)
          assert.equal(error.remoteName, 'NotFound')
          assert.equal(error.message, 'gold not found')
          assert.equal(error.expected, call === direct, 'only find itself expects it')
          assert.equal(error.remotePath, `${cluster.leafName}.NotFound`)
          return true
        })
      }
      const levels = log.map((event) => event.level)
      assert.deepEqual(levels.slice(0, 1), ['warn'], 'an expected error is no fault')
    })

    it('maps errors to local classes', async () => {
      const { Leaf, leafName } = system()
      const broker = road.broker()
      const errors = { 'stock.exceptions.NotFound': NotFound }
      await using _running = await run(Leaf, {
        broker,
        delivery: road.delivery,
        signals: false,
        errors,
        log: () => {},
      })
      await using cluster = await connect(broker, { delivery: road.delivery, errors })
      await assert.rejects(
        cluster.proxy<InstanceType<typeof Leaf>>(leafName).find('gold'),
        mappedNotFound,
      )
      await using plain = await connect(broker, { delivery: road.delivery })
      await assert.rejects(
        plain.proxy<InstanceType<typeof Leaf>>(leafName).find('gold'),
        (error: RemoteError) => error.remotePath === 'stock.exceptions.NotFound',
      )
    })

    it('says at once that a service is unknown, a method missing or an argument wrong', async () => {
      await using cluster = await started(road)
      const nobody = cluster.cluster.proxy<{ hello(): string }>(uniqueName('nobody'))
      await assert.rejects(nobody.hello(), code('unknown_service'))
      const untyped = cluster.leaf as unknown as Record<
        string,
        (...args: unknown[]) => Promise<unknown>
      >
      await assert.rejects(untyped.missing!(), code('method_not_found'))
      await assert.rejects(untyped.find!(), code('bad_arguments'))
      await assert.rejects(untyped.find!('a', 'b'), code('bad_arguments'))
      const cyclic: unknown[] = []
      cyclic.push(cyclic)
      await assert.rejects(untyped.echo!(cyclic), code('unserializable'))
      assert.equal(await cluster.leaf.echo('still there'), 'still there')
    })

    it('takes keyword arguments by declared names', async () => {
      await using cluster = await started(road)
      const joined = await withOptions(cluster.leaf, { kwargs: { second: 'b', first: 'a' } }).join()
      assert.equal(joined, 'ab')
    })

    it("hands Nameko's context data on", async () => {
      await using cluster = await started(road)
      const german = withOptions(cluster.top, { context: { language: 'de' } })
      assert.equal(await german.language(), 'de')
    })

    it('works on no more calls at a time than maxWorkers', async () => {
      await using cluster = await started(road, { maxWorkers: 3 })
      await Promise.all(Array.from({ length: 12 }, () => cluster.leaf.crowd()))
      assert.equal(cluster.state.most, 3)
    })

    it('ends a call at its deadline, aborts its worker, and frees its place', async () => {
      await using cluster = await started(road, { maxWorkers: 1 })
      const hasty = withOptions(cluster.leaf, { timeoutMs: 100 })
      await assert.rejects(hasty.untilAborted(), code('timeout'))
      await assert.rejects(hasty.hold(), code('timeout'))
      assert.equal(await cluster.leaf.echo('free again'), 'free again')
      assert.ok(cluster.lines.includes('aborted'))
    })

    it('lets deadlines travel: nested calls wait no longer than their caller', async () => {
      const log: LogEvent[] = []
      await using cluster = await started(road, { log })
      await assert.rejects(withOptions(cluster.top, { timeoutMs: 200 }).patient(), /\[timeout\]/)
      await waitUntil(() => log.some(({ message }) => message.includes('[timeout]')))
    })

    it('gives up when its signal aborts', async () => {
      await using cluster = await started(road)
      const abort = new AbortController()
      const held = withOptions(cluster.leaf, { signal: abort.signal }).hold()
      setTimeout(() => abort.abort(), 20)
      await assert.rejects(held, code('cancelled'))
      const before = withOptions(cluster.leaf, { signal: AbortSignal.abort() })
      await assert.rejects(before.hold(), code('cancelled'))
    })

    it('answers running calls before it stops', async () => {
      const cluster = await started(road)
      const held = cluster.leaf.hold()
      await waitUntil(() => cluster.lines.includes('get hold'))
      const stopping = cluster.running.stop()
      cluster.gate.resolve()
      assert.equal(await held, 'held')
      await stopping
      await cluster.cluster.close()
    })

    it('leaves running calls to another process when it is killed', async () => {
      const { Leaf, leafName, gate } = system()
      const broker = road.broker()
      const start = () =>
        run(Leaf, { broker, delivery: road.delivery, signals: false, log: () => {} })
      const first = await start()
      await using cluster = await connect(broker, { delivery: road.delivery })
      const held = cluster.proxy<InstanceType<typeof Leaf>>(leafName).hold()
      held.catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 200))
      await first.kill()
      await using _second = await start()
      gate.resolve()
      assert.equal(await held, 'held')
    })

    it('ends cyclic calls deeper than maxWorkers with an error that names the cause', async () => {
      const name = uniqueName('cycle')
      class Cycle {
        static readonly name: string = name
        self = proxy<Cycle>(name)
        @rpc async down(levels: number): Promise<number> {
          return levels === 0 ? 0 : 1 + (await this.self.down(levels - 1))
        }
      }
      const broker = road.broker()
      const log: LogEvent[] = []
      await using _running = await run(Cycle, {
        broker,
        delivery: road.delivery,
        maxWorkers: 3,
        signals: false,
        log: (event) => log.push(event),
      })
      await using cluster = await connect(broker, { delivery: road.delivery })
      const cycle = cluster.proxy<Cycle>(name, { timeoutMs: 600 })
      assert.equal(await cycle.down(2), 2)
      await assert.rejects(cycle.down(5), /\[timeout\]/)
      await waitUntil(() => log.some(({ message }) => /form a cycle .*maxWorkers/.test(message)))
      assert.equal(await cycle.down(1), 1, 'the workers are free again')
    })
  })
}

async function waitUntil(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 400 && !condition(); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.ok(condition(), 'what was waited for did not come within 4 s')
}
