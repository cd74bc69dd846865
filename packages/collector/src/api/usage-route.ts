import type { Route } from '../http/route.ts'
import type { ApiOptions } from './trace-routes.ts'

/** What a tenant has in the store. */
export interface UsageAnswer {
  readonly traces: number
  readonly calls: number
  /** Of its packets, as they came; on the disk they take about half. */
  readonly bytes: number
  /** When the oldest and the newest trace began, milliseconds since 1970. */
  readonly oldestMs: number | null
  readonly newestMs: number | null
}

const COUNT = { type: 'number', minimum: 0 } as const
const MOMENT = { anyOf: [{ type: 'number' }, { type: 'null' }] } as const

/** `GET /api/usage`: how much there is. */
export const usageRoute = ({ store }: ApiOptions): Route => ({
  ...{ method: 'GET', path: '/api/usage', role: 'read', name: 'getUsage' },
  summary: 'How many traces and calls there are, and the bytes of their packets as they came.',
  answer: {
    type: 'object',
    required: ['traces', 'calls', 'bytes', 'oldestMs', 'newestMs'],
    properties: { traces: COUNT, calls: COUNT, bytes: COUNT, oldestMs: MOMENT, newestMs: MOMENT },
  },
  async handle({ subject }) {
    const {
      traces,
      calls,
      bytes,
      oldestMs = null,
      newestMs = null,
    } = await store.usage(subject.tenant)
    return Response.json({ traces, calls, bytes, oldestMs, newestMs } satisfies UsageAnswer)
  },
})
