import assert from 'node:assert/strict'
import { after, afterEach, before } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type Broker,
  type Cluster,
  connect,
  type LogEvent,
  type Problem,
  RpcError,
  type Running,
  rabbitmq,
  run,
  type ServiceClass,
} from 'clew'
import { profile, type Sink } from 'clew/profile'
import type { Trace } from 'clew/trace'
import { uniqueName } from '../brokers.ts'
import { NamekoServices, StandaloneCaller } from './peer.ts'
import { type Environment, environmentOf } from './python.ts'
import {
  ERRORS,
  type Greeter,
  type Relay,
  renamed,
  type Top,
  type Typescript,
  typescriptServices,
} from './typescript-services.ts'

const url = process.env.CLEW_AMQP_URL

/** Services start within seconds; on a machine with much else to do it takes longer. */
const START_MS = 30_000

/** A version of Nameko to test with. */
export interface Nameko {
  readonly name: string
  readonly environment: Environment
  /** Why it cannot be tested with here. */
  readonly skip: string | false
}

/** All versions that tests run with. */
export async function namekos(): Promise<readonly Nameko[]> {
  const versions = [
    { name: 'Nameko 2.14', requirements: 'requirements-nameko2.txt' },
    { name: 'Nameko 3.0rc', requirements: 'requirements-nameko3.txt' },
  ]
  const found: Nameko[] = []
  for (const { name, requirements } of versions) {
    if (url === undefined) {
      const skip = 'needs RabbitMQ: set CLEW_AMQP_URL, or run `npm run test:interop`'
      found.push({ name, environment: { missing: skip }, skip })
      continue
    }
    const environment = await environmentOf(requirements)
    found.push({ name, environment, skip: 'missing' in environment && environment.missing })
  }
  return found
}

/** Python's services and ours, for all tests of one suite. */
export class World {
  readonly prefix = uniqueName('interop')
  readonly broker: Broker = rabbitmq(url ?? 'amqp://localhost')
  readonly log: LogEvent[] = []
  readonly problems: Problem[] = []
  /** Traces that began at our services: callers that keep none called them. */
  readonly traces: Trace[] = []
  readonly #nameko: Nameko
  readonly #services: readonly string[]
  readonly #expected: RegExp[] = []
  readonly #running: Running[] = []
  /** Durable ones, which nobody else would delete. */
  readonly #queues = new Set<string>()
  #python: NamekoServices | undefined
  #lookedAt = 0
  #tracebacks = 0
  #caller: StandaloneCaller | undefined
  #cluster: Cluster | undefined

  constructor(nameko: Nameko, services: readonly string[]) {
    this.#nameko = nameko
    this.#services = services
  }

  /** `nameko run` with this suite's services. */
  get python(): NamekoServices {
    return this.#python!
  }

  /** A Python program that is no service. */
  get caller(): StandaloneCaller {
    return this.#caller!
  }

  /** A TypeScript program that is no service. */
  get cluster(): Cluster {
    return this.#cluster!
  }

  name(stem: string): string {
    return `${this.prefix}_${stem}`
  }

  get greeter() {
    return this.cluster.proxy<Greeter>(this.name('greeter'))
  }

  get relay() {
    return this.cluster.proxy<Relay>(this.name('relay'))
  }

  get typescript() {
    return this.cluster.proxy<Typescript>(this.name('typescript'))
  }

  get top() {
    return this.cluster.proxy<Top>(this.name('top'))
  }

  /** From now on Python may log tracebacks whose last line is like this. */
  expect(traceback: RegExp): void {
    this.#expected.push(traceback)
  }

  /** Deletes these queues too when the suite ends. */
  forgets(queues: readonly string[]): void {
    for (const queue of queues) this.#queues.add(queue)
  }

  /** Runs services of ours until the suite ends. */
  async run(services: readonly ServiceClass[], profiled: boolean): Promise<Running> {
    const sink: Sink = {
      take: (trace) => void this.traces.push(trace),
      flush: async () => {},
      close: async () => {},
      counts: { taken: 0, written: 0, dropped: 0 },
    }
    const running = await run(services, {
      broker: this.broker,
      errors: ERRORS,
      signals: false,
      use: profiled ? [profile({ sink })] : [],
      log: (event) => void this.log.push(event),
    })
    this.#running.push(running)
    for (const { name } of services) this.#queues.add(`rpc-${name}`)
    return running
  }

