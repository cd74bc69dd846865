import type { CallNode, CallTree } from '../../trace/index.ts'

/** What of a trace other formats have no words for, counted. */
export interface Losses {
  /** Calls merged away because they did not fit. */
  readonly folded: number
  /** Calls known to have happened that are not there. */
  readonly missing: number
  /** Pauses of processes. */
  readonly pauses: number
  /** Calls of peers that keep no entries, known by name alone. */
  readonly relays: number
  /** Calls that are not known to have ended. */
  readonly open: number
  /** Calls known by nothing but that others name them. */
  readonly lost: number
}

export const NO_LOSSES: Losses = { folded: 0, missing: 0, pauses: 0, relays: 0, open: 0, lost: 0 }

/** What is left out, or cannot be told, when the tree is written in a format other than Clew's own. */
export function lossesOf(tree: CallTree): Losses {
  const sums = { ...NO_LOSSES, pauses: tree.pauses.length }
  const left: CallNode[] = [tree.root]
  for (let call = left.pop(); call !== undefined; call = left.pop()) {
    for (const child of call.calls) left.push(child)
    for (const fold of call.folds) sums.folded += fold.calls
    sums.missing += call.missingCalls
    if (call.placeholder) {
      if (call.id.startsWith('relay:')) sums.relays++
      else if (call.id !== '') sums.lost++
    } else if (!hasEnded(call)) {
      sums.open++
    }
  }
  return sums
}

const hasEnded = ({ requestMs, finishMs, receiveMs, respondMs }: CallNode) =>
  (requestMs === undefined || finishMs !== undefined) &&
  (receiveMs === undefined || respondMs !== undefined)
