import type { ForeignContext } from '../trace/index.ts'
import { spanIdOf, traceIdOf } from './ids.ts'
import type { Choice, JsonVisitor } from './json-walker.ts'
import { outcomeOf, saysError } from './outcome.ts'
import { withOwn } from './own-facts.ts'
import { readPlace } from './place-tags.ts'
import type { Reading } from './reading.ts'
import { newPlace, type Place, type Side } from './side.ts'
import { factsOf } from './tag-facts.ts'
import { fieldsOf, listOf, TagList } from './tags.ts'
import { microsToMs, numberOf } from './times.ts'

/** Processes of one trace that are waited for. */
const MOST_PROCESSES = 1_000_000

/**
 * Jaeger's JSON, as its API and its page write it: `{ data: [trace, …] }`, one trace, a list of them,
 * or one of these a line. Processes are looked up by trace, and usually stand behind the records.
 */
export class JaegerVisitor implements JsonVisitor {
  readonly records = 'spans'
  readonly firstKey = 'traceID'
  readonly #reading: Reading
  #processes = new Map<string, Place>()
  #known = new Set<string>()
  #trace: string | undefined
  /** Of the documents that are being read, outermost first. */
  readonly #open: Document[] = []

  constructor(reading: Reading) {
    this.#reading = reading
  }

  choose(role: string, key: string, what: 'object' | 'list' | 'plain'): Choice {
    // A list of traces, or of lists of them.
    if (role === 'documents') return what === 'plain' ? 'skip' : { role: roleOf(what) }
    if (role === 'processes' || role === 'spans') return what === 'object' ? 'take' : 'skip'
    const choice = chooseInDocument(key, what)
    const document = this.#open.at(-1)
    if (document === undefined || what === 'plain') return choice
    if (choice !== 'skip') document.hasRecords ||= key !== 'processes'
    else if (document.unknown.length < 3) document.unknown.push(key)
    return choice
  }

  entered(role: string): void {
    if (role !== 'trace') return
    this.#open.push({ hasRecords: false, unknown: [] })
    this.#processes = new Map()
    this.#known = new Set()
    this.#trace = undefined
  }