  /** Ends Python's services at once, as a crash would. */
  async killPython(): Promise<void> {
    const killed = this.#python
    this.#python = undefined
    await killed?.kill()
  }

  /** Runs Python's services in a process of their own, in place of one that was killed. */
  startPython(): void {
    assert.ok('python' in this.#nameko.environment)
    const { python } = this.#nameko.environment
    this.#python = new NamekoServices(python, url!, this.prefix, this.#services)
    this.#lookedAt = 0
    this.#tracebacks = 0
  }

  async start(): Promise<void> {
    assert.ok('python' in this.#nameko.environment)
    const { python } = this.#nameko.environment
    this.#caller = new StandaloneCaller(python, url!, this.prefix)
    this.startPython()
    this.#cluster = await connect(this.broker, {
      errors: ERRORS,
      // Enough for a busy machine, and little enough that a suite which fails all over still ends.
      timeoutMs: 15_000,
      onProblem: (problem) => void this.problems.push(problem),
    })
    const stems = this.#services.map((service) => service.toLowerCase())
    for (const stem of stems) this.#queues.add(`rpc-${this.name(stem)}`)
    for (const stem of stems) await this.answering(stem)
  }

  /** Runs the services of typescript-services.ts: profiled ones, and one that is not, as `plain`. */
  async startTypescript(): Promise<void> {
    const { Below, Typescript, Top } = typescriptServices(this.prefix)
    await this.run([Below, Typescript, Top], true)
    await this.run([renamed(Typescript, this.name('plain'))], false)
  }

  /** Resolves when somebody serves the name. */
  async answering(stem: string): Promise<void> {
    const name = this.name(stem)
    const service = this.cluster.proxy<{ no_such_method(): void }>(name, { timeoutMs: 5000 })
    const giveUp = performance.now() + START_MS
    for (;;) {
      const failed = await service.no_such_method().catch((error: unknown) => error)
      if (failed instanceof RpcError && failed.code === 'method_not_found') return
      if (!this.python.alive || performance.now() > giveUp) {
        throw new Error(`${stem} did not start: ${failed}\n${this.python.output}`)
      }
      await delay(100)
    }
  }

  /** Fails when Python has suffered since it was last looked at: crashed, or logged a traceback that no test announced. */
  check(): void {
    if (this.#python === undefined) return
    const { alive, tracebacks, output } = this.#python
    const log = output.slice(this.#lookedAt)
    const fresh = tracebacks.slice(this.#tracebacks)
    this.#lookedAt = output.length
    this.#tracebacks = tracebacks.length
    const unexpected = fresh.filter((last) => !this.#expected.some((known) => known.test(last)))
    assert.deepEqual(unexpected, [], `Python's log has tracebacks nobody expected:\n${log}`)
    assert.ok(alive, `Python's services have ended:\n${log}`)
  }

  /** Takes everything down, whatever of it fails: what is left open would keep the test file running. */
  async stop(): Promise<void> {
    const python = this.#python
    const steps = [
      () => this.#cluster?.close(),
      async () => {
        if (python === undefined) return
        const code = python.alive ? await python.stop() : 'before it was asked to'
        assert.equal(code, 0, `Python ended with ${code}:\n${python.output}`)
      },
      ...this.#running.map((running) => () => running.stop()),
      () => this.#caller?.deleteQueues([...this.#queues]),
      () => this.#caller?.stop(),
    ]
    const errors: unknown[] = []
    for (const step of steps) {
      try {
        await step()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors[0]
  }
}

/** A world for the suite being described: started before its tests, looked after, and taken down. */
export function worldFor(nameko: Nameko, services = ['Greeter', 'Relay', 'Inner']): World {
  const world = new World(nameko, services)
  before(async () => {
    await world.start()
    if (services.includes('Relay')) await world.startTypescript()
  })
  afterEach(() => world.check())
  after(() => world.stop())
  return world
}
