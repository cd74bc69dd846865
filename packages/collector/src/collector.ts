import type { AuditLog } from './access/audit-log.ts'
import { audited } from './access/audited.ts'
import { openGate } from './access/open-gate.ts'
import type { Gate } from './http/gate.ts'
import type { Route } from './http/route.ts'
import { type Answer, router } from './http/router.ts'
import { BatchIntake } from './ingest/batch-intake.ts'
import { batchRoute } from './ingest/batch-route.ts'
import { Settler } from './settle/settler.ts'
import type { TraceStore } from './store/trace-store.ts'

export interface CollectorOptions {
  /** Where everything is kept. The collector closes it. */
  readonly store: TraceStore
  /** Who is let in. @default everybody on this machine */
  readonly gate?: Gate | undefined
  /** Is told who read which traces and changed what. The collector flushes it. @default none */
  readonly audit?: AuditLog | undefined
  /** How long a trace that has not ended is waited for. Milliseconds. @default 2,000 */
  readonly quietMs?: number | undefined
  /** Told of what should not happen. */
  readonly onProblem?: ((error: unknown, where: string) => void) | undefined
}

/** Takes what services send, keeps it, and answers questions about it; no port of its own. */
export interface Collector extends AsyncDisposable {
  /** What can be asked of it. */
  readonly routes: readonly Route[]
  /** Answers a request of a peer at an address, as its connection tells it. Never rejects. */
  readonly fetch: Answer
  /** Settles what was left of the time before. @throws StoreError */
  start(): Promise<void>
  /** Takes nothing more, makes durable and settles what it has, and closes the store. */
  close(): Promise<void>
}

/** A collector on a store. */
export function createCollector(options: CollectorOptions): Collector {
  const { store, gate = openGate(), audit, quietMs, onProblem } = options
  const settler = new Settler({
    ...{ store, quietMs },
    onProblem: (error) => onProblem?.(error, 'settle'),
  })
  const intake = new BatchIntake({ store, settler })
  const bare: readonly Route[] = [batchRoute(intake)]
  const routes = audit === undefined ? bare : bare.map((route) => audited(route, audit))
  const close = async () => {
    await intake.drain()
    await settler.close()
    await audit?.flush()
    await store.close()
  }
  return {
    routes,
    fetch: router({ routes, gate, onProblem }),
    start: async () => {
      await settler.recover()
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
