import {
  ConfigError,
  ContextValues,
  type Derivable,
  derivable,
  type Interceptor,
  isCallable,
  MAILBOX,
  WITH_INTERCEPTOR,
} from '../call/index.ts'
import { Assembly } from '../trace/blocks.ts'
import type { Trace } from '../trace/index.ts'
import { COPY, recordedRoot } from './caller.ts'
import { Profiler, profilerOf } from './profiler.ts'
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
  return new Proxy(Object.create(null), {
    get(_, method): unknown {
      if (!isCallable(method)) return undefined
      return (...args: unknown[]) => callTraced(target, method, args)
    },
  }) as Traced<P>
}

async function callTraced(
  target: Derivable,
  method: string,
  args: readonly unknown[],
): Promise<{ readonly result: unknown; readonly trace: Trace }> {
  // Stays undefined when the call is refused before any interceptor has seen it.
  let taken: Promise<Trace> | undefined
  const recording = target[WITH_INTERCEPTOR](
    tracing((trace) => {
      taken = trace
    }),
  )
  try {
    const result = await recording[method]!(...args)
    return { result, trace: await taken! }
  } catch (error) {
    const trace = await taken
    if (trace !== undefined && typeof error === 'object' && error !== null) traces.set(error, trace)
    throw error
  }
}

function tracing(promised: (trace: Promise<Trace>) => void): Interceptor {
  return (next) => async (call) => {
    const { promise, resolve: take } = Promise.withResolvers<Trace>()
    promised(promise)
    const log = call.values.get(WORKER_LOG)
    if (log !== undefined) {
      const values = new ContextValues(call.values)
      values.set(COPY, copyTo(log, take))
      try {
        return await next({ ...call, values })
      } finally {
        // Where an interceptor in between kept the call to itself there was nothing to copy.
        take(new Assembly(log.owner.traceId).finish())
      }
    }
    const mailbox = call.values.get(MAILBOX)
    const profiler =
      mailbox === undefined ? new Profiler() : await profilerOf(mailbox, call.timeoutMs / 2)
    const root = profiler.roots.begin()
    root.giveTo({ take }, true)
    return recordedRoot(profiler, call, next, root)
  }
}

/** Within a worker the call belongs to the worker's tree; what is handed over is a copy of its branch. */
function copyTo(log: WorkerLog, take: (trace: Trace) => void): (typeof COPY)['valueType'] {
  return (record, block) => {
    const branch = new Assembly(log.owner.traceId)
    branch.addRoot(record, log.owner, block)
    take(branch.finish())
  }
}
