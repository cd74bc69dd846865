import { conditionOf, isFailed } from './condition.ts'
import type { Draft } from './merge.ts'

export interface FoldOptions {
  /** Most places to keep. */
  readonly maxPlaces: number
  /** Most levels to keep. */
  readonly maxLevels: number
  /** When there are too many places: the share of `totalMs` below which calls are left out first. */
  readonly minShare: number
  readonly totalMs: number
}

/** What lies in a subtree, the place itself included. */
interface Weight {
  readonly places: number
  readonly calls: number
  readonly failed: number
  readonly error: string | undefined
  readonly levels: number
  /** Largest own time of anything in it: no caller weighs less than what it called. */
  readonly heaviestMs: number
}

/**
 * Leaves out what makes a picture unreadable, in this order: levels beyond the limit (of the slowest
 * path the middle ones, so that its end stays), then what takes less than the least share, then
 * whatever weighs least. Everything left out stands in the picture as a place that says so.
 */
export function foldAway(root: Draft, options: FoldOptions): void {
  foldMiddleOfPath(root, options.maxLevels)
  foldDeep(root, options.maxLevels)
  if (countPlaces(root) <= options.maxPlaces) return
  foldSmall(root, options)
  if (countPlaces(root) <= options.maxPlaces) return
  foldLightest(root, options.maxPlaces)
}

/** Drafts with their callers before them. */
export function draftsOf(root: Draft): Draft[] {
  const drafts: Draft[] = []
  const open = [root]
  for (let draft = open.pop(); draft !== undefined; draft = open.pop()) {
    drafts.push(draft)
    for (let index = draft.places.length - 1; index >= 0; index--) open.push(draft.places[index]!)
  }
  return drafts
}

export function countPlaces(root: Draft): number {
  return draftsOf(root).length
}

function foldMiddleOfPath(root: Draft, maxLevels: number): void {
  const path: Draft[] = []
  let at: Draft | undefined = root.onPath ? root : undefined
  while (at !== undefined) {
    path.push(at)
    at = at.places.find((place) => place.onPath)
  }
  if (path.length <= maxLevels) return
  const head = Math.max(1, Math.ceil((maxLevels - 1) / 2))
  const tail = Math.max(1, maxLevels - 1 - head)
  const above = path[head - 1]!
  const first = path[head]!
  const next = path[path.length - tail]!
  const last = path[path.length - tail - 1]!
  last.places.splice(last.places.indexOf(next), 1)
  const weight = weightsOf(first).get(first)!
  const middle: Draft = {
    kind: 'folded',
    why: 'middle',
    calls: weight.calls,
    sumMs: Math.max(0, first.endMs - first.offsetMs - (next.endMs - next.offsetMs)),
    maxMs: sumOf(first),
    failed: weight.failed,
    error: weight.error,
    levels: path.length - tail - head,
    onPath: true,
    offsetMs: first.offsetMs,
    endMs: first.endMs,
    places: [next],
  }
  above.places.splice(above.places.indexOf(first), 1, middle)
}

/** Callees at the limit stay when they call nothing themselves: their place would take as much room. */
function foldDeep(root: Draft, maxLevels: number): void {
  let level: readonly Draft[] = [root]
  for (let depth = 1; level.length > 0; depth++) {
    if (depth === maxLevels) {
      for (const draft of level) foldSome(draft, draft.places.filter(hasCallees), 'deep')
      return
    }
    level = level.flatMap((draft) => draft.places)
  }
}

function hasCallees(draft: Draft): boolean {
  return draft.places.length > 0
}

function foldSmall(root: Draft, options: FoldOptions): void {
  const least = options.minShare * options.totalMs
  const weights = weightsOf(root)
  const open = [root]
  for (let draft = open.pop(); draft !== undefined; draft = open.pop()) {
    const small = draft.places.filter(
      (place) =>
        !place.onPath &&
        place.kind !== 'missing' &&
        place.kind !== 'folded' &&
        weights.get(place)!.failed === 0 &&
        sumOf(place) < least,
    )
    foldSome(draft, small, 'small')
    for (const place of draft.places) open.push(place)
  }
}

/** Keeps the slowest path, then failures, then the heaviest, until the picture is full. */
function foldLightest(root: Draft, maxPlaces: number): void {
  const weights = weightsOf(root)
  const rank = (draft: Draft): number => {
    if (draft.onPath) return Number.POSITIVE_INFINITY
    const weight = weights.get(draft)!
    return weight.failed > 0 ? 1e15 + weight.heaviestMs : weight.heaviestMs
  }
  const drafts = draftsOf(root)
  const callers = new Map<Draft, Draft>()
  for (const draft of drafts) for (const place of draft.places) callers.set(place, draft)
  const ranked = drafts
    .map((draft, order) => ({ draft, order, rank: rank(draft) }))
    .sort((one, other) =>
      other.rank === one.rank ? one.order - other.order : other.rank - one.rank,
    )
  const kept = new Set<Draft>()
  const left = new Map<Draft, number>()
  let count = 0
  for (const { draft } of ranked) {
    const caller = callers.get(draft)
    if (caller !== undefined && !kept.has(caller)) continue
    const siblings = caller === undefined ? 0 : left.get(caller)!
    // A place for what is left out below this one comes, the one below its caller may go.
    const cost = 1 + (draft.places.length > 0 ? 1 : 0) - (siblings === 1 ? 1 : 0)
    if (count + cost > maxPlaces && !draft.onPath) continue
    count += cost
    kept.add(draft)
    left.set(draft, draft.places.length)
    if (caller !== undefined) left.set(caller, siblings - 1)
  }
  for (const draft of kept) {
    foldSome(
      draft,
      draft.places.filter((place) => !kept.has(place)),
      'small',
    )
  }
}

