import { ApiError } from '../http/api-error.ts'
import type { Asked, Route } from '../http/route.ts'
import type { TraceKey } from '../store/trace-store.ts'
import type { Recalls } from './recalls.ts'

export interface RecallRouteOptions {
  /** Of all brokers that the collector is connected to. */
  readonly recalls: () => readonly Recalls[]
  /** @throws ApiError where it is not clear which trace is meant */
  readonly keyOf: (asked: Asked) => Promise<TraceKey>
}

/** What was asked of services, and what came. */
export interface RecallAnswer {
  /** 32 hex digits. */
  readonly trace: string
  /** False where no service listens. */
  readonly heard: boolean
  /** Answers with something new in them, and the calls that they record; some may be known already. */
  readonly answers: number
  readonly calls: number
}

/** At a time: each makes work in all services. */
const MOST_AT_A_TIME = 4

const COUNT = { type: 'integer', minimum: 0 }

/**
 * `POST /api/traces/{id}/recall`: asks the services now. For admins, because it makes work in all of
 * them; what timed out or was lost is asked for anyway.
 */
export function recallRoute({ recalls, keyOf }: RecallRouteOptions): Route {
  let running = 0
  return {
    ...{ method: 'POST', path: '/api/traces/{id}/recall', role: 'admin', name: 'recallTrace' },
    summary:
      'Asks the services for what they still know of a trace, and waits up to two seconds for it; it is part of the trace then.',
    parameters: [
      {
        ...{ name: 'id', in: 'path' },
        description: 'All 32 digits; of a trace that is known here the first ones are enough.',
        schema: { type: 'string', pattern: '^[0-9a-fA-F]{4,32}$' },
      },
    ],
    answer: {
      type: 'object',
      required: ['trace', 'heard', 'answers', 'calls'],
      properties: {
        trace: { type: 'string' },
        heard: { type: 'boolean', description: 'false where no service listens' },
        answers: { ...COUNT, description: 'with something new in them' },
        calls: { ...COUNT, description: 'recorded in them' },
      },
    },
    async handle(asked) {
      const { tenant, traceId } = await keyOf(asked)
      const roads = recalls().filter((one) => one.tenant === tenant)
      if (roads.length === 0) {
        throw new ApiError(409, 'no_broker', 'the collector is at no broker of your services', {
          advice: 'start it with --broker amqp://…, or ask there yourself: clew recall ID --broker',
        })
      }
      if (running >= MOST_AT_A_TIME) {
        throw new ApiError(429, 'busy', 'enough is being asked of services', { retryAfterS: 2 })
      }
      running++
      try {
        const came = await Promise.all(roads.map((road) => road.recall(traceId, asked.signal)))
        const sum = (of: (one: (typeof came)[number]) => number) =>
          came.reduce((total, one) => total + of(one), 0)
        return Response.json({
          trace: traceId,
          heard: came.some(({ heard }) => heard),
          answers: sum(({ answers }) => answers),
          calls: sum(({ calls }) => calls),
        } satisfies RecallAnswer)
      } finally {
        running--
      }
    },
  }
}
