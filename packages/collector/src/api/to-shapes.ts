import { Sketch, type SketchJson } from 'clew/trace'
import { formatFilter } from '../filter/index.ts'
import type { TraceRow } from '../store/summary.ts'
import type { Question } from '../store/trace-store.ts'
import type { Asking, FoundTrace, Place, Times } from './shapes.ts'

export function askingOf({ filter, period }: Question): Asking {
  return { filter: formatFilter(filter), ...period }
}

export function foundTrace(row: TraceRow): FoundTrace {
  const { traceId: id, startUs, totalUs, service, method, error, source, ...rest } = row
  const { host, status, calls, missingCalls, services, depth, complete, weight } = rest
  const bottleneck = placeOf(row.bottleneckService, row.bottleneckMethod)
  return {
    ...{ id, startMs: startUs / 1000, totalMs: totalUs === undefined ? null : totalUs / 1000 },
    ...{ type: `${service}.${method}`, service, method, host, status },
    error: error === '' ? null : error,
    ...{ calls, missingCalls, services, depth },
    failed: placeOf(row.failedService, row.failedMethod),
    bottleneck: bottleneck && { ...bottleneck, share: rounded(row.bottleneckShare) },
    ...{ complete, weight, source: source ?? null },
  }
}

const placeOf = (service: string, method: string): Place | null =>
  service === '' && method === '' ? null : { service, method }

export function timesOf(json: SketchJson): Times {
  const sketch = Sketch.from(json)
  return {
    count: rounded(sketch.count),
    meanMs: rounded(sketch.mean),
    p50Ms: rounded(sketch.quantile(0.5)),
    p95Ms: rounded(sketch.quantile(0.95)),
    p99Ms: rounded(sketch.quantile(0.99)),
    maxMs: rounded(sketch.max),
  }
}

/** Digits that mean something. */
export const rounded = (value: number) => Math.round(value * 1e6) / 1e6

/** An answer of computed numbers, without the digits that mean nothing. */
export function jsonOf(answer: object): Response {
  const body = JSON.stringify(answer, (_, value: unknown) =>
    typeof value === 'number' && !Number.isInteger(value) ? shortened(value) : value,
  )
  return new Response(body, { headers: { 'content-type': 'application/json' } })
}

/** How likely something is by chance may be very small. */
const shortened = (value: number) =>
  Math.abs(value) < 1e-3 ? Number(value.toPrecision(3)) : rounded(value)
