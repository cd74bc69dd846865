/** What happens to services, workers and calls at the edges of their lives. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  ConfigError,
  connect,
  Dependency,
  Extension,
  inject,
  type LogEvent,
  memory,
  type Plugin,
  proxy,
  type RpcError,
  rpc,
  run,
  withOptions,
  workerContext,
} from 'clew'

const QUIET = { signals: false, log: () => {} }

/** Notes which hooks of its life were called. */
class Diary extends Dependency<undefined> {
  readonly #lines: string[]
  readonly #throwsOnStop: boolean
  constructor(lines: string[], throwsOnStop = false) {
    super()
    this.#lines = lines
    this.#throwsOnStop = throwsOnStop
  }
  override get() {
    return undefined
  }
  override stop() {
    this.#lines.push('dependency stopped')
    if (this.#throwsOnStop) throw new Error('it would not stop')
  }
  override kill() {
    this.#lines.push('dependency killed')
  }
}

function plugin(lines: string[]): Plugin {
  return { name: 'noting', stop: () => void lines.push('plugin stopped') }
}

/** A service whose calls last as long as the test wants. */
function gated(lines: string[] = []) {
  const gate = Promise.withResolvers<void>()
  const begun: string[] = []
  class Gated {
    static readonly name: string = 'gated'
    diary = inject(new Diary(lines))
    @rpc async hold(name: string) {
      begun.push(name)
      await gate.promise
      return name
    }
  }
  return { Gated, gate, begun }
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function waitUntil(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 400 && !condition(); tries++) await sleep(10)
  assert.ok(condition(), 'what was waited for did not come within 4 s')
}

describe('calls that wait for a free worker', () => {
  it('are not begun once their callers have stopped waiting', async () => {
    const { Gated, gate, begun } = gated()
    const broker = memory()
    await using _running = await run(Gated, { broker, maxWorkers: 1, prefetch: 9, ...QUIET })
    await using cluster = await connect(broker)
    const service = cluster.proxy<InstanceType<typeof Gated>>('gated')
    const first = service.hold('first')
    await waitUntil(() => begun.length === 1)
    await assert.rejects(withOptions(service, { timeoutMs: 30 }).hold('hasty'), { code: 'timeout' })
    // The callee's clock for the call started a little later than the caller's.
    await sleep(50)
    gate.resolve()
    assert.equal(await first, 'first')
    assert.equal(await service.hold('last'), 'last')
    assert.deepEqual(begun, ['first', 'last'])
  })

  it('are not begun by a service that was killed', async () => {
    const { Gated, gate, begun } = gated()
    const broker = memory()
    const running = await run(Gated, { broker, maxWorkers: 1, prefetch: 9, ...QUIET })
    await using cluster = await connect(broker)
    const service = cluster.proxy<InstanceType<typeof Gated>>('gated')
    const calls = ['first', 'second'].map((name) => service.hold(name).catch(() => {}))
    await waitUntil(() => begun.length === 1)
    await running.kill()
    gate.resolve()
    await sleep(20)
    assert.deepEqual(begun, ['first'])
    await cluster.close()
    await Promise.all(calls)
  })
})

describe('the end of services', () => {
  it('closes everything although a dependency throws, and says so', async () => {
    const lines: string[] = []
    class Stubborn {
      static readonly name: string = 'stubborn'
      diary = inject(new Diary(lines, true))
      @rpc ping() {
        return 'pong'
      }
    }
    const running = await run(Stubborn, { broker: memory(), use: [plugin(lines)], ...QUIET })
    await assert.rejects(running.stop(), /it would not stop/)
    await running.stopped
    assert.deepEqual(lines, ['dependency stopped', 'plugin stopped'])
  })

  it('comes although something shared throws, or never stops, or does not even let itself be killed', async () => {
    const never = new Promise<void>(() => {})
    const told: string[] = []
    class Shared extends Extension {
      static stops: () => Promise<void> = () => never
      override stop() {
        told.push('stop')
        return Shared.stops()
      }
      override kill() {
        told.push('kill')
        return never
      }
    }
    class Sharing extends Dependency<undefined> {
      override setup() {
        this.host.shared(Shared)
      }
      override get() {
        return undefined
      }
    }
    class Stuck {
      static readonly name = 'stuck'
      sharing = inject(new Sharing())
      @rpc ping() {
        return 'pong'
      }
    }
    const log: LogEvent[] = []
    const options = { ...QUIET, drainTimeoutMs: 50, log: (event: LogEvent) => log.push(event) }
    const running = await run(Stuck, { broker: memory(), ...options })
    await running.stop()
    await running.stopped
    assert.deepEqual(told, ['stop', 'kill'])
    assert.match(log.at(-1)!.message, /still hold something 2000 ms after they were killed/)
    Shared.stops = () => Promise.reject(new Error('it would not stop'))
    const throwing = await run(Stuck, { broker: memory(), ...options })
    await assert.rejects(throwing.stop(), /it would not stop/)
    await throwing.stopped
  })

  it('comes once, by stop or by kill, not by both', async () => {
    const lines: string[] = []
    const { Gated, gate, begun } = gated(lines)
    const broker = memory()
    const running = await run(Gated, { broker, use: [plugin(lines)], ...QUIET })
    await using cluster = await connect(broker)
    const held = cluster
      .proxy<InstanceType<typeof Gated>>('gated')
      .hold('held')
      .catch(() => {})
    await waitUntil(() => begun.length === 1)
    const stopping = running.stop()
    await running.kill()
    await stopping
    gate.resolve()
    await sleep(20)
    assert.deepEqual(lines, ['dependency killed', 'plugin stopped'])
    const again = await run(Gated, { broker: memory(), use: [plugin(lines)], ...QUIET })
    await again.kill()
    await again.stop()
    assert.deepEqual(lines.slice(2), ['dependency killed', 'plugin stopped'])
    await cluster.close()
    await held
  })

  it('waits for running calls for ever when it is told to', async () => {
    const { Gated, gate, begun } = gated()
    const broker = memory()
    const drainTimeoutMs = Number.POSITIVE_INFINITY
    const running = await run(Gated, { broker, drainTimeoutMs, ...QUIET })
    await using cluster = await connect(broker)
    const held = cluster.proxy<InstanceType<typeof Gated>>('gated').hold('held')
    await waitUntil(() => begun.length === 1)
    const stopping = running.stop()
    await sleep(30)
    gate.resolve()
    assert.equal(await held, 'held')
    await stopping
    await assert.rejects(
      run(Gated, { broker, drainTimeoutMs: Number.NaN, ...QUIET }),
      /drainTimeoutMs must be/,
    )
  })
})

describe('a start that fails', () => {
  it('says why, whatever its clearing up throws', async () => {
    const broken: Plugin = {
      name: 'broken',
      start: () => Promise.reject(new Error('the cause')),
      stop: () => Promise.reject(new Error('a consequence')),
    }
    const { Gated } = gated()
    await assert.rejects(run(Gated, { broker: memory(), use: [broken], ...QUIET }), /the cause/)
    await assert.rejects(connect(memory(), { use: [broken] }), /the cause/)
  })

  it('starts no dependency that its failure has killed', async () => {
    const lines: string[] = []
    const setUp = Promise.withResolvers<void>()
    class Slow extends Diary {
      override setup() {
        return setUp.promise
      }
      override start() {
        lines.push('dependency started')
      }
    }
    class Failing extends Diary {
      override setup() {
        throw new Error('no such database')
      }
    }
    class One {
      static readonly name: string = 'one'
      slow = inject(new Slow(lines))
      @rpc ping() {}
    }
    class Other {
      static readonly name: string = 'other'
      failing = inject(new Failing(lines))
      @rpc ping() {}
    }
    await assert.rejects(run([One, Other], { broker: memory(), ...QUIET }), /no such database/)
    setUp.resolve()
    await sleep(10)
    assert.deepEqual(lines, ['dependency killed', 'dependency killed'])
  })
})

describe('callers are answered', () => {
  it('although the logger throws', async () => {
    class Failing {
      static readonly name: string = 'failing'
      @rpc fail(): string {
        throw new RangeError('out of gold')
      }
    }
    const broker = memory()
    const log = (_: LogEvent) => {
      throw new Error('the logger broke')
    }
    await using _running = await run(Failing, { broker, signals: false, log })
    await using cluster = await connect(broker, { timeoutMs: 5000 })
    await assert.rejects(cluster.proxy<Failing>('failing').fail(), /out of gold/)
  })

  it('although what was thrown cannot be looked at', async () => {
    class Odd {
      static readonly name: string = 'odd'
      @rpc fail(): string {
        throw Object.assign(new Error('odd'), { name: Symbol('odd') })
      }
    }
    const broker = memory()
    await using _running = await run(Odd, { broker, ...QUIET })
    await using cluster = await connect(broker, { timeoutMs: 5000 })
    await assert.rejects(
      cluster.proxy<Odd>('odd').fail(),
      (error: RpcError) => error.code !== 'timeout',
    )
  })

  it('with a refusal when a worker asks for an impossible timeout', async () => {
    class Caller {
      static readonly name: string = 'caller'
      self = proxy<Caller>('caller')
      @rpc ping() {
        return 'pong'
      }
      @rpc async impatient() {
        return await withOptions(this.self, { timeoutMs: Number.NaN }).ping()
      }
    }
    const broker = memory()
    await using _running = await run(Caller, { broker, ...QUIET })
    await using cluster = await connect(broker)
    await assert.rejects(cluster.proxy<Caller>('caller').impatient(), /timeoutMs must be/)
  })

  it('only where expected errors are classes', () => {
    const expectedErrors = [undefined as unknown as typeof Error]
    assert.throws(
      () =>
        class {
          @rpc({ expectedErrors }) ping() {}
        },
      ConfigError,
    )
  })
})

it('arguments for logs are those the method got, by keyword too, without the sensitive ones', async () => {
  class Till {
    static readonly name: string = 'till'
    worker = workerContext()
    @rpc({ params: ['user', 'password'], sensitive: ['password'] })
    login(_user: string, _password: string) {
      return this.worker.redactedArguments() as string[]
    }
  }
  const broker = memory()
  await using _running = await run(Till, { broker, ...QUIET })
  await using cluster = await connect(broker)
  const till = cluster.proxy<Till>('till')
  const hidden = ['ada', '********']
  assert.deepEqual(await till.login('ada', 'secret'), hidden)
  const kwargs = { password: 'secret', user: 'ada' }
  assert.deepEqual(await withOptions(till, { kwargs }).login(), hidden)
})
