import type { CallOptions, Cluster } from 'clew'
import { RemoteError, RpcError } from 'clew'
import { traced, traceOf } from 'clew/profile'
import type { Target } from '../call-arguments.ts'
import { usageFault } from '../fault.ts'
import type { Answer, Ask } from './drive.ts'

type Method = (...args: readonly unknown[]) => Promise<{ readonly trace: Answer['trace'] }>

/**
 * Calls a method, and has its call tree brought home.
 * @throws Fault when a proxy cannot have a method of this name
 */
export function rpcTarget(
  cluster: Cluster,
  { service, method }: Target,
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>> | undefined,
): Ask {
  if (method === 'then') throw usageFault('a method named then cannot be traced')
  return async (signal): Promise<Answer> => {
    const options: CallOptions = { signal, ...(kwargs && { kwargs }) }
    const proxy = cluster.proxy<Record<string, (...args: unknown[]) => unknown>>(service, options)
    const run = (traced(proxy) as unknown as Readonly<Record<string, Method>>)[method]!
    try {
      const { trace } = await run(...args)
      return { trace, failed: false, outcome: 'ok' }
    } catch (error) {
      return { trace: traceOf(error), failed: true, outcome: nameOf(error) }
    }
  }
}

function nameOf(error: unknown): string {
  if (error instanceof RemoteError) return error.remoteName
  if (error instanceof RpcError) return error.code
  return error instanceof Error ? error.name : 'error'
}
