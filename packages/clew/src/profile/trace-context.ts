import { type Call, type Headers, type HeaderTable, NewTable } from '../call/index.ts'
import { endsAsUuid, putHalf, shortId } from './call-id.ts'
import type { Home } from './home.ts'

/** W3C trace context as it arrived with a call. */
export interface TraceContext {
  /** 32 hex digits. */
  readonly traceId: string
  /** 16 hex digits: the nearest profiled ancestor. */
  readonly parentId: string
  /** `01` when the root asked for sampling; handed on, never obeyed here. */
  readonly flags: string
  /** Foreign vendors' state, handed on as it came. */
  readonly state: string | undefined
  /** True when the header came from our caller itself, not through a peer that hands on what it gets. */
  readonly unprefixed: boolean
}

/** Of version 00; what later versions add stands behind it. */
const LENGTH = 55
const LONGEST = 256
const TRACE_AT = 3
const PARENT_AT = 36
const FLAGS_AT = 53
const DASH = 0x2d
/** W3C: longer states may be dropped. */
const LONGEST_STATE = 512

/** Reads `traceparent`; through Nameko peers it arrives with their prefix. A malformed one counts as none. */
export function readTraceContext(call: Call): TraceContext | undefined {
  const own = call.headers.traceparent
  const context =
    typeof own === 'string' ? parseTraceContext(own, call.headers.tracestate, true) : undefined
  if (context !== undefined) return context
  const relayed = call.context.traceparent
  return typeof relayed === 'string'
    ? parseTraceContext(relayed, call.context.tracestate, false)
    : undefined
}

/** A `traceparent` and `tracestate` as they came; undefined when malformed. */
export function parseTraceContext(
  header: string,
  state: unknown,
  unprefixed: boolean,
): TraceContext | undefined {
  if (!isTraceparent(header)) return undefined
  return {
    traceId: header.slice(TRACE_AT, PARENT_AT - 1),
    parentId: header.slice(PARENT_AT, FLAGS_AT - 1),
    flags: header.slice(FLAGS_AT, LENGTH),
    state: typeof state === 'string' && state.length <= LONGEST_STATE ? state : undefined,
    unprefixed,
  }
}

/** Every request has one: digits are looked at one by one, where a pattern would make a match of them. */
function isTraceparent(header: string): boolean {
  const { length } = header
  if (length < LENGTH || length > LONGEST) return false
  if (length > LENGTH && header.charCodeAt(LENGTH) !== DASH) return false
  // Version ff is none.
  return (
    header.charCodeAt(TRACE_AT - 1) === DASH &&
    header.charCodeAt(PARENT_AT - 1) === DASH &&
    header.charCodeAt(FLAGS_AT - 1) === DASH &&
    !header.startsWith('ff') &&
    digitsIn(header, 0, TRACE_AT - 1) <= SOME &&
    digitsIn(header, TRACE_AT, PARENT_AT - 1) === SOME &&
    digitsIn(header, PARENT_AT, FLAGS_AT - 1) === SOME &&
    digitsIn(header, FLAGS_AT, LENGTH) <= SOME
  )
}

/** By character code: what a digit is. Bits, so that a stretch is those of all its digits together. */
const ZERO = 0
const SOME = 1
const NO_DIGIT = 2
const DIGITS = new Uint8Array(128).fill(NO_DIGIT)
for (const digit of '0123456789abcdef') DIGITS[digit.charCodeAt(0)] = digit === '0' ? ZERO : SOME

/** `ZERO` where there are only zeroes, `SOME` where there are other digits, more where not all are digits. */
function digitsIn(text: string, start: number, end: number): number {
  let found = ZERO
  for (let at = start; at < end; at++) found |= DIGITS[text.charCodeAt(at)] ?? NO_DIGIT
  return found
}

/** The id of the call that a `traceparent` of ours names. */
export function parentIdOf(traceparent: string): string {
  return traceparent.slice(PARENT_AT, FLAGS_AT - 1)
}

// Written here and copied out: a text that is put together of five is put together once more by
// whoever reads it.
const text = Buffer.from(`00-${'0'.repeat(32)}-${'0'.repeat(16)}-00`, 'latin1')

/** What names a call to its callee. */
export function makeTraceparent(
  { traceId, flags }: Pick<Home, 'traceId' | 'flags'>,
  correlationId: string,
): string {
  if (!endsAsUuid(correlationId)) return `00-${traceId}-${shortId(correlationId)}-${flags}`
  for (let at = 0; at < 32; at++) text[TRACE_AT + at] = traceId.charCodeAt(at)
  putHalf(text, PARENT_AT, correlationId)
  text[FLAGS_AT] = flags.charCodeAt(0)
  text[FLAGS_AT + 1] = flags.charCodeAt(1)
  return text.toString('latin1')
}

/** The headers of a call that continues a trace. */
export function traceHeaders(
  own: Headers,
  traceparent: string,
  state: string | undefined,
): Headers {
  const headers = new TraceTable(traceparent)
  for (const key in own) if (key !== 'traceparent') headers[key] = own[key]!
  if (state !== undefined) headers.tracestate = state
  return headers
}

// As `NewTable`, with room for what all of them have.
function Traced(this: HeaderTable, traceparent: string): void {
  this.traceparent = traceparent
}
Traced.prototype = NewTable.prototype
const TraceTable = Traced as unknown as new (traceparent: string) => HeaderTable
