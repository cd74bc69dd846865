import { type CallNode, formatMs } from 'clew/trace'

/**
 * The ways to a callee and back, as far as aligned clocks tell them apart, and the bound of their
 * error. Milliseconds; all of it undefined where nothing is known.
 */
interface Legs {
  readonly requestLegMs?: number | undefined
  readonly replyLegMs?: number | undefined
  readonly legErrorMs?: number | undefined
}

/** When a callee's work may have begun and ended: where the clocks leave it open. */
export function uncertainParts(
  call: CallNode,
): readonly (readonly [fromMs: number, toMs: number])[] {
  const { handleOffsetMs, handleMs, totalMs, offsetMs } = call
  const { legErrorMs } = waysOf(call)
  if (handleOffsetMs === undefined || handleMs === undefined || totalMs === undefined) return []
  if (!(legErrorMs! > 0)) return []
  return [handleOffsetMs, handleOffsetMs + handleMs].map((at): [number, number] => [
    Math.max(offsetMs, at - legErrorMs!),
    Math.min(offsetMs + totalMs, at + legErrorMs!),
  ])
}

/** `1.20 ms to it, 800 µs back, each ± 300 µs`; nothing where the clocks do not tell. */
export function legsText(call: CallNode): string {
  const { requestLegMs, replyLegMs, legErrorMs } = waysOf(call)
  if (requestLegMs === undefined || replyLegMs === undefined || legErrorMs === undefined) return ''
  const [there, back] = [formatMs(requestLegMs), formatMs(replyLegMs)]
  return `${there} to it, ${back} back, each ± ${formatMs(legErrorMs)}`
}

/** What a call says of its ways, where whoever aligned the clocks wrote it down. */
export const waysOf = (call: CallNode & Legs): Legs => call
