import {
  type Call,
  ConfigError,
  ContextValues,
  type Derivable,
  derivable,
  type Handler,
  type Interceptor,
  isCallable,
  MAILBOX,
  type Reply,
  WITH_INTERCEPTOR,
} from '../call/index.ts'
import { Assembly } from '../trace/blocks.ts'
import type { Trace } from '../trace/index.ts'
import { COPY, recordedRoot } from './caller.ts'
import { Profiler, profilerOf } from './profiler.ts'
import type { Taker } from './taker.ts'
import { WORKER_LOG, type WorkerLog } from './worker-log.ts'

/** A proxy whose methods resolve with the result and the call tree that came home with it. */
export type Traced<P> = {
  readonly [M in keyof P]: P[M] extends (...args: infer A) => Promise<infer R>
    ? (...args: A) => Promise<{ readonly result: R; readonly trace: Trace }>
    : never
}

const traces = new WeakMap<object, Trace>()

/** The trace of a call made through `traced` that failed with this error. */
export function traceOf(error: unknown): Trace | undefined {
  return typeof error === 'object' && error !== null ? traces.get(error) : undefined
}

/**
 * The same service, each of whose calls brings its trace: `{ result, trace }`. Needs nothing
 * installed at the caller. A call that fails throws its error as ever; `traceOf(error)` has the
 * trace. Waits for pieces that travel around the reply, up to 250 ms after it. What `connect` gives is
 * traced alike: `traced(cluster).dispatch(…)` brings what handlers of the event did meanwhile.
 * @throws ConfigError when given something that is no proxy
 */
export function traced<P extends object>(proxy: P): Traced<P> {
  const target = derivable(proxy)
  if (target === undefined) {
    throw new ConfigError(
      'traced needs a proxy: one injected into a worker, or from `connect(…)`, `.proxy(name)`; or what `connect(…)` gives, for events.',
    )
  }
  const methods = new Map<string, (...args: unknown[]) => Promise<unknown>>()
  return new Proxy(Object.create(null), {
    get(_, property): unknown {
      if (!isCallable(property)) return undefined
      let method = methods.get(property)
      if (method === undefined) {
        method = (...args) => callTraced(target, property, args)
        methods.set(property, method)
      }
      return method
    },
  }) as Traced<P>
}

async function callTraced(
  target: Derivable,
  method: string,
  args: readonly unknown[],
): Promise<{ readonly result: unknown; readonly trace: Trace }> {
  const coming = new Coming()
  try {
    const result = await target[WITH_INTERCEPTOR](coming.interceptor, method, args)
    return { result, trace: coming.trace ?? (await coming.awaited()) }
  } catch (error) {
    // None when the call was refused before any interceptor had seen it.
    const trace = coming.begun ? await coming.awaited() : undefined
    if (trace !== undefined && typeof error === 'object' && error !== null) traces.set(error, trace)
    throw error
  }
}

/** The trace of one call, which mostly comes with its reply. */
class Coming implements Taker {
  trace: Trace | undefined
  /** The call has begun: there will be a trace. */
  begun = false
  #told: ((trace: Trace) => void) | undefined
  readonly interceptor: Interceptor = (next) => (call) => this.#send(next, call)

  take(trace: Trace): void {
    if (this.trace !== undefined) return
    this.trace = trace
    this.#told?.(trace)
  }

  async awaited(): Promise<Trace> {
    if (this.trace !== undefined) return this.trace
    return new Promise((resolve) => {
      this.#told = resolve
    })
  }

  #send(next: Handler, call: Call): Promise<Reply> {
    this.begun = true
    const log = call.values.get(WORKER_LOG)
    if (log !== undefined) return this.#copied(next, call, log)
    const mailbox = call.values.get(MAILBOX)
    const profiler =
      mailbox === undefined ? new Profiler() : profilerOf(mailbox, call.timeoutMs / 2)
    if (profiler instanceof Profiler) return this.#recorded(profiler, next, call)
    return profiler.then((opened) => this.#recorded(opened, next, call))
  }

  #recorded(profiler: Profiler, next: Handler, call: Call): Promise<Reply> {
    const root = profiler.roots.begin()
    root.giveTo(this, true)
    return recordedRoot(profiler, call, next, root)
  }

  /** Within a worker the call belongs to the worker's tree; what is handed over is a copy of its branch. */
  async #copied(next: Handler, call: Call, log: WorkerLog): Promise<Reply> {
    const values = new ContextValues(call.values)
    values.set(COPY, (record, block) => {
      const branch = new Assembly(log.traceId)
      branch.addRoot(record, log, block)
      this.take(branch.finish())
    })
    try {
      return await next({ ...call, values })
    } finally {
      // Where an interceptor in between kept the call to itself there was nothing to copy.
      this.take(new Assembly(log.traceId).finish())
    }
  }
}
