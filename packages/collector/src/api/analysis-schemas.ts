/** JSON schemas of what `analysis-shapes.ts` has, for the OpenAPI document. */

import {
  ASKED,
  COUNT,
  list,
  NUMBER,
  object,
  orNull,
  PLACE,
  type Schema,
  SHARE,
  TEXT,
} from './schemas.ts'

const FLAG = { type: 'boolean' } as const

/** Some of its properties may be left out, where they are not known. */
const sparse = (
  properties: Readonly<Record<string, Schema>>,
  optional: Readonly<Record<string, Schema>>,
): Schema => {
  const { required } = object(properties)
  return { type: 'object', required, properties: { ...properties, ...optional } }
}

const SAMPLE = object({
  ...{ traces: COUNT, matching: COUNT, requests: COUNT, each: { type: 'number', minimum: 1 } },
  ...{ tooLarge: COUNT, cutShort: { enum: ['time', 'calls', null] } },
})

const ANALYSED = { asked: ASKED, sample: SAMPLE, sentences: list(TEXT) }

const EXAMPLES = list({ type: 'string', pattern: '^[0-9a-f]{32}$' })

const REQUESTS = list(
  object({ ...PLACE, requests: COUNT, failed: COUNT, p50Ms: COUNT, p99Ms: COUNT }),
)

const ORIGINS = list(
  sparse(
    {
      ...{ ...PLACE, kind: TEXT, requests: COUNT, masked: COUNT, aside: COUNT, doubtful: COUNT },
      ...{ hosts: list(TEXT), passedOn: list(TEXT), examples: EXAMPLES },
    },
    { error: TEXT },
  ),
)

const BOTTLENECKS = list(
  object({
    ...{ ...PLACE, edge: TEXT, where: { enum: ['work', 'wait', 'start'] }, share: SHARE },
    ...{ ms: COUNT, requests: COUNT, most: COUNT, examples: EXAMPLES },
  }),
)

const STRAGGLING = list(
  sparse(
    { ...PLACE, stragglers: COUNT, impactMs: COUNT, excessMs: NUMBER, examples: EXAMPLES },
    { host: TEXT, pid: COUNT, leg: TEXT },
  ),
)

const INTERVAL = object({ low: NUMBER, high: NUMBER })

const SLOW_INSTANCES = list(
  sparse(
    {
      ...{ ...PLACE, instance: TEXT, calls: COUNT, others: COUNT },
      ...{ medianMs: COUNT, othersMedianMs: COUNT, ratio: COUNT, ratios: INTERVAL, p: SHARE },
    },
    { leg: TEXT },
  ),
)

const GAPS = list(object({ ...PLACE, kind: TEXT, calls: COUNT, traces: COUNT }))

export const ANALYSIS = object({
  ...{ ...ANALYSED, calls: COUNT, failed: COUNT, incomplete: COUNT },
  ...{ requests: REQUESTS, failures: ORIGINS, bottlenecks: BOTTLENECKS },
  ...{ stragglers: STRAGGLING, slowInstances: SLOW_INSTANCES, missing: GAPS },
})

export const FAILURES = object({
  ...{ ...ANALYSED, requests: COUNT, failed: COUNT, failures: ORIGINS },
})

export const STRAGGLERS = object({
  ...{ ...ANALYSED, stragglers: STRAGGLING, slowInstances: SLOW_INSTANCES },
})

export const CRITICAL_PATH = object({
  ...{ ...ANALYSED, totalMs: COUNT },
  methods: list(object({ ...PLACE, ms: COUNT, share: SHARE })),
  paths: list(
    object({
      ...{ index: COUNT, parent: orNull(COUNT), ...PLACE, share: SHARE, below: SHARE },
      ...{ callsPerTrace: COUNT, presence: SHARE, failed: COUNT },
      ...{ p50Ms: COUNT, p95Ms: COUNT, p99Ms: COUNT, dragMs: COUNT },
    }),
  ),
  morePaths: COUNT,
})

const BAND = object({
  ...{ rate: COUNT, fromRate: COUNT, toRate: COUNT, answered: COUNT, inFlight: COUNT },
  ...{ requests: COUNT, failed: SHARE, seconds: COUNT, meanMs: COUNT, p50Ms: COUNT, p99Ms: COUNT },
  parts: list(object({ service: TEXT, layer: TEXT, share: SHARE })),
  stations: list(object({ service: TEXT })),
  bottleneck: sparse(
    { service: TEXT, kind: TEXT, share: SHARE, behind: list(TEXT) },
    { layer: TEXT, utilisation: SHARE },
  ),
})

export const LOAD = object({
  ...ANALYSED,
  report: sparse(
    {
      ...{ by: { enum: ['rate', 'inFlight'] }, requests: COUNT, passedOver: COUNT },
      ...{ callsLeftOut: COUNT, seconds: COUNT, bands: list(BAND) },
      // The law's figures, or a word that says why there are none.
      limit: { anyOf: [{ type: 'object' }, TEXT] },
      limits: list(object({ service: TEXT, demandMs: COUNT, mostRate: COUNT })),
      instances: list(object({ service: TEXT, host: TEXT, calls: COUNT, rate: COUNT })),
      methods: list(object({ ...PLACE, calls: COUNT, handleMs: COUNT, p99Ms: COUNT })),
    },
    { fullInFlight: COUNT },
  ),
})

const SIDE = object({ traces: COUNT, of: COUNT })

export const COMPARE = object({
  ...{ ...ANALYSED, against: object({ asked: ASKED, sample: SAMPLE }), certain: FLAG },
  difference: sparse(
    {
      ...{ before: SIDE, after: SIDE },
      failures: object({ before: SHARE, after: SHARE, p: SHARE, certain: FLAG }),
      contributions: list(
        object({ ...PLACE, names: list(TEXT), deltaMs: INTERVAL, share: NUMBER, leg: TEXT }),
      ),
      paths: list(object({ names: list(TEXT), differs: list(TEXT), deltaMs: NUMBER, p: SHARE })),
      kinds: list(object({ name: TEXT, before: SHARE, after: SHARE, p: SHARE })),
      attributes: list(object({ attribute: TEXT, before: SHARE, after: SHARE, p: SHARE })),
      suspects: list(object({ ...PLACE, weight: COUNT, serviceWeight: COUNT })),
    },
    { total: object({ window: TEXT, certain: FLAG, beforeMs: COUNT, afterMs: COUNT }) },
  ),
  morePaths: COUNT,
})
