import { type Broker, type Delivery, type Running, run } from 'clew'
import type { CallTree } from 'clew/trace'
import { processorUs } from '../harness/machine.ts'
import { quantile } from '../harness/statistics.ts'
import { callsOf, type Shape, servicesOf, WARM_UP } from './services.ts'
import { type Client, type SystemKey, systemOf } from './systems.ts'
import { type Traffic, TrafficCounter } from './traffic.ts'

/** What a process that takes part is told when it is started. */
export interface Role {
  readonly system: SystemKey
  /** Number of the host whose services it runs; undefined for the client. */
  readonly host: number | undefined
  /** How many links the chain has, and the hub leaves. */
  readonly links: number
  readonly delivery: Delivery
}

/** A call of some shape and size, as often as told. */
export interface Task {
  readonly shape: Shape
  readonly size: number
  readonly calls: number
}

/** Whether one call came out as it should, the trace included. */
export interface Checked {
  /** Why there is nothing to measure; undefined when all is well. */
  readonly failure: string | undefined
}

/** What every participant answers; services and clients each do their part. */
export interface Participant {
  start(): Promise<void>
  /** Processor time used so far, in microseconds. */
  processorUs(): Promise<number>
  countTraffic(on: boolean): Promise<void>
  takeTraffic(): Promise<Traffic>
  /** The first thing that went wrong beside the calls since it was last taken. */
  takeWarning(): Promise<string | undefined>
  check(task: Pick<Task, 'shape' | 'size'>): Promise<Checked>
  /** Median of the calls, in milliseconds. A small one that is not timed wakes the processes first. */
  measure(task: Task): Promise<number>
  stop(): Promise<void>
}

export function makeParticipant(role: Role, broker: Broker): Participant {
  return role.host === undefined
    ? new ClientParticipant(role, broker)
    : new ServiceParticipant(role, role.host, broker)
}

abstract class Participating implements Participant {
  protected readonly traffic = new TrafficCounter()
  protected warning: string | undefined
  abstract start(): Promise<void>
  abstract stop(): Promise<void>
  async processorUs(): Promise<number> {
    return processorUs()
  }
  async countTraffic(on: boolean): Promise<void> {
    this.traffic.counting = on
  }
  async takeTraffic(): Promise<Traffic> {
    return this.traffic.take()
  }
  async takeWarning(): Promise<string | undefined> {
    const { warning } = this
    this.warning = undefined
    return warning
  }
  check(_task: Pick<Task, 'shape' | 'size'>): Promise<Checked> {
    return Promise.reject(new Error('only the client calls'))
  }
  measure(_task: Task): Promise<number> {
    return Promise.reject(new Error('only the client calls'))
  }
}

/** Runs one host's share of a system's services. */
class ServiceParticipant extends Participating {
  readonly #role: Role
  readonly #host: number
  readonly #broker: Broker
  #running: Running | undefined

  constructor(role: Role, host: number, broker: Broker) {
    super()
    this.#role = role
    this.#host = host
    this.#broker = broker
  }

  async start(): Promise<void> {
    const { letter, servicePlugins } = systemOf(this.#role.system)
    this.#running = await run(servicesOf(letter, this.#host, this.#role.links), {
      broker: this.#broker,
      delivery: this.#role.delivery,
      use: [...servicePlugins(`bench-host-${this.#host + 1}`), this.traffic.plugin],
      signals: false,
      log: ({ message }) => {
        this.warning ??= message
      },
    })
  }

  async stop(): Promise<void> {
    await this.#running?.stop()
  }
}

/** Calls one system's services. */
class ClientParticipant extends Participating {
  readonly #role: Role
  readonly #broker: Broker
  #client: Client | undefined

  constructor(role: Role, broker: Broker) {
    super()
    this.#role = role
    this.#broker = broker
  }

  async start(): Promise<void> {
    const { letter, open } = systemOf(this.#role.system)
    const { delivery } = this.#role
    this.#client = await open(this.#broker, { letter, delivery, plugins: [this.traffic.plugin] })
  }

  async stop(): Promise<void> {
    await this.#client?.[Symbol.asyncDispose]()
  }

  override async check({ shape, size }: Pick<Task, 'shape' | 'size'>): Promise<Checked> {
    try {
      const { result, tree } = await this.#client!.call(shape, size)
      const failure = wrongResult(result, size) ?? (tree && lacking(tree(), callsOf(shape, size)))
      return { failure }
    } catch (error) {
      return { failure: error instanceof Error ? error.message : String(error) }
    }
  }

  override async measure({ shape, size, calls }: Task): Promise<number> {
    const client = this.#client!
    const times: number[] = []
    await client.call(shape, WARM_UP)
    for (let call = 0; call < calls; call++) {
      const started = performance.now()
      const { result } = await client.call(shape, size)
      const tookMs = performance.now() - started
      const wrong = wrongResult(result, size)
      if (wrong !== undefined) throw new Error(`${this.#role.system}, ${shape} ${size}: ${wrong}`)
      times.push(tookMs)
    }
    return quantile(times, 0.5)
  }
}

function wrongResult(result: number, expected: number): string | undefined {
  return result === expected ? undefined : `the result was ${result} instead of ${expected}`
}

/** What a tree lacks that should hold so many calls, all of them whole. */
function lacking(tree: CallTree, calls: number): string | undefined {
  if (tree.calls !== calls) return `the trace that came home has ${tree.calls} of ${calls} calls`
  if (!tree.complete) return 'the trace that came home is not complete'
  const [problem] = tree.problems
  return problem === undefined ? undefined : `the trace that came home is odd: ${problem.message}`
}
