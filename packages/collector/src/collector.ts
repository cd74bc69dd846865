import { createRequire } from 'node:module'
import type { Broker } from 'clew'
import type { AuditLog } from './access/audit-log.ts'
import { audited } from './access/audited.ts'
import { openGate } from './access/open-gate.ts'
import { analysisRoutes } from './api/analysis-routes.ts'
import { figureRoutes } from './api/figure-routes.ts'
import { telling } from './api/store-errors.ts'
import { Tail } from './api/tail.ts'
import { keyOf, traceRoutes } from './api/trace-routes.ts'
import { usageRoute } from './api/usage-route.ts'
import { healthRoute } from './health-route.ts'
import type { Gate } from './http/gate.ts'
import { openApiRoute } from './http/openapi.ts'
import type { Route } from './http/route.ts'
import { type Answer, router } from './http/router.ts'
import { accountRoute } from './ingest/account-route.ts'
import { BatchIntake } from './ingest/batch-intake.ts'
import { batchRoute } from './ingest/batch-route.ts'
import { type BrokerRoadOptions, brokerRoad, type Road } from './ingest/broker-road.ts'
import { otlpRoute } from './ingest/otlp-route.ts'
import { Metrics } from './metrics.ts'
import { recallRoute } from './recall/recall-route.ts'
import { Recalls } from './recall/recalls.ts'
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
  /**
   * How often what other collectors of the same store left, or settled twice, is looked for; about, so
   * that they do not look at once. Milliseconds. @default only at the start: it has the store for itself
   */
  readonly recoverEveryMs?: number | undefined
  /** Told of what should not happen. */
  readonly onProblem?: ((error: unknown, where: string) => void) | undefined
}

export type ConsumeOptions = Pick<BrokerRoadOptions, 'tenant' | 'prefetch' | 'queue'>

/** Takes what services send, keeps it, and answers questions about it; no port of its own. */
export interface Collector extends AsyncDisposable {
  /** It lets in whoever comes, so nobody but this machine may reach it. */
  readonly isOpen: boolean
  /** What can be asked of it. */
  readonly routes: readonly Route[]
  /** Answers a request of a peer at an address, as its connection tells it. Never rejects. */
  readonly fetch: Answer
  /** Settles what was left of the time before. @throws StoreError */
  start(): Promise<void>
  /**
   * Takes batches from the broker's queue too, until the collector is closed, and asks the services there
   * for what they know of calls whose reply never came.
   * @throws RpcError `disconnected` where the broker cannot be reached
   */
  consume(broker: Broker, options?: ConsumeOptions): Promise<void>
  /** Calls: what was stored and rejected since it began, and what waits to be found and counted. */
  readonly counts: { readonly stored: number; readonly rejected: number; readonly pending: number }
  /** Ends answers that would go on for ever: before the connections they are sent by are waited for. */
  endTails(): void
  /** Takes nothing more, makes durable and settles what it has, and closes the store. */
  close(): Promise<void>
}

const { version } = createRequire(import.meta.url)('../package.json') as { version: string }

/** A collector on a store. */
export function createCollector(options: CollectorOptions): Collector {
  const { store, gate = openGate(), audit, quietMs, recoverEveryMs, onProblem } = options
  const tail = new Tail()
  const metrics: Metrics = new Metrics(() => ({
    ...{ pending: settler.pending, tailReaders: tail.readers },
    ...{ writable: store.health().writable, freeBytes: store.health().room?.freeBytes },
  }))
  const recalls: Recalls[] = []
  const settler = new Settler({
    ...{ store, quietMs },
    onSettled: (summaries) => {
      metrics.settled(summaries.length)
      tail.take(summaries)
      for (const one of recalls) one.settled(summaries)
    },
    onProblem: (error) => onProblem?.(error, 'settle'),
  })
  const came = { stored: 0, rejected: 0 }
  const intake = new BatchIntake({
    ...{ store, settler },
    onTaken: (taken) => {
      metrics.taken(taken)
      came.stored += (taken.stored ?? 0) - (taken.duplicates ?? 0)
      for (const calls of Object.values(taken.rejected ?? {})) came.rejected += calls
    },
  })
  const routes = routesOf({ ...options, gate, settler, intake, tail, metrics, recalls })
  const roads: Road[] = []
  let recovering: NodeJS.Timeout | undefined
  const recoverLater = (everyMs: number) => {
    recovering = setTimeout(
      async () => {
        await settler.recover().catch((error: unknown) => onProblem?.(error, 'recover'))
        if (recovering !== undefined) recoverLater(everyMs)
      },
      everyMs * (0.75 + Math.random() / 2),
    ).unref()
  }
  const close = async () => {
    clearTimeout(recovering)
    recovering = undefined
    tail.close()
    for (const one of recalls.splice(0)) await one.close()
    for (const road of roads.splice(0)) await road.close()
    await intake.drain()
    await settler.close()
    await audit?.flush()
    await store.close()
  }
  return {
    isOpen: gate.isOpen,
    routes,
    fetch: router({
      routes,
      gate,
      onProblem,
      onAnswer: (name, status) => metrics.answered(name, status),
    }),
    start: async () => {
      await settler.recover()
      if (recoverEveryMs !== undefined) recoverLater(recoverEveryMs)
    },
    consume: async (broker, consuming = {}) => {
      const told = (error: unknown) => onProblem?.(error, 'broker')
      const road = await brokerRoad({ ...consuming, broker, intake, onProblem: told })
      roads.push(road)
      const { tenant, mailbox } = road
      recalls.push(await Recalls.open({ tenant, mailbox, intake, onProblem: told }))
    },
    get counts() {
      return { ...came, pending: settler.pending }
    },
    endTails: () => tail.close(),
    close,
    [Symbol.asyncDispose]: close,
  }
}

interface Parts extends CollectorOptions {
  readonly gate: Gate
  readonly settler: Settler
  readonly intake: BatchIntake
  readonly tail: Tail
  readonly metrics: Metrics
  readonly recalls: readonly Recalls[]
}

function routesOf({
  store,
  gate,
  audit,
  settler,
  intake,
  tail,
  metrics,
  recalls,
}: Parts): readonly Route[] {
  const asked: readonly Route[] = [
    batchRoute(intake),
    otlpRoute(intake),
    metrics.route(),
    ...telling([
      ...traceRoutes({ store, settler }),
      ...figureRoutes({ store }),
      ...analysisRoutes({ store }),
      tail.route(),
      recallRoute({ recalls: () => recalls, keyOf: (one) => keyOf(store, one) }),
      accountRoute(store),
      usageRoute({ store }),
    ]),
    healthRoute(() => ({
      ...{ version, store: store.health(), pending: settler.pending },
      // Anybody reads these, so they name no files; the log does.
      problems: [
        ...(gate.problem === undefined ? [] : ['the file of tokens cannot be read']),
        ...(audit?.problem === undefined ? [] : [audit.problem]),
      ],
    })),
  ]
  const bare = [...asked, openApiRoute(asked, version)]
  return audit === undefined ? bare : bare.map((route) => audited(route, audit))
}
