import type { CallNode, CallTree } from '../call-node.ts'
import { FAILED } from './retries.ts'
import { isHandler, placesOf } from './walk.ts'

/**
 * Why something of a trace is not there. `lost`: calls were made that left no entry here. `merged`:
 * calls of which only count and times were kept, because they did not fit. `unrecorded`: the callee
 * keeps no entries, or none that came. `crashed`: it took the request and never answered. `pending`:
 * the call had not ended when the trace was written. `caller`: what its caller saw of it did not come.
 * `parent`: calls came whose caller left no entry.
 */
export type GapKind = 'lost' | 'merged' | 'unrecorded' | 'crashed' | 'pending' | 'caller' | 'parent'

/** Of one kind, all that is missing below calls of one method. */
export interface Gap {
  readonly kind: GapKind
  readonly service: string
  readonly method: string
  /** Calls that are missing; of which a side is, where one is. */
  readonly calls: number
  /** Where it is: the first such place. */
  readonly at: CallNode
  /** How much of the answer's waiting it may hide, at most, in milliseconds. */
  readonly ms: number
}

/** Kinds of gaps told apart; more are counted to the last one. */
const MOST_GAPS = 1_000

/** What of a trace is not there, the most calls first; what its times say of the rest stays true. */
export function missing(tree: CallTree): readonly Gap[] {
  const gaps = new Map<string, { kind: GapKind; at: CallNode; calls: number; ms: number }>()
  const add = (kind: GapKind, at: CallNode, calls: number, ms: number, name = at.service) => {
    let key = `${kind} ${name} ${at.method}`
    if (!gaps.has(key) && gaps.size >= MOST_GAPS) key = `${kind} and others`
    const gap = gaps.get(key)
    if (gap === undefined) gaps.set(key, { kind, at, calls, ms })
    else {
      gap.calls += calls
      gap.ms += ms
    }
  }
  for (const call of placesOf(tree.root)) {
    if (call.missingCalls > 0)
      add('lost', call, call.missingCalls, call.selfMs ?? call.totalMs ?? 0)
    for (const fold of call.folds) add('merged', call, fold.calls, fold.sumMs, fold.service)
    const kind = gapOf(call, tree)
    if (kind !== undefined) add(kind, call, 1, call.totalMs ?? 0)
  }
  const found = [...gaps.values()].map(({ kind, at, calls, ms }): Gap => {
    return { kind, service: at.service, method: at.method, calls, at, ms }
  })
  return found.sort((a, b) => b.calls - a.calls || b.ms - a.ms)
}

function gapOf(call: CallNode, { root, source }: CallTree): GapKind | undefined {
  const { presence, placeholder, edge } = call
  // One that holds several roots has no id; a relay is known by its name from those below it.
  if (placeholder && call.id.startsWith('relay:')) return 'unrecorded'
  if (placeholder) return call.calls.length > 0 && call.id !== '' ? 'parent' : undefined
  const [requested, received, responded, finished] = [...presence].map((digit) => digit === '1')
  if (received && !responded) return 'crashed'
  // Of other systems one side of a call is all that there must be.
  if (source !== undefined) return undefined
  if (requested && !finished && edge !== 'event') return received ? 'caller' : 'pending'
  if (!requested) {
    return call === root || isHandler(call) || edge === 'local' ? undefined : 'caller'
  }
  const asked = edge === 'call' && !received && !FAILED.has(call.status)
  return asked ? 'unrecorded' : undefined
}
