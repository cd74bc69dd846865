import { encodeClew } from 'clew/formats'
import { ApiError } from '../http/api-error.ts'
import type { Asked, Parameter, Route } from '../http/route.ts'
import type { Settler } from '../settle/settler.ts'
import { traceOf } from '../settle/trace-of.ts'
import { type TraceKey, type TraceStore, traceKey } from '../store/trace-store.ts'
import { exportedLines } from './export.ts'
import { LineStreams } from './line-streams.ts'
import { limitOf, QUESTION, questionIn, wholeIn, wordIn } from './parameters.ts'
import * as schema from './schemas.ts'
import type { FoundPage, RemovedAnswer } from './shapes.ts'
import { askingOf, foundTrace } from './to-shapes.ts'

export interface ApiOptions {
  readonly store: TraceStore
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: (() => number) | undefined
}

export interface TraceRoutesOptions extends ApiOptions {
  /** Is told what is deleted: it may be about to write a summary of it. */
  readonly settler: Pick<Settler, 'without'>
}

const MOST_FOUND = 1_000
const MOST_EXPORTED = 100_000
/** Digits from which on a part of an id is enough. */
const LEAST_DIGITS = 4
const MOST_CANDIDATES = 10

const ORDER: Parameter = {
  ...{ name: 'order', in: 'query', description: 'What comes first. Default newest.' },
  schema: { enum: ['newest', 'slowest'] },
}

const CURSOR: Parameter = {
  ...{ name: 'cursor', in: 'query', description: 'From the page before: asks for the next one.' },
  schema: { type: 'string', maxLength: 200 },
}

const ID: Parameter = {
  ...{ name: 'id', in: 'path' },
  description: `Trace id, or ${LEAST_DIGITS} or more of its first or last digits, where they tell which.`,
  schema: { type: 'string', pattern: `^[0-9a-fA-F]{${LEAST_DIGITS},32}$` },
}

/** Finding, reading and deleting traces. */
export function traceRoutes(options: TraceRoutesOptions): readonly Route[] {
  const { store, settler, now = Date.now } = options
  const streams = new LineStreams()
  return [
    {
      ...{ method: 'GET', path: '/api/traces', role: 'read', name: 'findTraces' },
      summary: 'Traces that match a filter, a page at a time.',
      parameters: [...QUESTION, ORDER, limitOf(MOST_FOUND, 50), CURSOR],
      answer: schema.FOUND_PAGE,
      async handle(asked) {
        const question = questionIn(asked, now())
        const { query, signal } = asked
        const order = wordIn(query, 'order', ['newest', 'slowest'])
        const limit = wholeIn(query, 'limit', { most: MOST_FOUND, usual: 50 })
        const cursor = query.get('cursor') ?? undefined
        const found = await store.find({ ...question, order, limit, cursor }, { signal })
        return Response.json({
          asked: askingOf(question),
          traces: found.traces.map(foundTrace),
          cursor: found.cursor ?? null,
        } satisfies FoundPage)
      },
    },
    {
      ...{ method: 'GET', path: '/api/traces/export', role: 'read', name: 'exportTraces' },
      summary:
        'Whole traces that match, as lines of a trace file (docs/format.md), the newest first or an even sample. The headers clew-traces and clew-matching say how many of how many.',
      parameters: [...QUESTION, orderOfExport, limitOf(MOST_EXPORTED, 1_000)],
      produces: 'application/x-ndjson',
      async handle(asked) {
        const order = wordIn(asked.query, 'order', ['newest', 'slowest', 'sample'])
        const limit = wholeIn(asked.query, 'limit', { most: MOST_EXPORTED, usual: 1_000 })
        const question = { ...questionIn(asked, now()), order, limit }
        const { signal } = asked
        const { traces: matching } = await store.count(question, { signal })
        const headers = {
          'clew-traces': String(Math.min(matching, limit)),
          'clew-matching': String(matching),
        }
        return streams.answer(exportedLines(store, question, signal), headers, asked)
      },
    },
    {
      ...{ method: 'GET', path: '/api/traces/{id}', role: 'read', name: 'getTrace' },
      summary: 'A whole trace, as lines of a trace file (docs/format.md).',
      parameters: [ID],
      produces: 'application/x-ndjson',
      async handle(asked) {
        const key = await keyOf(store, asked)
        const packets = (await store.packets([key], { signal: asked.signal })).get(traceKey(key))
        if (packets === undefined) throw unknownTrace(key.traceId)
        const lines = encodeClew([traceOf(key.traceId, packets).trace])
        return streams.answer(lines, { 'clew-trace-id': key.traceId }, asked)
      },
    },
    {
      ...{ method: 'DELETE', path: '/api/traces/{id}', role: 'admin', name: 'removeTrace' },
      summary: 'Deletes a trace; gone from the disk when answered.',
      parameters: [{ ...ID, description: 'The whole trace id.' }],
      answer: schema.REMOVED,
      async handle({ params, subject }) {
        const id = params['id']!.toLowerCase()
        if (!/^[0-9a-f]{32}$/u.test(id)) throw badId('to delete takes all 32 digits of the id')
        const { tenant } = subject
        const removed = await settler.without(
          (key) => key.tenant === tenant && key.traceId === id,
          () => store.remove(tenant, [id]),
        )
        if (removed === 0) throw unknownTrace(id)
        return Response.json({ removed } satisfies RemovedAnswer)
      },
    },
    {
      ...{ method: 'DELETE', path: '/api/tenant', role: 'admin', name: 'removeTenant' },
      summary: 'Deletes everything of the tenant of the token; gone from the disk when answered.',
      answer: schema.REMOVED,
      async handle({ subject: { tenant } }) {
        const { traces: removed } = await store.usage(tenant)
        await settler.without(
          (key) => key.tenant === tenant,
          () => store.removeTenant(tenant),
        )
        return Response.json({ removed } satisfies RemovedAnswer)
      },
    },
  ]
}

const orderOfExport: Parameter = { ...ORDER, schema: { enum: ['newest', 'slowest', 'sample'] } }

/** The one trace whose id begins or ends so. @throws ApiError 400, 404, 409 */
export async function keyOf(store: TraceStore, { params, subject }: Asked): Promise<TraceKey> {
  const prefix = params['id']!.toLowerCase()
  const { tenant } = subject
  if (!/^[0-9a-f]{4,32}$/u.test(prefix)) throw badId('an id is 4 to 32 hex digits')
  if (prefix.length === 32) return { tenant, traceId: prefix }
  const found = await store.idsWith(tenant, prefix, MOST_CANDIDATES)
  const [traceId] = found
  if (traceId === undefined) throw unknownTrace(prefix)
  if (found.length === 1) return { tenant, traceId }
  throw new ApiError(409, 'ambiguous_id', `several traces begin or end with ${prefix}`, {
    advice: `write more digits: ${found.join(', ')}${found.length === MOST_CANDIDATES ? ', …' : ''}`,
  })
}

const badId = (message: string) => new ApiError(400, 'bad_id', message)

const unknownTrace = (id: string) =>
  new ApiError(404, 'unknown_trace', `there is no trace ${id}`, {
    advice:
      'it may have been left out by a policy of its root, deleted for its age, or not have come yet',
  })
