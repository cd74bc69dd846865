/** JSON schemas of what `shapes.ts` has, for the OpenAPI document. */

export type Schema = Readonly<Record<string, unknown>>

export const TEXT = { type: 'string' } as const
export const NUMBER = { type: 'number' } as const
export const COUNT = { type: 'number', minimum: 0 } as const
export const SHARE = { type: 'number', minimum: 0, maximum: 1.0001 } as const

export const object = (properties: Readonly<Record<string, Schema>>): Schema => ({
  type: 'object',
  required: Object.keys(properties),
  properties,
})
export const list = (items: Schema): Schema => ({ type: 'array', items })
export const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] })

export const ASKED = object({ filter: TEXT, fromMs: NUMBER, toMs: NUMBER })
export const PLACE = { service: TEXT, method: TEXT }
const TIMES = object({
  ...{ count: COUNT, meanMs: COUNT, p50Ms: COUNT, p95Ms: COUNT, p99Ms: COUNT, maxMs: COUNT },
})

const FOUND_TRACE = object({
  ...{ id: { type: 'string', pattern: '^[0-9a-f]{32}$' }, startMs: NUMBER },
  ...{ totalMs: orNull(COUNT), type: TEXT, ...PLACE, host: TEXT, status: TEXT },
  ...{ error: orNull(TEXT), calls: COUNT, missingCalls: COUNT, services: COUNT, depth: COUNT },
  failed: orNull(object(PLACE)),
  bottleneck: orNull(object({ ...PLACE, share: SHARE })),
  ...{ complete: { type: 'boolean' }, weight: COUNT, source: orNull(TEXT) },
})

export const FOUND_PAGE = object({
  ...{ asked: ASKED, traces: list(FOUND_TRACE), cursor: orNull(TEXT) },
})

export const STATISTICS = object({
  ...{ asked: ASKED, traces: COUNT },
  methods: list(
    object({
      ...{ ...PLACE, calls: COUNT, perSecond: COUNT, failed: COUNT, origins: COUNT },
      ...{ total: TIMES, self: TIMES, criticalShare: SHARE, inFlight: orNull(COUNT) },
    }),
  ),
})

export const BREAKDOWN = object({
  asked: ASKED,
  requests: list(
    object({
      ...{ type: TEXT, ...PLACE, requests: COUNT, failed: COUNT, total: TIMES },
      parts: list(object({ service: TEXT, layer: TEXT, share: SHARE, times: TIMES })),
    }),
  ),
})

export const MAP = object({
  asked: ASKED,
  services: list(
    object({
      ...{ service: TEXT, calls: COUNT, perSecond: COUNT, failed: COUNT, origins: COUNT },
      ...{ criticalShare: SHARE, inFlight: orNull(COUNT) },
      ...{ total: TIMES, methods: list(TEXT) },
    }),
  ),
  links: list(
    object({
      ...{ from: TEXT, to: TEXT, edge: TEXT, calls: COUNT, failed: COUNT, total: TIMES },
      methods: list(object({ from: TEXT, to: TEXT, calls: COUNT })),
    }),
  ),
})

export const TIMELINE = object({
  ...{ asked: ASKED, bucketMs: COUNT },
  buckets: list(object({ fromMs: NUMBER, requests: COUNT, failed: COUNT, total: TIMES })),
})

export const NAMES = object({ asked: ASKED, names: list(TEXT) })

export const REMOVED = object({ removed: COUNT })
