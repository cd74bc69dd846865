import type { Route } from './http/route.ts'
import type { StoreHealth } from './store/trace-store.ts'

/** What a collector says of itself to whoever can reach it. */
export interface Health {
  readonly version: string
  readonly store: StoreHealth
  /** Calls that are kept and wait to be found and counted. */
  readonly pending: number
  /** What is wrong beside, for people. */
  readonly problems: readonly string[]
}

/** `GET /healthz`: 200 while it takes what is sent, else 503 and why. Tells nothing of what it keeps. */
export const healthRoute = (healthOf: () => Health): Route => ({
  method: 'GET',
  path: '/healthz',
  role: 'open',
  name: 'health',
  summary: 'Whether the collector takes what is sent: 200, or 503 and why not.',
  answer: {
    type: 'object',
    required: ['ok', 'version', 'pending'],
    properties: {
      ok: { type: 'boolean' },
      version: { type: 'string' },
      pending: { type: 'integer', description: 'calls that wait to be found and counted' },
      reason: { type: 'string' },
      damage: { type: 'array', items: { type: 'string' } },
      problems: { type: 'array', items: { type: 'string' } },
    },
  },
  async handle() {
    const { version, store, pending, problems } = healthOf()
    const { writable: ok, reason, damage, room } = store
    const low = room === undefined || !ok ? [] : lowRoom(room)
    const body = {
      ...{ ok, version, pending, ...(reason && { reason }), damage },
      problems: [...problems, ...low],
    }
    return Response.json(body, { status: ok ? 200 : 503 })
  },
})

/** Says so before the disk is full. */
function lowRoom({ freeBytes, reservedBytes }: NonNullable<StoreHealth['room']>): string[] {
  if (freeBytes >= 2 * reservedBytes) return []
  const left = Math.max(0, Math.round((freeBytes - reservedBytes) / 1e6))
  return [`the disk of the store is nearly full: ${left} MB more can be kept`]
}
