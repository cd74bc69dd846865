import type { Call, Headers } from '../call/index.ts'

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

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/u
const NO_TRACE = '0'.repeat(32)
const NO_PARENT = '0'.repeat(16)
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
  const match = header.length <= 256 ? TRACEPARENT.exec(header) : null
  if (match === null || header.startsWith('ff')) return undefined
  const [, traceId = NO_TRACE, parentId = NO_PARENT, flags = '00'] = match
  if (traceId === NO_TRACE || parentId === NO_PARENT) return undefined
  return {
    traceId,
    parentId,
    flags,
    state: typeof state === 'string' && state.length <= LONGEST_STATE ? state : undefined,
    unprefixed,
  }
}

/** The id of the call that a `traceparent` of ours names. */
export function parentIdOf(traceparent: string): string {
  return traceparent.slice(36, 52)
}

/** The headers of a call that continues a trace. */
export function traceHeaders(
  call: Call,
  traceId: string,
  callId: string,
  inherited: { readonly flags: string; readonly state: string | undefined },
): Headers {
  const headers = Object.assign(Object.create(null), call.headers) as Record<string, string>
  headers.traceparent = `00-${traceId}-${callId}-${inherited.flags}`
  if (inherited.state !== undefined) headers.tracestate = inherited.state
  return headers
}
