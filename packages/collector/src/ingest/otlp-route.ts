import { createHash } from 'node:crypto'
import { type FormatName, formatReader } from 'clew/formats'
import { encodeTrace, type Trace } from 'clew/trace'
import { encodePacket } from 'clew/trace/blocks'
import { ApiError } from '../http/api-error.ts'
import { type BodyLimits, withBody } from '../http/body.ts'
import type { Asked, Route } from '../http/route.ts'
import type { Intake } from './intake.ts'
import { exportAnswer, failureAnswer } from './otlp-answer.ts'

const LIMITS: BodyLimits = { maxBytes: 16 * 1024 * 1024, maxInflatedBytes: 64 * 1024 * 1024 }
/** Bytes that are read before others have a turn. */
const STEP_BYTES = 128 * 1024

const FORMATS: Readonly<Record<string, FormatName>> = {
  'application/json': 'otlp',
  'application/x-protobuf': 'otlp-protobuf',
}

/**
 * `POST /v1/traces`: OpenTelemetry's protocol over HTTP (OTLP 1.x), JSON and protobuf, so that any of
 * its SDKs can send here. Answered when everything that could be read is durable.
 * https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
export const otlpRoute = (intake: Intake): Route => ({
  ...{ method: 'POST', path: '/v1/traces', role: 'ingest', name: 'exportOtlp' },
  summary:
    'Takes spans in OpenTelemetry’s protocol, JSON or protobuf; answered when they are durable.',
  body: { type: 'object', properties: { resourceSpans: { type: 'array' } } },
  answer: { type: 'object', properties: { partialSuccess: { type: 'object' } } },
  async handle(asked) {
    const type = asked.request.headers.get('content-type')?.split(';')[0]?.trim() ?? ''
    const format = Object.hasOwn(FORMATS, type) ? FORMATS[type] : undefined
    if (format === undefined) {
      throw new ApiError(
        415,
        'content_type',
        `${type === '' ? 'nothing' : 'what'} tells the format of the body`,
        {
          advice: 'send content-type application/json or application/x-protobuf',
        },
      )
    }
    try {
      return await withBody(asked.request, LIMITS, (body) => take(intake, asked, format, body))
    } catch (error) {
      if (error instanceof ApiError) return failureAnswer(error, format)
      throw error
    }
  },
})

async function take(
  intake: Intake,
  { subject, signal }: Asked,
  format: FormatName,
  body: Uint8Array,
): Promise<Response> {
  const { traces, problems } = await tracesIn(body, format, signal)
  if (traces.length === 0 && problems.length > 0) {
    throw new ApiError(400, 'unreadable', `no span could be read: ${problems[0]}`)
  }
  const hash = (text: string | Uint8Array) => createHash('sha256').update(text).digest('hex')
  const { rejected } = await intake.keep({
    tenant: subject.tenant,
    // Who sends the same again, because an answer was lost, is known by it.
    id: hash(body).slice(0, 32),
    packets: traces.filter(({ id }) => id !== '').map(packetOf),
    account: {
      ...{ name: `OTLP by ${subject.name}`, host: '', pid: 0, road: 'otlp', taken: 0, dropped: {} },
      instance: hash(`otlp ${subject.tenant} ${subject.name}`).slice(0, 16),
    },
    unreadable: problems.length,
  })
  const lost = Object.values(rejected).reduce((sum, count) => sum + count, 0)
  return exportAnswer(format, lost, problems[0] ?? Object.keys(rejected)[0])
}

async function tracesIn(
  body: Uint8Array,
  format: FormatName,
  signal: AbortSignal,
): Promise<{ readonly traces: readonly Trace[]; readonly problems: readonly string[] }> {
  const reader = formatReader(format)
  const traces: Trace[] = []
  for (let at = 0; at < body.length; at += STEP_BYTES) {
    for (const trace of reader.push(body.subarray(at, at + STEP_BYTES))) traces.push(trace)
    await new Promise((resolve) => setImmediate(resolve))
    if (signal.aborted) throw new ApiError(499, 'cancelled', 'nobody waits for the answer')
  }
  for (const trace of reader.end()) traces.push(trace)
  const told = reader.problems.filter(({ kind }) => kind === 'unreadable' || kind === 'limit')
  return { traces, problems: told.map(({ message }) => message) }
}

function packetOf(trace: Trace): Uint8Array {
  const calls = new Set(trace.entries.map(({ id }) => id))
  return encodePacket({
    ...{ traceId: trace.id, pieces: [], ended: false, lineCalls: calls.size },
    lines: new TextEncoder().encode(encodeTrace(trace)),
  })
}