/** Replaces some of a place's callees by one place that stands for them; what is folded already joins it. */
function foldSome(draft: Draft, some: readonly Draft[], why: 'small' | 'deep'): void {
  const joining = draft.places.filter((place) => place.kind === 'folded' && place.why !== 'middle')
  const gone = new Set([...some, ...joining])
  const alone = gone.size === 1 && (some.length === 0 || !hasCallees(some[0]!))
  if (gone.size === 0 || alone) return
  const rest = draft.places.filter((place) => !gone.has(place))
  const deep = joining.some((place) => place.kind === 'folded' && place.why === 'deep')
  const folded = standInFor(gone, deep ? 'deep' : why)
  // Before missing calls, which come last, and after all others: it has no beginning of its own.
  const missing = rest.findIndex((place) => place.kind === 'missing')
  rest.splice(missing < 0 ? rest.length : missing, 0, folded)
  draft.places = rest
}

function standInFor(gone: Iterable<Draft>, why: 'small' | 'deep'): Draft {
  let [calls, sumMs, maxMs, failed, levels] = [0, 0, 0, 0, 0]
  let [offsetMs, endMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  let error: string | undefined
  for (const place of gone) {
    const weight = weightsOf(place).get(place)!
    calls += weight.calls
    sumMs += sumOf(place)
    maxMs = Math.max(maxMs, longestOf(place))
    failed += weight.failed
    error ??= weight.error
    levels = Math.max(levels, weight.levels)
    offsetMs = Math.min(offsetMs, place.offsetMs)
    endMs = Math.max(endMs, place.endMs)
  }
  const known = { kind: 'folded' as const, why, calls, sumMs, maxMs, failed, error, levels }
  return { ...known, onPath: false, offsetMs, endMs, places: [] }
}

/** Sum of the totals of a place's own calls, in milliseconds. */
function sumOf(draft: Draft): number {
  switch (draft.kind) {
    case 'call':
      return Math.max(0, draft.call.totalMs ?? draft.call.handleMs ?? 0) || 0
    case 'repeats':
      return draft.spread.sumMs
    case 'merged':
      return draft.fold.sumMs
    case 'folded':
      return draft.sumMs
    case 'missing':
      return 0
  }
}

/** The largest total of a place's own calls, in milliseconds. */
function longestOf(draft: Draft): number {
  switch (draft.kind) {
    case 'repeats':
      return draft.spread.maxMs
    case 'merged':
      return draft.fold.maxMs
    case 'folded':
      return draft.maxMs
    default:
      return sumOf(draft)
  }
}

function weightsOf(root: Draft): ReadonlyMap<Draft, Weight> {
  const weights = new Map<Draft, Weight>()
  for (const draft of draftsOf(root).reverse()) {
    let weight = ownWeight(draft)
    for (const place of draft.places) {
      const below = weights.get(place)!
      weight = {
        places: weight.places + below.places,
        calls: weight.calls + below.calls,
        failed: weight.failed + below.failed,
        error: weight.error ?? below.error,
        levels: Math.max(weight.levels, below.levels + levelsOf(draft)),
        heaviestMs: Math.max(weight.heaviestMs, below.heaviestMs),
      }
    }
    weights.set(draft, weight)
  }
  return weights
}

function levelsOf(draft: Draft): number {
  return draft.kind === 'folded' ? draft.levels : 1
}

function ownWeight(draft: Draft): Weight {
  const weight = { places: 1, levels: levelsOf(draft), heaviestMs: sumOf(draft) }
  switch (draft.kind) {
    case 'call':
    case 'repeats': {
      const calls = draft.kind === 'call' ? [draft.call] : draft.calls
      const failures = calls.filter(isFailed)
      const error = failures[0] === undefined ? undefined : conditionOf(failures[0]).title
      return { ...weight, calls: calls.length, failed: failures.length, error }
    }
    case 'merged':
      return { ...weight, calls: draft.fold.calls, failed: 0, error: undefined }
    case 'missing':
      return { ...weight, calls: 0, failed: 0, error: undefined }
    case 'folded':
      return { ...weight, calls: draft.calls, failed: draft.failed, error: draft.error }
  }
}
