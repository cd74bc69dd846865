import type { CallNode, CallTree } from 'clew/trace'
import { isFailed } from './condition.ts'
import type {
  CallPlace,
  FoldedPlace,
  MergedPlace,
  MissingPlace,
  RepeatsPlace,
  Spread,
} from './place.ts'

type Unfinished<Kind> = Omit<Kind, 'places'> & { places: Draft[] }

/** A place while the outline is being made: what lies below it may still change. */
export type Draft =
  | Unfinished<CallPlace>
  | Unfinished<RepeatsPlace>
  | Unfinished<MergedPlace>
  | Unfinished<MissingPlace>
  | Unfinished<FoldedPlace>

export interface MergeOptions {
  /** Draw siblings that look alike once. */
  readonly merge: boolean
  /** Also those that failed alike, which a small picture shows one by one. */
  readonly mergeFailures: boolean
}

/** A shape that no other call shares. */
const UNIQUE = -1

/**
 * The tree as drafts of places. Siblings are alike when service, method, outcome and the kinds of
 * calls below them agree; how often those repeat may differ, as it does in lists of lists. Calls on
 * the slowest path, failures and whatever lies above a failure stay single.
 */
export function mergeRepeats(
  tree: CallTree,
  path: ReadonlySet<CallNode>,
  options: MergeOptions,
): Draft {
  const shapes = shapesOf(tree.root, path, options)
  const root = draftOf([tree.root], path, tree.totalMs)
  const open: { readonly draft: Draft; readonly calls: readonly CallNode[] }[] = [
    { draft: root, calls: [tree.root] },
  ]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const group of groupsBelow(at.calls, shapes)) {
      const draft = draftOf(group, path, at.draft.endMs)
      at.draft.places.push(draft)
      open.push({ draft, calls: group })
    }
    addWhatDidNotCome(at.draft, at.calls)
  }
  return root
}

/** Numbers by which calls that look alike can be told, callees before callers. */
function shapesOf(
  root: CallNode,
  path: ReadonlySet<CallNode>,
  options: MergeOptions,
): ReadonlyMap<CallNode, number> {
  const shapes = new Map<CallNode, number>()
  if (!options.merge) return shapes
  const known = new Map<string, number>()
  for (const call of preorder(root).reverse()) {
    const below = new Set(call.calls.map((child) => shapes.get(child) ?? UNIQUE))
    const single =
      below.has(UNIQUE) ||
      path.has(call) ||
      call.placeholder ||
      call.folds.length > 0 ||
      call.missingCalls > 0 ||
      (isFailed(call) && !options.mergeFailures)
    if (single) {
      shapes.set(call, UNIQUE)
      continue
    }
    const key = `${lookOf(call)}\u0000${[...below].sort((one, other) => one - other).join()}`
    let shape = known.get(key)
    if (shape === undefined) {
      shape = known.size
      known.set(key, shape)
    }
    shapes.set(call, shape)
  }
  return shapes
}

function lookOf(call: CallNode): string {
  return [
    call.service,
    call.method,
    call.edge,
    call.status,
    call.error ?? '',
    call.presence,
    call.late,
    call.redelivered,
    call.attempt,
  ].join('\u0000')
}

function preorder(root: CallNode): CallNode[] {
  const calls: CallNode[] = []
  const open = [root]
  for (let call = open.pop(); call !== undefined; call = open.pop()) {
    calls.push(call)
    for (let index = call.calls.length - 1; index >= 0; index--) open.push(call.calls[index]!)
  }
  return calls
}

/** Callees of one call, or of several that are drawn as one, with those that look alike together. */
function groupsBelow(
  calls: readonly CallNode[],
  shapes: ReadonlyMap<CallNode, number>,
): readonly (readonly CallNode[])[] {
  const groups: CallNode[][] = []
  const byShape = new Map<number, CallNode[]>()
  for (const call of calls) {
    for (const child of call.calls) {
      const shape = shapes.get(child) ?? UNIQUE
      const group = shape === UNIQUE ? undefined : byShape.get(shape)
      if (group !== undefined) {
        group.push(child)
        continue
      }
      const fresh = [child]
      groups.push(fresh)
      if (shape !== UNIQUE) byShape.set(shape, fresh)
    }
  }
  return groups
}

function draftOf(calls: readonly CallNode[], path: ReadonlySet<CallNode>, endMs: number): Draft {
  const first = calls[0]!
  let offset = Number.POSITIVE_INFINITY
  let end = Number.NEGATIVE_INFINITY
  for (const call of calls) {
    offset = Math.min(offset, finite(call.offsetMs))
    end = Math.max(end, endOf(call) ?? Math.max(endMs, finite(call.offsetMs)))
  }
  const placed = { onPath: path.has(first), offsetMs: offset, endMs: end, places: [] as Draft[] }
  return calls.length === 1
    ? { kind: 'call', call: first, ...placed }
    : { kind: 'repeats', calls, spread: spreadOf(calls), ...placed }
}

/** What the profiler merged, and what it knows to be missing, as places of their own. */
function addWhatDidNotCome(draft: Draft, calls: readonly CallNode[]): void {
  let missing = 0
  for (const call of calls) {
    missing += call.missingCalls
    for (const fold of call.folds) {
      const offsetMs = finite(fold.offsetMs)
      const endMs = offsetMs + Math.max(0, finite(fold.maxMs))
      const at = draft.places.findIndex((place) => place.offsetMs > offsetMs)
      const place: Draft = { kind: 'merged', fold, onPath: false, offsetMs, endMs, places: [] }
      draft.places.splice(at < 0 ? draft.places.length : at, 0, place)
    }
  }
  if (missing <= 0) return
  const { offsetMs, endMs } = draft
  draft.places.push({ kind: 'missing', calls: missing, onPath: false, offsetMs, endMs, places: [] })
}

/** Where a call ends in the picture, in milliseconds from the root's beginning; undefined where nobody saw it. */
function endOf(call: CallNode): number | undefined {
  if (call.totalMs !== undefined && call.requestMs !== undefined) {
    return finite(call.offsetMs) + Math.max(0, finite(call.totalMs))
  }
  const begin = call.handleOffsetMs ?? call.offsetMs
  const duration = call.handleMs ?? call.totalMs
  return duration === undefined ? undefined : finite(begin) + Math.max(0, finite(duration))
}

function spreadOf(calls: readonly CallNode[]): Spread {
  const totals = calls.map((call) => finite(call.totalMs ?? 0)).sort((one, other) => one - other)
  const half = totals.length >> 1
  return {
    count: calls.length,
    minMs: totals[0]!,
    medianMs: totals.length % 2 === 1 ? totals[half]! : (totals[half - 1]! + totals[half]!) / 2,
    maxMs: totals.at(-1)!,
    sumMs: totals.reduce((sum, total) => sum + total, 0),
  }
}

/** Traces are foreign: what is no number must not reach the geometry. */
function finite(value: number): number {
  return Number.isFinite(value) ? value : 0
}
