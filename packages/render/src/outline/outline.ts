import { type CallTree, slowestPath } from 'clew/trace'
import { countPlaces, draftsOf, foldAway } from './fold.ts'
import { type Draft, mergeRepeats } from './merge.ts'
import type { Outline, Place } from './place.ts'

export interface OutlineOptions {
  /** Most places to show; what is beyond becomes places that say how much they stand for. */
  readonly maxPlaces: number
  /** Most levels to show. */
  readonly maxLevels: number
  /** Where there are too many places: share of the trace's time below which calls are left out first. */
  readonly minShare: number
  /** Every call by itself: nothing merged, and nothing left out but levels beyond the limit. */
  readonly full: boolean
}

/** Decides what a picture of a trace shows. Never recurses, so that a trace may be as deep as it likes. */
export function outlineOf(tree: CallTree, options: OutlineOptions): Outline {
  const path = new Set(slowestPath(tree))
  const { full, maxPlaces, maxLevels, minShare } = options
  let root = mergeRepeats(tree, path, { merge: !full, mergeFailures: false })
  if (!full && countPlaces(root) > maxPlaces) {
    root = mergeRepeats(tree, path, { merge: true, mergeFailures: true })
  }
  foldAway(root, {
    maxPlaces: full ? Number.POSITIVE_INFINITY : maxPlaces,
    maxLevels,
    minShare,
    totalMs: root.endMs - root.offsetMs,
  })
  return summed(tree, root)
}

function summed(tree: CallTree, root: Draft): Outline {
  let [fromMs, toMs, foldedCalls, repeatedCalls] = [0, 0, 0, 0]
  for (const place of draftsOf(root)) {
    fromMs = Math.min(fromMs, place.offsetMs)
    toMs = Math.max(toMs, place.endMs)
    if (place.kind === 'folded') foldedCalls += place.calls
    if (place.kind === 'repeats') repeatedCalls += place.calls.length
  }
  const places = leveled(root)
  return { root, places, fromMs, toMs, calls: tree.calls, foldedCalls, repeatedCalls }
}

function leveled(root: Place): Outline['places'] {
  const places: { readonly place: Place; readonly level: number }[] = []
  const open = [{ place: root, level: 0 }]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    places.push(at)
    for (let index = at.place.places.length - 1; index >= 0; index--) {
      open.push({ place: at.place.places[index]!, level: at.level + 1 })
    }
  }
  return places
}
