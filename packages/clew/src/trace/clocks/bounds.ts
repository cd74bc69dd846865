import type { Edge, Status } from '../entry.ts'

/**
 * By how much one clock is ahead of another, at least and at most, milliseconds. Infinite where
 * nothing is known.
 */
export interface Bounds {
  readonly leastMs: number
  readonly mostMs: number
}

export const UNKNOWN: Bounds = { leastMs: -Infinity, mostMs: Infinity }

/** Stamps are written in microseconds: two that are nearer than that do not contradict each other. */
export const GRAIN_MS = 0.002

/** The most that two clocks run apart: each quartz is within 50 in a million of the true second. */
export const DRIFT = 1e-4

/** What has to be known of a call for it to tell anything of clocks. */
export interface TwoSided {
  readonly edge: Edge
  readonly requestMs: number | undefined
  readonly receiveMs: number | undefined
  readonly respondMs: number | undefined
  readonly finishMs: number | undefined
  readonly callerStatus: Status | undefined
  readonly calleeStatus: Status | undefined
  readonly late: boolean
}

/**
 * The hard bounds of one call, of the callee's clock against the caller's: a request is received after
 * it was made, and an answer that ended the wait was sent before that (Mills' interval, RFC 5905,
 * without its halving: the queue lies on the way there only). Undefined where nothing is proved.
 */
export function boundsOf(call: TwoSided, foreign: boolean): Bounds | undefined {
  const { requestMs, receiveMs, respondMs, finishMs } = call
  if (requestMs === undefined || receiveMs === undefined) return undefined
  const mostMs = receiveMs - requestMs
  if (!Number.isFinite(mostMs)) return undefined
  if (respondMs === undefined || finishMs === undefined || !endedByAnswer(call, foreign)) {
    return { leastMs: -Infinity, mostMs }
  }
  const leastMs = respondMs - finishMs
  // Work that took longer than its caller waited went on after the answer.
  return leastMs <= mostMs && Number.isFinite(leastMs)
    ? { leastMs, mostMs }
    : { leastMs: -Infinity, mostMs }
}

const ANSWERS: readonly Status[] = ['ok', 'error', 'rejected']

/** True when it was the callee's answer that the caller stopped waiting for, and not its patience. */
export function endedByAnswer(call: TwoSided, foreign: boolean): boolean {
  const { callerStatus, calleeStatus, late, edge } = call
  if (edge === 'event' || late || callerStatus === undefined) return false
  // Other systems say "error" of both sides where a deadline ended both, each at its time.
  if (foreign) return callerStatus === 'ok'
  return callerStatus === calleeStatus && ANSWERS.includes(callerStatus)
}

/** What holds when both do. */
export function both(one: Bounds, other: Bounds): Bounds {
  return {
    leastMs: Math.max(one.leastMs, other.leastMs),
    mostMs: Math.min(one.mostMs, other.mostMs),
  }
}

/** What holds when one of them does, and nobody knows which. */
export function either(one: Bounds, other: Bounds): Bounds {
  return {
    leastMs: Math.min(one.leastMs, other.leastMs),
    mostMs: Math.max(one.mostMs, other.mostMs),
  }
}

export const contradict = ({ leastMs, mostMs }: Bounds): boolean => leastMs > mostMs + GRAIN_MS

/** How far an offset may be from the truth; infinite where one side is open. */
export const errorOf = (offsetMs: number, { leastMs, mostMs }: Bounds): number =>
  Math.max(0, offsetMs - leastMs, mostMs - offsetMs)
