import { type BodyLimits, withBody } from '../http/body.ts'
import type { Route } from '../http/route.ts'
import type { Intake } from './intake.ts'

const LIMITS: BodyLimits = {
  maxBytes: 16 * 1024 * 1024,
  maxInflatedBytes: 16 * 1024 * 1024,
}

const CALLS = { type: 'integer', minimum: 0 }

/** `POST /v1/batches`: what `httpSink` sends. Answered when it is durable. */
export const batchRoute = (intake: Intake): Route => ({
  method: 'POST',
  path: '/v1/batches',
  role: 'ingest',
  name: 'sendBatch',
  summary:
    'Keeps a batch of packets (docs/format.md); answered when they are durable. Counts are calls.',
  answer: {
    type: 'object',
    required: ['stored', 'duplicates', 'rejected'],
    properties: {
      stored: CALLS,
      duplicates: { ...CALLS, description: 'of those stored, how many had come before' },
      rejected: { type: 'object', additionalProperties: CALLS, description: 'by reason' },
    },
  },
  async handle({ request, subject }) {
    const take = (bytes: Uint8Array) => intake.take(subject.tenant, bytes, 'http')
    return Response.json(await withBody(request, LIMITS, take))
  },
})
