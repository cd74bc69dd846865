import { Sketch, type SketchJson } from 'clew/trace'
import type { Parameter, Route } from '../http/route.ts'
import type { CallStatisticsRow, LinkRow } from '../store/answers.ts'
import type { Question, StoredBreakdown } from '../store/trace-store.ts'
import { limitOf, periodIn, QUESTION, questionIn, wholeIn, wordIn } from './parameters.ts'
import * as schema from './schemas.ts'
import type {
  BreakdownAnswer,
  MapAnswer,
  MapLinkAnswer,
  MapServiceAnswer,
  MethodStatistics,
  NamesAnswer,
  RequestAnswer,
  StatisticsAnswer,
  TimelineAnswer,
} from './shapes.ts'
import { askingOf, rounded, timesOf } from './to-shapes.ts'
import type { ApiOptions } from './trace-routes.ts'

const MOST_BUCKETS = 1_000

/** Figures of all traces that match, from rollups where those tell them. */
export function figureRoutes({ store, now = Date.now }: ApiOptions): readonly Route[] {
  return [
    {
      ...{ method: 'GET', path: '/api/statistics', role: 'read', name: 'getStatistics' },
      summary:
        'Rate, failures and durations of each method, of calls that match. The most critical time first.',
      parameters: QUESTION,
      answer: schema.STATISTICS,
      async handle(asked) {
        const question = questionIn(asked, now())
        const effort = { signal: asked.signal }
        const [rows, { weight }] = await Promise.all([
          store.statistics(question, effort),
          store.count(question, effort),
        ])
        const methods = methodsOf(rows, question)
        const answer = { asked: askingOf(question), traces: rounded(weight), methods }
        return Response.json(answer satisfies StatisticsAnswer)
      },
    },
    {
      ...{ method: 'GET', path: '/api/breakdown', role: 'read', name: 'getBreakdown' },
      summary:
        'Where the time of each kind of request goes, by service and layer: what the answer waited for, each moment once.',
      parameters: QUESTION,
      answer: schema.BREAKDOWN,
      async handle(asked) {
        const question = questionIn(asked, now())
        const stored = await store.breakdown(question, { signal: asked.signal })
        const answer = { asked: askingOf(question), requests: requestsOf(stored) }
        return Response.json(answer satisfies BreakdownAnswer)
      },
    },
    {
      ...{ method: 'GET', path: '/api/map', role: 'read', name: 'getMap' },
      summary: 'The layout of the system: who calls whom, how often, and what fails.',
      parameters: QUESTION,
      answer: schema.MAP,
      async handle(asked) {
        const question = questionIn(asked, now())
        const links = await store.links(question, { signal: asked.signal })
        const statistics = await store.statistics(question, { signal: asked.signal })
        const answer = {
          asked: askingOf(question),
          services: servicesOf(statistics, question),
          links: linksOf(links),
        }
        return Response.json(answer satisfies MapAnswer)
      },
    },
    {
      ...{ method: 'GET', path: '/api/timeline', role: 'read', name: 'getTimeline' },
      summary: 'Requests over time.',
      parameters: [...QUESTION, BUCKETS],
      answer: schema.TIMELINE,
      async handle(asked) {
        const question = questionIn(asked, now())
        const { fromMs, toMs } = question.period
        const count = wholeIn(asked.query, 'buckets', { most: MOST_BUCKETS, usual: 60 })
        const bucketMs = Math.max(1, Math.ceil((toMs - fromMs) / count))
        const rows = await store.timeline(question, bucketMs, { signal: asked.signal })
        const buckets = rows.map(({ requests, failed, total, ...rest }) => ({
          ...rest,
          ...{ requests: rounded(requests), failed: rounded(failed), total: timesOf(total) },
        }))
        const answer = { asked: askingOf(question), bucketMs, buckets }
        return Response.json(answer satisfies TimelineAnswer)
      },
    },
    {
      ...{ method: 'GET', path: '/api/names', role: 'read', name: 'getNames' },
      summary: 'Names that occur, the most frequent first: for completion and menus.',
      parameters: [FIELD, ...QUESTION.slice(1), limitOf(1_000, 100)],
      answer: schema.NAMES,
      async handle({ query, subject }) {
        const period = periodIn(query, now())
        const field = wordIn(query, 'field', ['service', 'method', 'host', 'type'])
        const limit = wholeIn(query, 'limit', { most: 1_000, usual: 100 })
        const names = await store.names(subject.tenant, field, period, limit)
        return Response.json({ asked: { filter: '', ...period }, names } satisfies NamesAnswer)
      },
    },
  ]
}

const BUCKETS: Parameter = {
  ...{ name: 'buckets', in: 'query', description: 'How many, of equal width. Default 60.' },
  schema: { type: 'integer', minimum: 1, maximum: MOST_BUCKETS },
}

