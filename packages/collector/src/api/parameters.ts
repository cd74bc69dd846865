import { EVERYTHING, type Filter, FilterError, parseFilter } from '../filter/index.ts'
import { ApiError } from '../http/api-error.ts'
import type { Asked, Parameter } from '../http/route.ts'
import type { Period, Question } from '../store/trace-store.ts'

/** Where no period is told, the last hour. */
const USUAL_MS = 3_600_000

export const FILTER: Parameter = {
  name: 'filter',
  in: 'query',
  description:
    'Which traces, in the language of docs/filters.md: `service:orders duration:>200ms -host:w7`. None: all.',
  schema: { type: 'string', maxLength: 8_192 },
}

export const moment = (name: string, description: string): Parameter => ({
  ...{ name, in: 'query', description },
  schema: { type: 'string', maxLength: 40 },
})

/** What every question takes. */
export const QUESTION: readonly Parameter[] = [
  FILTER,
  moment(
    'from',
    'Traces that began since: ISO time, milliseconds since 1970, or how long ago (15m, 2h, 7d). Default 1h.',
  ),
  moment('to', 'And before: likewise, or `now`, the default.'),
]

export const limitOf = (most: number, usual: number): Parameter => ({
  ...{ name: 'limit', in: 'query', description: `How many at most. Default ${usual}.` },
  schema: { type: 'integer', minimum: 1, maximum: most },
})

/** What a request asks about. @throws ApiError 400 */
export function questionIn({ query, subject }: Asked, now: number): Question {
  return {
    tenant: subject.tenant,
    period: periodIn(query, now),
    filter: filterIn(query, 'filter'),
  }
}

/** @throws ApiError 400 `bad_filter`, with the place */
export function filterIn(query: URLSearchParams, name: string): Filter {
  const text = query.get(name)
  if (text === null) return EVERYTHING
  try {
    return parseFilter(text)
  } catch (error) {
    if (!(error instanceof FilterError)) throw error
    const { message, position, advice } = error
    throw new ApiError(400, 'bad_filter', `${name}: ${message} (at ${position})`, {
      advice,
      position,
    })
  }
}

/** @throws ApiError 400 `bad_time` */
export function periodIn(query: URLSearchParams, now: number): Period {
  const toMs = momentIn(query, 'to', now) ?? now + 1
  const fromMs = momentIn(query, 'from', now) ?? toMs - USUAL_MS
  if (fromMs < toMs) return { fromMs, toMs }
  throw new ApiError(400, 'bad_time', 'the period ends before it begins', {
    advice: 'from is the earlier one',
  })
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])
/** The year 2200: what is later is a slip. */
const LATEST_MS = 7_258_118_400_000

function momentIn(query: URLSearchParams, name: string, now: number): number | undefined {
  const text = query.get(name)?.trim()
  if (text === undefined || text === '') return undefined
  if (text === 'now') return now + 1
  const [, digits, unit] = /^(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|d)$/u.exec(text) ?? []
  if (digits !== undefined) return Math.max(0, now - Number(digits) * UNITS.get(unit!)!)
  const ms = /^\d{9,15}(?:\.\d+)?$/u.test(text) ? Number(text) : isoIn(text)
  if (ms >= 0 && ms < LATEST_MS) return ms
  throw new ApiError(400, 'bad_time', `${name} is no time`, {
    advice: 'write 2026-01-31T12:00:00Z, milliseconds since 1970, or how long ago: 15m, 2h, 7d',
  })
}

const isoIn = (text: string) =>
  /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?)?$/u.test(text)
    ? Date.parse(text)
    : Number.NaN

/** A whole number. @throws ApiError 400 `bad_parameter` */
export function wholeIn(
  query: URLSearchParams,
  name: string,
  {
    least = 1,
    most,
    usual,
  }: { readonly least?: number; readonly most: number; readonly usual: number },
): number {
  const text = query.get(name)
  if (text === null) return usual
  const value = /^\d{1,15}$/u.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw new ApiError(400, 'bad_parameter', `${name} is a whole number from ${least} to ${most}`)
}

/** One of a few words. @throws ApiError 400 `bad_parameter` */
export function wordIn<const Word extends string>(
  query: URLSearchParams,
  name: string,
  words: readonly [Word, ...Word[]],
): Word {
  const text = query.get(name)
  if (text === null) return words[0]
  const found = words.find((word) => word === text)
  if (found !== undefined) return found
  throw new ApiError(400, 'bad_parameter', `${name} is one of ${words.join(', ')}`)
}
