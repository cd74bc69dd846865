import type { CallNode, CallTree } from 'clew/trace'
import { conditionOf, isFailed, isOperation } from './outline/condition.ts'
import { counted } from './words.ts'

/** What is to be counted in a trace. */
export interface Facts {
  readonly calls: number
  readonly services: number
  readonly failed: number
  readonly pending: number
  /** Calls whose callee keeps no entries. */
  readonly unprofiled: number
  /** Calls known to have happened of which nothing came. */
  readonly missing: number
  /** Calls of which only sums came. */
  readonly merged: number
  readonly complete: boolean
  /** Services by the time spent in their calls, most first. */
  readonly ranking: readonly string[]
}

export function factsOf(tree: CallTree): Facts {
  const times = new Map<string, number>()
  let [failed, pending, unprofiled, missing, merged] = [0, 0, 0, 0, 0]
  const open: CallNode[] = [tree.root]
  for (let call = open.pop(); call !== undefined; call = open.pop()) {
    for (const child of call.calls) open.push(child)
    if (isFailed(call)) failed++
    if (call.status === 'pending') pending++
    missing += call.missingCalls
    for (const fold of call.folds) merged += fold.calls
    if (isMadeUp(call)) continue
    if (conditionOf(call).kind === 'unprofiled' || call.placeholder) unprofiled++
    // A database is no service, and an exchange neither.
    if (isOperation(call)) continue
    const time = Math.max(0, call.totalMs ?? call.handleMs ?? 0) || 0
    times.set(call.service, (times.get(call.service) ?? 0) + time)
  }
  const ranking = [...times].sort(
    ([name, time], [other, otherTime]) => otherTime - time || (name < other ? -1 : 1),
  )
  return {
    calls: tree.calls,
    services: times.size,
    failed,
    pending,
    unprofiled,
    missing,
    merged,
    complete: tree.complete,
    ranking: ranking.map(([name]) => name),
  }
}

/** A place that stands for a lost call or above several roots; a relay's place has its service's name. */
function isMadeUp(call: CallNode): boolean {
  return call.placeholder && (call.service === 'unknown' || call.service === '')
}

/** `partial: 12 calls missing`; undefined for a trace that lacks nothing. */
export function doubtOf(facts: Facts): string | undefined {
  const merged = facts.merged > 0 ? `${counted(facts.merged, 'call')} merged` : ''
  if (facts.missing > 0) {
    return `partial: ${counted(facts.missing, 'call')} missing${merged === '' ? '' : `, ${merged}`}`
  }
  if (merged !== '') return `partial: ${merged}`
  if (facts.complete) return undefined
  if (facts.pending > 0) return `partial: ${counted(facts.pending, 'call')} pending`
  if (facts.unprofiled > 0) return `partial: ${counted(facts.unprofiled, 'call')} without a profile`
  return 'partial: some entries are missing'
}
