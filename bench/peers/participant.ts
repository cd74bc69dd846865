// One end of a peer, in a process of its own: the service or its caller.

import { type Load, type LoadFigures, underLoad } from '../harness/load.ts'
import { processorUs } from '../harness/machine.ts'
import { answerParent } from '../harness/remote.ts'
import type { Caller, End, Program, Settings, TracingProgram } from './program.ts'

/** What such a process is told. */
export interface Role {
  readonly side: 'service' | 'caller'
  /** Address of the peer's program, and of what is loaded before it to trace it. */
  readonly program: string
  readonly tracing: string | undefined
  readonly settings: Settings
}

/** What it answers. Only the caller calls. */
export interface Participant {
  start(): Promise<void>
  hello(name: string): Promise<string>
  load(load: Load & { readonly name: string }): Promise<LoadFigures>
  /** Processor time used so far, microseconds. */
  processorUs(): Promise<number>
  flush(): Promise<void>
}

class OneEnd implements Participant {
  readonly #role: Role
  #end: End | undefined
  #caller: Caller | undefined
  #flushTracing: (() => Promise<void>) | undefined

  constructor(role: Role) {
    this.#role = role
  }

  async start(): Promise<void> {
    const { side, program, tracing, settings } = this.#role
    const { service, sink } = settings
    if (tracing !== undefined && sink !== undefined) {
      const { startTracing } = (await import(tracing)) as TracingProgram
      this.#flushTracing = startTracing({ service, sink })
    }
    const { serve, open } = (await import(program)) as Program
    if (side === 'caller') {
      this.#caller = await open(settings)
      this.#end = this.#caller
    } else {
      this.#end = await serve({ ...settings, hello: async (name) => `Hello, ${name}!` })
    }
  }

  hello(name: string): Promise<string> {
    return this.#calling().hello(name)
  }

  load({ name, ...load }: Load & { readonly name: string }): Promise<LoadFigures> {
    const caller = this.#calling()
    return underLoad(() => caller.hello(name), load)
  }

  #calling(): Caller {
    if (this.#caller === undefined) throw new Error('only the caller calls')
    return this.#caller
  }

  async processorUs(): Promise<number> {
    return processorUs()
  }

  async flush(): Promise<void> {
    await this.#end?.flush?.()
    await this.#flushTracing?.()
  }

  async close(): Promise<void> {
    await this.#end?.close()
  }
}

const end = new OneEnd(JSON.parse(process.argv[2] ?? '') as Role)
// Ctrl-C in a terminal is for the parent; when it goes, this process follows.
process.on('SIGINT', () => {})
answerParent<Participant>(end, () => end.close())
