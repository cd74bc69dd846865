import type { FormatName } from 'clew/formats'
import type { ApiError } from '../http/api-error.ts'

const PROTOBUF = { 'content-type': 'application/x-protobuf' }
/** Fields of protobuf that are counted, and those that have a length. */
const COUNTED = 0
const SIZED = 2

/** `ExportTraceServiceResponse`, with `partial_success` where something was not taken. */
export function exportAnswer(
  format: FormatName,
  rejected: number,
  why: string | undefined,
): Response {
  const message = why ?? 'some could not be read'
  if (format === 'otlp') {
    const partialSuccess = { rejectedSpans: String(rejected), errorMessage: message }
    return Response.json(rejected > 0 ? { partialSuccess } : {})
  }
  const partial = [...counted(1, rejected), ...sized(2, message)]
  const bytes = rejected > 0 ? sized(1, Uint8Array.from(partial)) : []
  return new Response(Uint8Array.from(bytes), { headers: PROTOBUF })
}

/** `google.rpc.Status`, as the protocol wants failures to be told. */
export function failureAnswer(error: ApiError, format: FormatName): Response {
  const { status, message, retryAfterS } = error
  const headers = retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) }
  const code = status === 400 ? 3 : status === 429 || status === 503 ? 14 : 13
  if (format === 'otlp') return Response.json({ code, message }, { status, headers })
  const bytes = Uint8Array.from([...counted(1, code), ...sized(2, message)])
  return new Response(bytes, { status, headers: { ...headers, ...PROTOBUF } })
}

const counted = (field: number, value: number) => [(field << 3) | COUNTED, ...varint(value)]

function sized(field: number, value: string | Uint8Array): number[] {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value
  return [(field << 3) | SIZED, ...varint(bytes.length), ...bytes]
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80)
  bytes.push(rest)
  return bytes
}
