import type { Outcome, SideKind } from './side.ts'
import { numberTag, type Tags, textTag } from './tags.ts'

/** What is told of how a record ended, beside its tags. */
export interface Told {
  readonly kind: SideKind | undefined
  readonly tags: Tags
  /** As its author says, which counts more than all signs. */
  readonly verdict: 'ok' | 'error' | undefined
  /** An exception was recorded that left it, or may have. */
  readonly exception: boolean
  /** Class of that exception. */
  readonly exceptionClass: string | undefined
  /** In the author's words. */
  readonly message: string | undefined
  /** Whoever answers that it was asked wrongly (HTTP's 4xx) has failed too. @default false */
  readonly refusalFails?: boolean
}

const HTTP_STATUS = ['http.response.status_code', 'http.status_code', 'http.status']
const RPC_STATUS = ['rpc.response.status_code', 'rpc.grpc.status_code', 'grpc.status_code']
const OTHER_RPC_STATUS = ['grpc.status', 'rpc.yarpc.status_code', 'rpc.connect_rpc.error_code']
const CLASS = ['exception.type', 'error.type', 'error.kind', 'error.class', 'error.name']

/** gRPC's codes, whose positions are their numbers. */
const GRPC = [
  ...['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND'],
  ...['ALREADY_EXISTS', 'PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION'],
  ...['ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS'],
  'UNAUTHENTICATED',
]
/** Those by which a server says that it failed itself, not that it was asked wrongly (OpenTelemetry's convention). */
const SERVERS_FAULT = new Set([2, 4, 12, 13, 14, 15])
const CANCELLED = 1
const DEADLINE = 4

const OK: Outcome = { status: 'ok', error: undefined, gaveUp: false }

/**
 * Whether a record ended with a failure. A 4xx of HTTP is none by itself in OpenTelemetry and Zipkin:
 * the server did what it should, and whether its client minds, only the client can say, by its status.
 */
export function outcomeOf(told: Told): Outcome {
  const { tags, verdict } = told
  if (verdict === 'ok') return OK
  const http = numberTag(tags, HTTP_STATUS)
  const rpc = rpcCode(tags)
  if (verdict !== 'error' && !hasFailed(told, http, rpc)) return OK
  const named =
    told.exceptionClass ??
    textTag(tags, CLASS) ??
    classIn(tags.get('error')) ??
    (rpc !== undefined && rpc !== 0 ? `gRPC ${GRPC[rpc] ?? rpc}` : undefined) ??
    (http !== undefined && http >= 400 ? `HTTP ${http}` : undefined)
  const gaveUp =
    rpc === DEADLINE ||
    http === 504 ||
    http === 408 ||
    saysTimeout(named) ||
    saysTimeout(told.message)
  const cancelled = rpc === CANCELLED || http === 499
  return { status: cancelled ? 'cancelled' : 'error', error: named, gaveUp }
}

function hasFailed(told: Told, http: number | undefined, rpc: number | undefined): boolean {
  const { tags, kind, refusalFails } = told
  if (saysError(tags.get('error')) || told.exception) return true
  if (http !== undefined && http >= (refusalFails ? 400 : 500)) return true
  // What a server did not get done because it was asked wrongly is not its failure.
  const asked = !refusalFails && (kind === 'server' || kind === 'consumer')
  if (rpc !== undefined && rpc !== 0 && (!asked || SERVERS_FAULT.has(rpc))) return true
  const type = tags.get('error.type')
  return type !== undefined && type !== '' && !(asked && /^4\d\d$/.test(String(type)))
}

/** Zipkin's tag may say anything but that there was none; Jaeger's is true, "true" or 1. */
export const saysError = (value: unknown) =>
  value !== undefined &&
  value !== false &&
  value !== 0 &&
  !/^(false|0|no|none)$/i.test(String(value))

const saysTimeout = (text: string | undefined) =>
  text !== undefined && /deadline|time[d ]?\s?out/i.test(text)

/** A tag that says more than that there was an error: a class, where it is one word. */
function classIn(value: unknown): string | undefined {
  if (typeof value !== 'string' || /^(true|1|error)?$/i.test(value)) return undefined
  return /^[\w.$:/-]{1,255}$/.test(value) ? value : undefined
}

function rpcCode(tags: Tags): number | undefined {
  const code = numberTag(tags, RPC_STATUS) ?? numberTag(tags, OTHER_RPC_STATUS)
  if (code !== undefined) return code
  const text = textTag(tags, RPC_STATUS) ?? textTag(tags, OTHER_RPC_STATUS)
  const name = text?.toUpperCase().replace(/^STATUSCODE\.|\W/g, '')
  if (name === undefined) return undefined
  const found = GRPC.indexOf(name === 'CANCELED' ? 'CANCELLED' : name)
  return found < 0 ? undefined : found
}
