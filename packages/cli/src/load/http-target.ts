import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { performance } from 'node:perf_hooks'
import { callTree, type Entry, type Trace } from 'clew/trace'
import { readPiece } from 'clew/trace/blocks'
import type { Answer, Ask } from './drive.ts'

export interface HttpRequest {
  readonly url: URL
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  readonly timeoutMs: number
}

/**
 * Asks a route. Where the response brings its tree (`docs/access.md`), the request is put around it;
 * otherwise the request alone is the trace.
 */
export function httpTarget({ url, method, headers, body, timeoutMs }: HttpRequest): Ask {
  const host = hostname()
  return async (cancel): Promise<Answer> => {
    const from = now()
    let [status, header]: [number | undefined, string | null] = [undefined, null]
    let outcome: string
    try {
      const signal = AbortSignal.any([cancel, AbortSignal.timeout(timeoutMs)])
      const asked = { method, headers, signal, redirect: 'manual' as const }
      const response = await fetch(url, body === undefined ? asked : { ...asked, body })
      // Until the last byte of the body has come the request is not answered.
      await response.arrayBuffer()
      status = response.status
      header = response.headers.get('clew-trace')
      outcome = `HTTP ${status}`
    } catch (error) {
      outcome = reasonOf(error)
    }
    const failed = status === undefined || status >= 400
    const brought = header === null ? undefined : readPiece(Buffer.from(header, 'base64url'))
    const sides = {
      from,
      to: now(),
      host,
      failed,
      service: url.host,
      method: `${method} ${url.pathname}`,
    }
    return { trace: around(brought, sides), failed, outcome }
  }
}

interface Sides {
  readonly from: number
  readonly to: number
  readonly host: string
  readonly failed: boolean
  readonly service: string
  readonly method: string
}

/** The trace with the request's own side of it. */
function around(brought: Trace | undefined, sides: Sides): Trace {
  const root = brought === undefined ? undefined : callTree(brought).root
  const known = root !== undefined && !root.placeholder
  const { service, method, id } = known ? root : { ...sides, id: randomBytes(8).toString('hex') }
  const own = { host: sides.host, pid: process.pid, service, method, id, parent: null }
  const entries: readonly Entry[] = [
    { ...own, kind: 'rpc-request', timeMs: sides.from },
    ...(known ? (brought?.entries ?? []) : []),
    { ...own, kind: 'rpc-finish', timeMs: sides.to, status: sides.failed ? 'error' : 'ok' },
  ]
  const trace = brought?.id || randomBytes(16).toString('hex')
  const whole = entries.map((entry) => ({ ...entry, trace }))
  const lists = { folds: [], missing: [], relays: [], complete: true }
  return { ...lists, ...(known && brought), id: trace, entries: whole }
}

const now = () => performance.timeOrigin + performance.now()

function reasonOf(error: unknown): string {
  const { name, cause, code } = error as { name?: string; cause?: { code?: string }; code?: string }
  if (name === 'TimeoutError') return 'timeout'
  if (name === 'AbortError') return 'cancelled'
  return cause?.code ?? code ?? name ?? 'error'
}
