import type { CallNode, FoldedCalls } from 'clew/trace'

/** How long the members of a group took: totals in milliseconds. */
export interface Spread {
  readonly count: number
  readonly minMs: number
  readonly medianMs: number
  readonly maxMs: number
  readonly sumMs: number
}

/** What every place of a picture has. Times are milliseconds from the root's beginning. */
interface Placed {
  /** On the slowest path. */
  readonly onPath: boolean
  readonly offsetMs: number
  /** Where it ends; where nobody saw an end, where its caller ends. */
  readonly endMs: number
  /** In order of their beginnings. */
  readonly places: readonly Place[]
}

/** One call. */
export interface CallPlace extends Placed {
  readonly kind: 'call'
  readonly call: CallNode
}

/** Sibling calls that look alike, drawn once. */
export interface RepeatsPlace extends Placed {
  readonly kind: 'repeats'
  /** Two or more, in order of request. */
  readonly calls: readonly CallNode[]
  readonly spread: Spread
}

/** Siblings that were merged where they happened, because they did not fit into the reply. */
export interface MergedPlace extends Placed {
  readonly kind: 'merged'
  readonly fold: FoldedCalls
}

/** Calls known to have happened of which nothing came. */
export interface MissingPlace extends Placed {
  readonly kind: 'missing'
  readonly calls: number
}

/** Calls that the picture leaves out to stay readable. */
export interface FoldedPlace extends Placed {
  readonly kind: 'folded'
  /** `small`: little time or no room; `deep`: too many levels; `middle`: levels between two shown ones. */
  readonly why: 'small' | 'deep' | 'middle'
  readonly calls: number
  /** Sum of the totals of the topmost of them; for `middle`, the time spent in the folded levels. */
  readonly sumMs: number
  /** Largest total of the topmost of them. */
  readonly maxMs: number
  readonly failed: number
  /** Class name of the first failure. */
  readonly error: string | undefined
  readonly levels: number
}

/** One thing in a picture of a call tree: a card, a row, a line. */
export type Place = CallPlace | RepeatsPlace | MergedPlace | MissingPlace | FoldedPlace

/** The tree as a picture shows it: repeats merged, and no more places than it may have. */
export interface Outline {
  readonly root: Place
  /** All places with their level, callers before callees. The root's level is 0. */
  readonly places: readonly { readonly place: Place; readonly level: number }[]
  /** The time that the picture spans, in milliseconds from the root's beginning. */
  readonly fromMs: number
  readonly toMs: number
  /** Calls of the tree in all. */
  readonly calls: number
  /** Calls left out. */
  readonly foldedCalls: number
  /** Calls drawn as one of several repeats. */
  readonly repeatedCalls: number
}
