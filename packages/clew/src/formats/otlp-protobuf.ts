import { hexOf } from './ids.ts'
import { OTLP_KINDS, type OtlpSpan, takeOtlp } from './otlp.ts'
import { readPlace } from './place-tags.ts'
import { Fields } from './protobuf.ts'
import type { MessageVisitor } from './protobuf-walker.ts'
import type { Reading } from './reading.ts'
import { newPlace, type Place } from './side.ts'
import { TagList } from './tags.ts'
import { halvesToMs } from './times.ts'

/** Deepest nesting of an attribute's value. */
const MAX_DEPTH = 16

/** OTLP as protobuf, by the field numbers of `opentelemetry/proto/trace/v1/trace.proto`. */
export class OtlpProtobufVisitor implements MessageVisitor {
  readonly #reading: Reading
  #place = newPlace()

  constructor(reading: Reading) {
    this.#reading = reading
  }

  choose(role: string, field: number): 'take' | 'skip' | { readonly role: string } {
    if (role === 'document' && field === 1) return { role: 'resource' }
    if (role === 'resource' && field === 1) return 'take'
    // 1000 is where the first versions had what 2 has now.
    if (role === 'resource' && (field === 2 || field === 1_000)) return { role: 'scope' }
    return role === 'scope' && field === 2 ? 'take' : 'skip'
  }

  entered(role: string): void {
    if (role === 'resource') this.#place = newPlace()
  }

  taken(role: string, bytes: Uint8Array, where: string): void {
    if (role === 'scope') takeOtlp(spanOf(bytes, this.#reading), this.#place, this.#reading, where)
    else readResource(bytes, this.#place, this.#reading)
  }
}

function readResource(bytes: Uint8Array, place: Place, { texts }: Reading): void {
  const list = new TagList(texts)
  const fields = new Fields(bytes)
  while (fields.next()) if (fields.number === 1) putAttribute(fields.bytes(), list)
  readPlace(list.tags, place)
}

function spanOf(bytes: Uint8Array, { texts }: Reading): OtlpSpan {
  const list = new TagList(texts)
  const links: { traceId: string; spanId: string }[] = []
  const span = {
    ...{ traceId: '', spanId: '', parentSpanId: '', name: '', kind: OTLP_KINDS[0] },
    ...{ startMs: undefined as number | undefined, endMs: undefined as number | undefined },
    ...{ verdict: undefined as OtlpSpan['verdict'], message: undefined as string | undefined },
    ...{ exception: false, exceptionClass: undefined as string | undefined },
  }
  const fields = new Fields(bytes)
  while (fields.next()) {
    switch (fields.number) {
      case 1:
        span.traceId = hexOf(fields.bytes())
        break
      case 2:
        span.spanId = hexOf(fields.bytes())
        break
      case 4:
        span.parentSpanId = hexOf(fields.bytes())
        break
      case 5:
        span.name = fields.text()
        break
      case 6:
        span.kind = OTLP_KINDS[fields.int32()]
        break
      case 7:
        span.startMs = halvesToMs(...fields.halves())
        break
      case 8:
        span.endMs = halvesToMs(...fields.halves())
        break
      case 9:
        putAttribute(fields.bytes(), list)
        break
      case 11:
        readEvent(fields.bytes(), span, texts)
        break
      case 13:
        links.push(linkOf(fields.bytes()))
        break
      case 15:
        readStatus(fields.bytes(), span)
        break
    }
  }
  return { ...span, list, links }
}

interface Ending {
  verdict: OtlpSpan['verdict']
  message: string | undefined
  exception: boolean
  exceptionClass: string | undefined
}

function readEvent(bytes: Uint8Array, span: Ending, texts: Reading['texts']): void {
  const list = new TagList(texts)
  let name = ''
  const fields = new Fields(bytes)
  while (fields.next()) {
    if (fields.number === 2) name = fields.text()
    else if (fields.number === 3) putAttribute(fields.bytes(), list)
  }
  const named = list.tags.get('exception.type')
  if (name !== 'exception' && named === undefined) return
  // One that was caught inside is no failure of this.
  if (/^false$/i.test(String(list.tags.get('exception.escaped')))) return
  span.exception = true
  span.exceptionClass ??= named === undefined ? undefined : String(named)
}

function readStatus(bytes: Uint8Array, span: Ending): void {
  const fields = new Fields(bytes)
  while (fields.next()) {
    if (fields.number === 2) span.message = fields.text()
    else if (fields.number === 3) {
      const code = fields.int32()
      span.verdict = code === 2 ? 'error' : code === 1 ? 'ok' : undefined
    }
  }
}

function linkOf(bytes: Uint8Array): { traceId: string; spanId: string } {
  const link = { traceId: '', spanId: '' }
  const fields = new Fields(bytes)
  while (fields.next()) {
    if (fields.number === 1) link.traceId = hexOf(fields.bytes())
    else if (fields.number === 2) link.spanId = hexOf(fields.bytes())
  }
  return link
}

function putAttribute(bytes: Uint8Array, list: TagList): void {
  const [key, value] = pairOf(bytes, 0)
  list.put(key, value)
}

function pairOf(bytes: Uint8Array, depth: number): readonly [string, unknown] {
  let key = ''
  let value: unknown
  const fields = new Fields(bytes)
  while (fields.next()) {
    if (fields.number === 1) key = fields.text()
    else if (fields.number === 2) value = attributeOf(fields.bytes(), depth)
  }
  return [key, value]
}

function attributeOf(bytes: Uint8Array, depth: number): unknown {
  if (depth > MAX_DEPTH) return '…'
  const fields = new Fields(bytes)
  let value: unknown
  while (fields.next()) {
    switch (fields.number) {
      case 1:
        value = fields.text()
        break
      case 2:
        value = fields.bool()
        break
      case 3:
        value = fields.int64()
        break
      case 4:
        value = fields.double()
        break
      case 5:
        value = listIn(fields.bytes(), (one) => attributeOf(one, depth + 1))
        break
      case 6:
        value = Object.fromEntries(listIn(fields.bytes(), (one) => pairOf(one, depth + 1)))
        break
      case 7:
        value = hexOf(fields.bytes())
        break
    }
  }
  return value
}

function listIn<T>(bytes: Uint8Array, read: (bytes: Uint8Array) => T): T[] {
  const list: T[] = []
  const fields = new Fields(bytes)
  while (fields.next()) if (fields.number === 1) list.push(read(fields.bytes()))
  return list
}
