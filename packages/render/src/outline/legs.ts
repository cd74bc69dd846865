import { type CallNode, formatMs } from 'clew/trace'

/** When a callee's work may have begun and ended: where the clocks leave it open. */
export function uncertainParts(
  call: CallNode,
): readonly (readonly [fromMs: number, toMs: number])[] {
  const { handleOffsetMs, handleMs, totalMs, offsetMs, legErrorMs } = call
  if (handleOffsetMs === undefined || handleMs === undefined || totalMs === undefined) return []
  if (!(legErrorMs! > 0)) return []
  return [handleOffsetMs, handleOffsetMs + handleMs].map((at): [number, number] => [
    Math.max(offsetMs, at - legErrorMs!),
    Math.min(offsetMs + totalMs, at + legErrorMs!),
  ])
}

/** `1.20 ms to it, 800 µs back, each ± 300 µs`; nothing where the clocks do not tell. */
export function legsText(call: CallNode): string {
  const { requestLegMs, replyLegMs, legErrorMs } = call
  if (requestLegMs === undefined || replyLegMs === undefined || legErrorMs === undefined) return ''
  const [there, back] = [formatMs(requestLegMs), formatMs(replyLegMs)]
  return `${there} to it, ${back} back, each ± ${formatMs(legErrorMs)}`
}