  left(role: string): void {
    if (role !== 'trace') return
    const document = this.#open.pop()
    // A name that was damaged must not hide what is below it; what stands beside records may be anything.
    for (const key of document?.hasRecords ? [] : (document?.unknown ?? [])) {
      const message = `nothing is known of ${JSON.stringify(key.slice(0, 40))}: passed over`
      this.#reading.problems.add('unreadable', message)
    }
    const unknown = [...this.#processes.keys()].filter((id) => !this.#known.has(id))
    if (unknown.length > 0) {
      const shown = unknown.slice(0, 3).map((id) => JSON.stringify(id.slice(0, 40)))
      const are = unknown.length === 1 ? 'process is' : 'processes are'
      const message = `${unknown.length} ${are} not described: ${shown.join(', ')}`
      this.#reading.problems.add('unreadable', message)
    }
    this.#processes = new Map()
    this.#known = new Set()
  }

  taken(role: string, key: string, value: unknown, where: string): void {
    if (role === 'spans') this.#span(value, where)
    else if (role === 'processes') {
      readProcess(value, this.#placeOf(key), this.#reading)
      this.#known.add(key)
    } else if (key === 'traceID') this.#trace = traceIdOf(value)
    else if (key === 'errors' && listOf(value).length > 0) {
      const message = `Jaeger answered: ${JSON.stringify(value).slice(0, 200)}`
      this.#reading.problems.add('unreadable', message)
    }
  }

  #placeOf(id: string): Place {
    let place = this.#processes.get(id)
    if (place === undefined) {
      place = newPlace()
      if (this.#processes.size < MOST_PROCESSES) this.#processes.set(id, place)
    }
    return place
  }

  #span(value: unknown, where: string): void {
    const span = fieldsOf(value) ?? {}
    const trace = traceIdOf(span.traceID) ?? this.#trace
    const id = spanIdOf(span.spanID)
    const startMs = microsToMs(span.startTime)
    if (trace === undefined || id === undefined || startMs === undefined) {
      const lacks = trace === undefined ? 'traceID' : id === undefined ? 'spanID' : 'startTime'
      this.#reading.problems.add('unreadable', `${where}: a span without ${lacks}`)
      return
    }
    this.#reading.traces.add(trace, this.#side(span, trace, id, startMs))
  }

  #side(span: Span, trace: string, id: string, startMs: number): Side {
    const { texts } = this.#reading
    const list = new TagList(texts)
    for (const tag of listOf(span.tags)) {
      const { key, value } = fieldsOf(tag) ?? {}
      list.put(key, value)
    }
    const { tags } = list
    const facts = factsOf(tags, texts)
    const { parentId, follows, foreign } = parentOf(span, trace, id)
    const own = fieldsOf(span.process)
    const place = own === undefined ? this.#placeOf(String(span.processID)) : newPlace()
    if (own !== undefined) readProcess(own, place, this.#reading)
    const duration = numberOf(span.duration)
    const side: Side = {
      ...{ id, parentId, follows, kind: facts.kind, shared: false, place },
      name: texts.of(typeof span.operationName === 'string' ? span.operationName : ''),
      startMs,
      endMs: duration === undefined ? undefined : endOf(span.startTime, duration),
      outcome: outcomeOf({ kind: facts.kind, tags, ...exceptionOf(span), ...verdictOf(tags) }),
      ...{ attempt: facts.attempt, peer: facts.peer, down: facts.down },
      attributes: list.attributes(),
      ...{ foreign, own: undefined },
    }
    return withOwn(side, tags)
  }
}

type Span = Readonly<Record<string, unknown>>

interface Document {
  /** Records, or documents that may have some. */
  hasRecords: boolean
  readonly unknown: string[]
}

const roleOf = (what: 'object' | 'list' | 'plain') => (what === 'list' ? 'documents' : 'trace')

function chooseInDocument(key: string, what: 'object' | 'list' | 'plain'): Choice {
  if (key === '' && what !== 'plain') return { role: roleOf(what) }
  if (key === 'data' && what === 'list') return { role: 'documents' }
  // Streams of Jaeger's API wrap what they send.
  if ((key === 'result' || key === 'data') && what === 'object') return { role: 'trace' }
  if (key === 'spans' && what === 'list') return { role: 'spans' }
  if (key === 'processes' && what === 'object') return { role: 'processes' }
  return key === 'traceID' || key === 'errors' ? 'take' : 'skip'
}

/** Microseconds are added as such, because sums of their thousandths are not exact. */
const endOf = (start: unknown, duration: number) => microsToMs((numberOf(start) ?? 0) + duration)

function readProcess(value: unknown, place: Place, { texts }: Reading): void {
  const process = fieldsOf(value) ?? {}
  const list = new TagList(texts)
  if (typeof process.serviceName === 'string') list.put('service.name', process.serviceName)
  for (const tag of listOf(process.tags)) {
    const { key, value: told } = fieldsOf(tag) ?? {}
    if (key !== 'service.name') list.put(key, told)
  }
  readPlace(list.tags, place)
}

interface Parent {
  readonly parentId: string | null
  readonly follows: boolean
  readonly foreign: ForeignContext | undefined
}

/** The first that waits for it, else the first that it follows from; else one of another trace. */
function parentOf(span: Span, trace: string, own: string): Parent {
  let followed: string | undefined
  let foreign: ForeignContext | undefined
  for (const reference of listOf(span.references)) {
    const { refType, traceID, spanID } = fieldsOf(reference) ?? {}
    const id = spanIdOf(spanID)
    if (id === undefined || id === own) continue
    const other = traceIdOf(traceID) ?? trace
    if (other !== trace) foreign ??= { trace: other, parent: id }
    else if (refType === 'FOLLOWS_FROM') followed ??= id
    else return { parentId: id, follows: false, foreign: undefined }
  }
  if (followed !== undefined) return { parentId: followed, follows: true, foreign: undefined }
  const old = spanIdOf(span.parentSpanID)
  return { parentId: old === own ? null : (old ?? null), follows: false, foreign }
}

const EXCEPTION_CLASS = ['exception.type', 'error.kind', 'error.class']

/**
 * An exception in the log of a record; OpenTracing's conventions are `event=error` and `error.object`.
 * Its `error` says so too, unless a level beside it shows that a logger's line was copied: what was
 * logged, and tried again, need not have failed.
 */
function exceptionOf(span: Span) {
  for (const log of listOf(span.logs)) {
    const fields = new Map<unknown, unknown>()
    for (const field of listOf(fieldsOf(log)?.fields)) {
      const { key, value } = fieldsOf(field) ?? {}
      if (!fields.has(key)) fields.set(key, value)
    }
    if (String(fields.get('exception.escaped')).toLowerCase() === 'false') {
      return { exception: false, exceptionClass: undefined }
    }
    const named = EXCEPTION_CLASS.map((key) => fields.get(key)).find(isText)
    if (named !== undefined || isException(fields)) {
      return { exception: true, exceptionClass: named }
    }
  }
  return { exception: false, exceptionClass: undefined }
}

const isText = (value: unknown) => typeof value === 'string'

function isException(fields: ReadonlyMap<unknown, unknown>): boolean {
  const event = String(fields.get('event')).toLowerCase()
  if (event === 'error' || event === 'exception' || fields.has('error.object')) return true
  const error = fields.get('error')
  return typeof error === 'string' && saysError(error) && !fields.has('level')
}

function verdictOf(tags: TagList['tags']) {
  const code = String(tags.get('otel.status_code') ?? '').toUpperCase()
  const verdict =
    code === 'ERROR' ? ('error' as const) : code === 'OK' ? ('ok' as const) : undefined
  const message = tags.get('otel.status_description')
  const isJudged = tags.get('error') === false || isOfOpenTelemetry(tags)
  return { verdict, message: isText(message) ? message : undefined, refusalFails: !isJudged }
}

/** What OpenTelemetry recorded says of a refusal itself whether it is a failure; OpenTracing left that to readers. */
function isOfOpenTelemetry(tags: TagList['tags']): boolean {
  if (tags.get('internal.span.format') === 'otlp') return true
  for (const key of tags.keys()) if (key.startsWith('otel.')) return true
  return false
}
