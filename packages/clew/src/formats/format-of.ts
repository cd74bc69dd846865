import type { FormatName } from './format-reader.ts'
import { beginsProtobuf } from './protobuf-walker.ts'
import { textOf } from './utf8.ts'

/** Bytes that are looked at: what comes later decides nothing. */
const MOST_BYTES = 65_536

/** Keys that only one format has, by what documents and records of it begin with. */
const SIGNS: Readonly<Record<string, FormatName>> = {
  ...namesOf('otlp', 'resourceSpans', 'resource_spans', 'scopeSpans', 'scope_spans'),
  ...namesOf('otlp', 'instrumentationLibrarySpans', 'instrumentation_library_spans'),
  ...namesOf('jaeger', 'traceID', 'spanID', 'processID', 'operationName', 'processes'),
  ...namesOf('zipkin', 'traceId', 'localEndpoint', 'remoteEndpoint', 'parentId'),
  ...namesOf('clew', 'rpc-request', 'rpc-receive', 'rpc-recv', 'rpc-start', 'rpc-respond'),
  ...namesOf('clew', 'rpc-finish', 'fold', 'missing', 'relay', 'pause', 'partial', 'source'),
}

/** Keys that fit several, in case nothing tells more. */
const WEAK: Readonly<Record<string, FormatName>> = {
  ...namesOf('jaeger', 'data'),
  ...namesOf('clew', 'host', 'trace', 'service', 'method'),
}

function namesOf(format: FormatName, ...keys: readonly string[]): Record<string, FormatName> {
  return Object.fromEntries(keys.map((key) => [key, format]))
}

/**
 * Tells a document's format by its beginning, the first 64 KiB of which are looked at: fewer will do
 * unless much stands before the first trace. White space, a byte order mark and damaged text before
 * it do not matter, nor does the order of keys.
 * @returns undefined where nothing is known that it could be
 */
export function formatOf(head: Uint8Array): FormatName | undefined {
  const bytes = head.subarray(0, MOST_BYTES)
  if (!isPlainText(bytes) && beginsProtobuf(bytes)) return 'otlp-protobuf'
  let found: FormatName | undefined
  let least = Number.POSITIVE_INFINITY
  let weak: FormatName | undefined
  for (const { key, depth } of keysIn(textOf(bytes))) {
    const format = Object.hasOwn(SIGNS, key) ? SIGNS[key] : undefined
    // What stands further out counts more: tags may have any names.
    if (format !== undefined && depth < least) {
      found = format
      least = depth
    } else if (Object.hasOwn(WEAK, key)) {
      weak ??= WEAK[key]
    }
  }
  return found ?? weak
}

/** No control characters, which no message is without: tags and lengths are among them. */
const isPlainText = (bytes: Uint8Array) =>
  bytes.subarray(0, 256).every((byte) => byte >= 32 || byte === 9 || byte === 10 || byte === 13)

/** Keys of objects with their depth; text that is no JSON is passed over as well as it can be. */
function* keysIn(text: string): Generator<{ readonly key: string; readonly depth: number }> {
  let depth = 0
  const token = /"((?:[^"\\\n]|\\.)*)"(\s*:)?|[{}[\]]/g
  for (const [whole, key, colon] of text.matchAll(token)) {
    if (whole === '{' || whole === '[') depth++
    else if (whole === '}' || whole === ']') depth = Math.max(0, depth - 1)
    else if (colon !== undefined && depth > 0) yield { key: key ?? '', depth }
  }
}
