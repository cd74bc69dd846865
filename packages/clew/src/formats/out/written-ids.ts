import { normalId } from '../../trace/ids.ts'
import type { CallTree } from '../../trace/index.ts'

const SPAN_ID = /^[0-9a-f]{16}$/
const TRACE_ID = /^[0-9a-f]{32}$/

/** A call's id as others take it: 16 hex digits, of any other id its hash, the same each time. */
export const spanId = (id: string): string => (SPAN_ID.test(id) ? id : normalId(id, 8))

/** A trace's id as others take it: 32 hex digits. The paper's lists have none: theirs comes from their root's. */
export function traceId({ traceId: id, root }: CallTree): string {
  if (TRACE_ID.test(id)) return id
  return normalId(id === '' ? `${root.id} ${root.requestMs ?? root.receiveMs}` : id, 16)
}

/** Any two numbers: with them no two calls' callees get one id, nor a call's own in practice. */
const LEFT = 0x9e3779b9
const RIGHT = 0x7f4a7c15

/** Id of the callee's record, where the caller's has that of the call; the same each time. */
export function calleeId(id: string): string {
  const own = spanId(id)
  const half = (at: number, mask: number) =>
    ((Number.parseInt(own.slice(at, at + 8), 16) ^ mask) >>> 0).toString(16).padStart(8, '0')
  return half(0, LEFT) + half(8, RIGHT)
}
