import type { CallNode } from '../call-node.ts'

/**
 * Which part of a call the time went to. `wait`: network, broker and queue; `start`: between arrival
 * and the method's beginning; `self`: its own work; `downstream`: calls it made in its turn.
 */
export type Leg = 'wait' | 'start' | 'self' | 'downstream'

export const LEGS: readonly Leg[] = ['wait', 'start', 'self', 'downstream']

/** The two parts of `wait`: `request` has the queue in it. */
export type Way = 'request' | 'reply'

export const wayMs = (call: CallNode, way: Way): number | undefined =>
  way === 'request' ? call.requestLegMs : call.replyLegMs

/** Milliseconds of one leg of a call; undefined where its entries do not tell. */
export function legMs(call: CallNode, leg: Leg): number | undefined {
  const { selfMs, handleMs, startMs, receiveMs } = call
  if (leg === 'wait') return call.networkMs
  if (handleMs === undefined || selfMs === undefined) return undefined
  if (leg === 'downstream') return handleMs - selfMs
  const waited = Math.max(0, (startMs ?? receiveMs ?? 0) - (receiveMs ?? 0))
  return leg === 'start' ? Math.min(waited, selfMs) : Math.max(0, selfMs - waited)
}
