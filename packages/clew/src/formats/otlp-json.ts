import { fromBase64 } from './ids.ts'
import type { Choice, JsonVisitor } from './json-walker.ts'
import { OTLP_KINDS, type OtlpSpan, takeOtlp } from './otlp.ts'
import { readPlace } from './place-tags.ts'
import type { Reading } from './reading.ts'
import { newPlace, type Place, type SideKind } from './side.ts'
import { kindOf } from './tag-facts.ts'
import { fieldsOf, listOf, TagList } from './tags.ts'
import { nanosToMs, numberOf } from './times.ts'

/** What stands beside spans and says nothing of them. */
const BESIDE = new Set(['scope', 'instrumentationlibrary', 'resourcelogs', 'resourcemetrics'])

/**
 * OTLP in JSON: `TracesData` or a request to export, one document or one a line, as the collector's
 * file exporter writes them; in the names of its own mapping, of protobuf's, and of its first versions.
 */
export class OtlpJsonVisitor implements JsonVisitor {
  readonly records = 'spans'
  readonly firstKey = 'traceId'
  readonly exact = true
  readonly #reading: Reading
  #place = newPlace()

  constructor(reading: Reading) {
    this.#reading = reading
  }

  choose(role: string, key: string, what: 'object' | 'list' | 'plain'): Choice {
    if (what === 'plain') return 'skip'
    if (role === 'spans') return what === 'object' ? 'take' : 'skip'
    // A list of documents; their streams are wrapped in `result`.
    if (role === 'document' && (key === '' || key === 'result')) return { role: 'document' }
    if (role === 'resources') return { role: 'resource' }
    if (role === 'scopes') return { role: 'scope' }
    const name = key.replaceAll('_', '').toLowerCase()
    if (what === 'list') {
      if (name === 'resourcespans') return { role: 'resources' }
      if (name === 'scopespans' || name === 'instrumentationlibraryspans') return { role: 'scopes' }
      if (name === 'spans') return { role: 'spans' }
    } else if (role === 'resource' && name === 'resource') {
      return 'take'
    }
    // A name that was damaged, or that nobody here knows, must not hide what is below it.
    if (!BESIDE.has(name)) {
      const message = `nothing is known of ${JSON.stringify(key.slice(0, 40))}: passed over`
      this.#reading.problems.add('unreadable', message)
    }
    return 'skip'
  }

  entered(role: string): void {
    if (role === 'resource') this.#place = newPlace()
  }

  left(role: string): void {
    // What comes after damage is of nobody known.
    if (role === 'resource') this.#place = newPlace()
  }

  taken(role: string, _key: string, value: unknown, where: string): void {
    if (role === 'spans') takeOtlp(spanOf(value, this.#reading), this.#place, this.#reading, where)
    else readResource(value, this.#place, this.#reading)
  }
}

function readResource(value: unknown, place: Place, { texts }: Reading): void {
  const list = new TagList(texts)
  putAttributes(fieldsOf(value)?.attributes, list)
  readPlace(list.tags, place)
}

function spanOf(value: unknown, { texts }: Reading): OtlpSpan {
  const span = fieldsOf(value) ?? {}
  const list = new TagList(texts)
  putAttributes(span.attributes, list)
  const status = fieldsOf(span.status) ?? {}
  const links = listOf(span.links).map((link) => {
    const { traceId, trace_id, spanId, span_id } = fieldsOf(link) ?? {}
    return { traceId: fromBase64(traceId ?? trace_id), spanId: fromBase64(spanId ?? span_id) }
  })
  return {
    traceId: fromBase64(span.traceId ?? span.trace_id),
    spanId: fromBase64(span.spanId ?? span.span_id),
    parentSpanId: fromBase64(span.parentSpanId ?? span.parent_span_id),
    name: typeof span.name === 'string' ? span.name : '',
    kind: spanKind(span.kind),
    startMs: nanosToMs(span.startTimeUnixNano ?? span.start_time_unix_nano),
    endMs: nanosToMs(span.endTimeUnixNano ?? span.end_time_unix_nano),
    ...{ list, links },
    verdict: verdictOf(status.code),
    message: typeof status.message === 'string' ? status.message : undefined,
    ...exceptionOf(span.events, texts),
  }
}

function spanKind(value: unknown): SideKind | undefined {
  const number = numberOf(value)
  return number === undefined ? kindOf(value) : OTLP_KINDS[number]
}

function verdictOf(code: unknown): 'ok' | 'error' | undefined {
  const name = String(code ?? '').replace('STATUS_CODE_', '')
  return name === '2' || name === 'ERROR'
    ? 'error'
    : name === '1' || name === 'OK'
      ? 'ok'
      : undefined
}

function exceptionOf(events: unknown, texts: Reading['texts']) {
  let exceptionClass: string | undefined
  let exception = false
  for (const event of listOf(events)) {
    const { name, attributes } = fieldsOf(event) ?? {}
    const list = new TagList(texts)
    putAttributes(attributes, list)
    const named = list.tags.get('exception.type')
    if (name !== 'exception' && named === undefined) continue
    // One that was caught inside is no failure of this.
    if (/^false$/i.test(String(list.tags.get('exception.escaped')))) continue
    exception = true
    exceptionClass ??= named === undefined ? undefined : String(named)
  }
  return { exception, exceptionClass }
}

function putAttributes(attributes: unknown, list: TagList): void {
  for (const attribute of listOf(attributes)) {
    const { key, value } = fieldsOf(attribute) ?? {}
    list.put(key, plainOf(value))
  }
}

/** A value of OTLP as JSON has it. The depth of what comes here is bounded by the walker's. */
function plainOf(value: unknown): unknown {
  const any = fieldsOf(value)
  if (any === undefined) return undefined
  if ('stringValue' in any) return any.stringValue
  if ('boolValue' in any) return any.boolValue
  if ('intValue' in any) return intOf(any.intValue)
  if ('doubleValue' in any) return numberOf(any.doubleValue) ?? any.doubleValue
  if ('bytesValue' in any) return any.bytesValue
  if ('arrayValue' in any) return listOf(fieldsOf(any.arrayValue)?.values).map(plainOf)
  if ('kvlistValue' in any) {
    const pairs = listOf(fieldsOf(any.kvlistValue)?.values).map((pair) => {
      const { key, value: told } = fieldsOf(pair) ?? {}
      return [String(key), plainOf(told)] as const
    })
    return Object.fromEntries(pairs)
  }
  return snakeOf(any)
}

/** Protobuf's own names. */
function snakeOf(any: Readonly<Record<string, unknown>>): unknown {
  if ('string_value' in any) return any.string_value
  if ('bool_value' in any) return any.bool_value
  if ('int_value' in any) return intOf(any.int_value)
  return 'double_value' in any ? numberOf(any.double_value) : undefined
}

/** As a number where that is exact, else as text. */
function intOf(value: unknown): unknown {
  const number = numberOf(value)
  return number !== undefined && Number.isSafeInteger(number) ? number : value
}
