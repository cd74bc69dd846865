import { spanIdOf, traceIdOf } from './ids.ts'
import type { Choice, JsonVisitor } from './json-walker.ts'
import { outcomeOf } from './outcome.ts'
import { withOwn } from './own-facts.ts'
import type { Reading } from './reading.ts'
import { newPlace, type Place, type Side } from './side.ts'
import { factsOf, kindOf } from './tag-facts.ts'
import { fieldsOf, listOf, numberTag, TagList, type Tags, textTag } from './tags.ts'
import { microsToMs, numberOf } from './times.ts'

/** Places remembered, so that those of a million records are not a million. */
const MOST_PLACES = 10_000

/** Zipkin's JSON, version 2: a list of records, a list of such lists, or one record a line. */
export class ZipkinVisitor implements JsonVisitor {
  readonly records = 'spans'
  readonly firstKey = 'traceId'
  readonly #reading: Reading
  readonly #places = new Map<string, Place>()

  constructor(reading: Reading) {
    this.#reading = reading
  }

  choose(_role: string, _key: string, what: 'object' | 'list' | 'plain'): Choice {
    return what === 'list' ? { role: 'spans' } : what === 'object' ? 'take' : 'skip'
  }

  taken(_role: string, _key: string, value: unknown, where: string): void {
    const span = fieldsOf(value) ?? {}
    const trace = traceIdOf(span.traceId)
    const id = spanIdOf(span.id)
    const moments = momentsOf(span)
    if (trace === undefined || id === undefined) {
      const lacks = trace === undefined ? 'traceId' : 'id'
      this.#reading.problems.add('unreadable', `${where}: a span without ${lacks}`)
    } else if (moments.startMs === undefined && moments.endMs === undefined) {
      this.#reading.problems.add('unreadable', `${where}: a span without a time`, id)
    } else {
      this.#reading.traces.add(trace, this.#side(span, id, moments))
    }
  }

  #side(span: Span, id: string, { startMs, endMs }: Moments): Side {
    const { texts } = this.#reading
    const list = new TagList(texts)
    for (const [key, value] of Object.entries(fieldsOf(span.tags) ?? {})) list.put(key, value)
    const { tags } = list
    const facts = factsOf(tags, texts)
    const kind = kindOf(span.kind)
    const parent = spanIdOf(span.parentId) ?? null
    const remote = fieldsOf(span.remoteEndpoint)?.serviceName
    const noted = { verdict: undefined, exception: false, exceptionClass: undefined }
    const error = tags.get('error')
    const side: Side = {
      ...{ id, parentId: parent === id ? null : parent, follows: false, kind },
      shared: span.shared === true,
      place: this.#placeOf(span.localEndpoint, tags),
      name: texts.of(typeof span.name === 'string' ? span.name : ''),
      ...{ startMs, endMs },
      outcome: outcomeOf({
        kind,
        tags,
        ...noted,
        message: error === undefined ? error : `${error}`,
      }),
      attempt: facts.attempt,
      peer:
        facts.peer ?? (typeof remote === 'string' && remote !== '' ? texts.of(remote) : undefined),
      down: facts.down,
      attributes: attributesOf(list),
      ...{ foreign: undefined, own: undefined },
    }
    return withOwn(side, tags)
  }

  #placeOf(value: unknown, tags: Tags): Place {
    const { texts } = this.#reading
    const { serviceName, ipv4, ipv6 } = fieldsOf(value) ?? {}
    const service = typeof serviceName === 'string' ? serviceName : ''
    const address = typeof ipv4 === 'string' ? ipv4 : typeof ipv6 === 'string' ? ipv6 : ''
    // Endpoints have no more; OpenTelemetry's exporter and Clew's say the rest in tags.
    const host = textTag(tags, ['host.name']) ?? address
    const pid = numberTag(tags, ['process.pid'])
    const version = textTag(tags, ['service.version'])
    const key = `${service}\n${host}\n${pid}\n${version}`
    const known = this.#places.get(key)
    if (known !== undefined) return known
    const place = newPlace()
    if (service !== '') place.service = texts.of(service)
    place.host = texts.of(host)
    if (pid !== undefined && Number.isSafeInteger(pid) && pid >= 0) place.pid = pid
    if (version !== undefined) place.version = texts.of(version)
    if (this.#places.size < MOST_PLACES) this.#places.set(key, place)
    return place
  }
}

/** What its tags say of the place that a record is from, which is not said of the record again. */
const PLACE = ['host.name', 'process.pid', 'service.version']

function attributesOf(list: TagList) {
  for (const key of PLACE) list.tags.delete(key)
  return list.attributes()
}

type Span = Readonly<Record<string, unknown>>

interface Moments {
  readonly startMs: number | undefined
  readonly endMs: number | undefined
}

/** Old libraries say when something was only by notes: `cs` is a client's beginning, `ss` a server's end. */
function momentsOf(span: Span): Moments {
  const start = numberOf(span.timestamp)
  const duration = numberOf(span.duration)
  if (start !== undefined && start > 0) {
    const end = duration === undefined ? undefined : microsToMs(start + duration)
    return { startMs: microsToMs(start), endMs: end }
  }
  const [first, last] = spanIs(span, 'SERVER', 'CONSUMER') ? ['sr', 'ss'] : ['cs', 'cr']
  const noted = (name: string | undefined) => {
    const note = listOf(span.annotations).find((one) => fieldsOf(one)?.value === name)
    return microsToMs(fieldsOf(note)?.timestamp)
  }
  return { startMs: noted(first), endMs: noted(last) }
}

const spanIs = ({ kind }: Span, ...kinds: readonly string[]) => kinds.includes(String(kind))

/** The right half, which is all that services see that know short ids only. */
export const zipkinKey = (trace: string): string =>
  /^[0-9a-f]{32}$/.test(trace) ? trace.slice(16) : trace
