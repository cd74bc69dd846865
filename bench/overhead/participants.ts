import { type Broker, type Delivery, type Running, run } from 'clew'
import { callTree } from 'clew/trace'
import { type Load, type LoadFigures, underLoad } from '../harness/load.ts'
import { processorUs } from '../harness/machine.ts'
import { type Client, Greeting, RIGHT_ANSWER, type SystemKey, systemOf } from './systems.ts'

/** What a process that takes part is told when it is started. */
export interface Role {
  readonly system: SystemKey
  readonly part: 'service' | 'client'
  readonly delivery: Delivery
  readonly workers: number
}

/** What every participant answers. */
export interface Participant {
  start(): Promise<void>
  /** Processor time used so far, in microseconds. */
  processorUs(): Promise<number>
  /** Why this system cannot be measured; undefined when one call went as it should, trace included. */
  check(): Promise<string | undefined>
  load(load: Load): Promise<LoadFigures>
  stop(): Promise<void>
}

export function makeParticipant(role: Role, broker: Broker): Participant {
  return role.part === 'client' ? new Calling(role, broker) : new Serving(role, broker)
}

const nameOf = (system: SystemKey) => `overhead_${system}`

class Serving implements Participant {
  readonly #role: Role
  readonly #broker: Broker
  #running: Running | undefined

  constructor(role: Role, broker: Broker) {
    this.#role = role
    this.#broker = broker
  }

  async start(): Promise<void> {
    const { system, delivery, workers: maxWorkers } = this.#role
    class Named extends Greeting {
      static override readonly name: string = nameOf(system)
    }
    const use = systemOf(system).servicePlugins()
    const options = { broker: this.#broker, delivery, maxWorkers, use, signals: false }
    this.#running = await run(Named, options)
  }

  async processorUs(): Promise<number> {
    return processorUs()
  }

  check(): Promise<string | undefined> {
    return Promise.reject(new Error('only the client calls'))
  }

  load(): Promise<LoadFigures> {
    return Promise.reject(new Error('only the client calls'))
  }

  async stop(): Promise<void> {
    await this.#running?.stop()
  }
}

class Calling implements Participant {
  readonly #role: Role
  readonly #broker: Broker
  #client: Client | undefined

  constructor(role: Role, broker: Broker) {
    this.#role = role
    this.#broker = broker
  }

  async start(): Promise<void> {
    const { system, delivery } = this.#role
    this.#client = await systemOf(system).open(this.#broker, nameOf(system), delivery)
  }

  async processorUs(): Promise<number> {
    return processorUs()
  }

  async check(): Promise<string | undefined> {
    const client = this.#client!
    const answer = await client.call()
    if (answer !== RIGHT_ANSWER) return `the answer was ${JSON.stringify(answer)}`
    const keeps = systemOf(this.#role.system).keepsTraces
    const until = performance.now() + 1000
    while (keeps && client.home.last === undefined && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    const { last } = client.home
    if (!keeps) return last === undefined ? undefined : 'a trace came home, of which none should'
    if (last === undefined) return 'no trace came home'
    const { calls, complete } = callTree(last)
    return calls === 1 && complete ? undefined : 'the trace that came home is not whole'
  }

  async load(load: Load): Promise<LoadFigures> {
    const client = this.#client!
    const { home } = client
    const before = home.traces
    const figures = await underLoad(client.call, load)
    // Sinks are given traces when there is a turn to spare.
    await new Promise((resolve) => setTimeout(resolve, 20))
    const came = home.traces - before
    if (systemOf(this.#role.system).keepsTraces && came < figures.calls) {
      throw new Error(`${this.#role.system}: ${came} traces of ${figures.calls} calls came home`)
    }
    return figures
  }

  async stop(): Promise<void> {
    await this.#client?.[Symbol.asyncDispose]()
  }
}
