import { readBatch } from 'clew/trace/blocks'

/** How much is in a body, and what its sender wants to hear. */
export interface Counted {
  readonly count: number
  readonly answer: string
}

/**
 * Counts spans of OpenTelemetry's (OTLP as protobuf) and Zipkin's (JSON), and traces of Clew's, with as
 * little work as that takes: whoever sends them is being measured on the same machine.
 * @throws Error for a route or a body that none of them sends
 */
export function countIn(route: string, body: Buffer): Counted {
  switch (route) {
    case 'v1/traces':
      return { count: spansOf(body), answer: '' }
    case 'api/v2/spans':
      return { count: occurrences(body, '"traceId":'), answer: '' }
    case 'v1/batches': {
      const batch = readBatch(body)
      if (batch === undefined) throw new Error('this is no batch')
      const calls = batch.packets.length
      return { count: calls, answer: JSON.stringify({ stored: calls }) }
    }
    default:
      throw new Error(`nothing is taken at ${route}`)
  }
}

function occurrences(body: Buffer, text: string): number {
  let found = 0
  for (let at = body.indexOf(text); at >= 0; at = body.indexOf(text, at + text.length)) found++
  return found
}

/** Fields of ExportTraceServiceRequest, ResourceSpans and ScopeSpans that lead to spans. */
const PATH = [1, 2, 2]

/** Spans in an OTLP request: only the lengths on the way to them are read. */
function spansOf(message: Buffer, level = 0): number {
  let spans = 0
  let at = 0
  const varint = () => {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at++]
      if (byte === undefined) throw new Error('the message ends too early')
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
  }
  while (at < message.length) {
    const tag = varint()
    // All fields up to here are messages or texts, with their lengths before them.
    if ((tag & 7) !== 2) throw new Error('this is no request with spans')
    const length = varint()
    if (at + length > message.length) throw new Error('the message ends too early')
    if (tag >>> 3 === PATH[level]) {
      const last = level === PATH.length - 1
      spans += last ? 1 : spansOf(message.subarray(at, at + length), level + 1)
    }
    at += length
  }
  return spans
}
