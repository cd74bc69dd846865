import { callTree, type Trace } from '../../trace/index.ts'
import {
  byMaker,
  endNanos,
  isError,
  KIND_NUMBERS,
  type Pair,
  resourcePairs,
  SCOPE,
  STATUS_ERROR,
  startNanos,
} from './otlp.ts'
import { ProtoWriter } from './proto-writer.ts'
import type { SideRecord } from './record.ts'
import { pieces, type TraceWriter } from './writer.ts'
import { traceId } from './written-ids.ts'

/**
 * OTLP in protobuf: one `ExportTraceServiceRequest`, or `TracesData`, which are the same on the wire.
 * Field numbers are those of opentelemetry-proto's `trace.proto`, `resource.proto` and `common.proto`.
 */
export function otlpProtobufWriter(): TraceWriter<Uint8Array> {
  return {
    *write(trace, tree = callTree(trace)) {
      const id = traceId(tree)
      for (const { maker, records } of byMaker(tree)) {
        const resource = listOf(1, resourcePairs(maker).map(attributeOf))
        yield resourceSpans(resource, records, id)
      }
    },
    *end() {},
  }
}

export const encodeOtlpProtobuf = (traces: Iterable<Trace>): Generator<Uint8Array> =>
  pieces(otlpProtobufWriter(), traces)

function resourceSpans(
  resource: Uint8Array,
  some: readonly SideRecord[],
  trace: string,
): Uint8Array {
  const scope = new ProtoWriter()
  scope.text(1, SCOPE)
  const scopeSpans = new ProtoWriter()
  scopeSpans.bytes(1, scope.take())
  for (const record of some) scopeSpans.bytes(2, spanOf(record, trace))
  const whole = new ProtoWriter()
  whole.bytes(1, resource)
  whole.bytes(2, scopeSpans.take())
  const request = new ProtoWriter()
  request.bytes(1, whole.take())
  return request.take()
}

function spanOf(record: SideRecord, trace: string): Uint8Array {
  const span = new ProtoWriter()
  span.id(1, trace)
  span.id(2, record.id)
  if (record.parentId !== null) span.id(4, record.parentId)
  span.text(5, record.name)
  if (record.kind !== undefined) span.uint(6, KIND_NUMBERS[record.kind])
  span.fixed64(7, startNanos(record))
  span.fixed64(8, endNanos(record))
  for (const tag of record.tags) span.bytes(9, attributeOf(tag))
  if (isError(record)) {
    const status = new ProtoWriter()
    status.text(2, record.status)
    status.uint(3, STATUS_ERROR)
    span.bytes(15, status.take())
  }
  return span.take()
}

function listOf(field: number, messages: readonly Uint8Array[]): Uint8Array {
  const list = new ProtoWriter()
  for (const message of messages) list.bytes(field, message)
  return list.take()
}

function attributeOf([key, value]: Pair): Uint8Array {
  const any = new ProtoWriter()
  if (typeof value === 'string') any.text(1, value)
  else if (typeof value === 'boolean') any.uint(2, value ? 1 : 0)
  else if (Number.isSafeInteger(value)) any.int64(3, value)
  else any.double(4, value)
  const pair = new ProtoWriter()
  pair.text(1, key)
  pair.bytes(2, any.take())
  return pair.take()
}