const FIELD: Parameter = {
  ...{ name: 'field', in: 'query', description: 'Names of what. Default service.' },
  schema: { enum: ['service', 'method', 'host', 'type'] },
}

function methodsOf(
  rows: readonly CallStatisticsRow[],
  { period }: Question,
): readonly MethodStatistics[] {
  const seconds = (period.toMs - period.fromMs) / 1000
  const all = rows.reduce((sum, { criticalMs }) => sum + criticalMs, 0)
  return rows
    .toSorted((a, b) => b.criticalMs - a.criticalMs || b.calls - a.calls)
    .map((row) => ({
      ...{ service: row.service, method: row.method, calls: rounded(row.calls) },
      ...{ perSecond: rounded(row.calls / seconds), failed: rounded(row.failed) },
      ...{ origins: rounded(row.origins), total: timesOf(row.total), self: timesOf(row.self) },
      criticalShare: all > 0 ? rounded(row.criticalMs / all) : 0,
      inFlight: row.inFlight === undefined ? null : rounded(row.inFlight),
    }))
}

function requestsOf({ requests, parts }: StoredBreakdown): readonly RequestAnswer[] {
  return requests
    .toSorted((a, b) => b.total.sum - a.total.sum)
    .map(({ service, method, requests: count, failed, total }) => {
      const own = parts.filter(
        ({ requestService, requestMethod }) =>
          requestService === service && requestMethod === method,
      )
      const all = own.reduce((sum, { times }) => sum + times.sum, 0)
      return {
        ...{ type: `${service}.${method}`, service, method },
        ...{ requests: rounded(count), failed: rounded(failed), total: timesOf(total) },
        parts: own
          .toSorted((a, b) => b.times.sum - a.times.sum)
          .map(({ service: part, layer, times }) => ({
            ...{ service: part, layer, share: all > 0 ? rounded(times.sum / all) : 0 },
            times: timesOf(times),
          })),
      }
    })
}

function servicesOf(
  rows: readonly CallStatisticsRow[],
  { period }: Question,
): readonly MapServiceAnswer[] {
  const seconds = (period.toMs - period.fromMs) / 1000
  const all = rows.reduce((sum, { criticalMs }) => sum + criticalMs, 0)
  return [...Map.groupBy(rows, ({ service }) => service)]
    .map(([service, methods]) => {
      const sum = (of: (row: CallStatisticsRow) => number) =>
        methods.reduce((total, row) => total + of(row), 0)
      return {
        ...{ service, calls: rounded(sum(({ calls }) => calls)) },
        perSecond: rounded(sum(({ calls }) => calls) / seconds),
        inFlight: inFlightOf(methods),
        failed: rounded(sum(({ failed }) => failed)),
        origins: rounded(sum(({ origins }) => origins)),
        criticalShare: all > 0 ? rounded(sum(({ criticalMs }) => criticalMs) / all) : 0,
        total: timesOf(merged(methods.map(({ total }) => total))),
        methods: methods.map(({ method }) => method).sort(),
      }
    })
    .sort((a, b) => b.calls - a.calls || (a.service < b.service ? -1 : 1))
}

/** Mean over the calls of all methods that tell. */
function inFlightOf(methods: readonly CallStatisticsRow[]): number | null {
  let [calls, inFlight] = [0, 0]
  for (const row of methods) {
    if (row.inFlight === undefined) continue
    calls += row.calls
    inFlight += row.inFlight * row.calls
  }
  return calls > 0 ? rounded(inFlight / calls) : null
}

function linksOf(rows: readonly LinkRow[]): readonly MapLinkAnswer[] {
  const keyOf = ({ callerService, service, edge }: LinkRow) =>
    JSON.stringify([callerService, service, edge])
  return [...Map.groupBy(rows, keyOf).values()]
    .map((links) => {
      const { callerService: from, service: to, edge } = links[0]!
      return {
        ...{ from, to, edge },
        calls: rounded(links.reduce((sum, { calls }) => sum + calls, 0)),
        failed: rounded(links.reduce((sum, { failed }) => sum + failed, 0)),
        total: timesOf(merged(links.map(({ total }) => total))),
        methods: links
          .toSorted((a, b) => b.calls - a.calls)
          .map((link) => ({
            ...{ from: link.callerMethod, to: link.method, calls: rounded(link.calls) },
          })),
      }
    })
    .sort((a, b) => b.calls - a.calls || (a.to < b.to ? -1 : 1))
}

function merged(sketches: readonly SketchJson[]): SketchJson {
  const sum = new Sketch()
  for (const sketch of sketches) sum.merge(Sketch.from(sketch))
  return sum.toJSON()
}
