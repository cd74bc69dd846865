import { criticalPath } from '../analysis/critical-path.ts'
import { formatMs, formatShare } from '../analysis/format-ms.ts'
import { nameOf } from '../analysis/walk.ts'
import type { CallNode, CallTree } from '../call-node.ts'

/** A call of one trace and what stands for it in the other. */
export interface AlignedCall {
  readonly what: 'retimed' | 'added' | 'removed'
  /** From the root down; no more than the last eight. */
  readonly names: readonly string[]
  readonly before: CallNode | undefined
  readonly after: CallNode | undefined
  /** Critical time of the call itself. */
  readonly beforeMs: number
  readonly afterMs: number
  readonly deltaMs: number
}

export interface TraceDifference {
  readonly beforeMs: number
  readonly afterMs: number
  readonly deltaMs: number
  /** Calls that both traces have. */
  readonly aligned: number
  readonly added: number
  readonly removed: number
  /** What differs, the greatest difference of critical time first; all differences add up to the whole. */
  readonly calls: readonly AlignedCall[]
  /** Calls whose status differs. */
  readonly statuses: readonly AlignedCall[]
  readonly sentences: readonly string[]
}

/** Calls told of. */
const MOST_TOLD = 1_000
/** Beyond so many pairs siblings are aligned by name and position among those of their name. */
const MOST_PAIRS = 250_000
const MOST_NAMES = 8

interface Pair {
  readonly before: CallNode | undefined
  readonly after: CallNode | undefined
  readonly names: readonly string[]
}

/**
 * Compares two traces call by call: the calls of aligned callers are aligned by the longest common
 * subsequence of their names, in order of request. What has no counterpart was added or removed, with
 * all below it.
 */
export function compareTraces(
  before: CallTree,
  after: CallTree,
  names: readonly [string, string] = ['before', 'after'],
): TraceDifference {
  const spent = [spentIn(before), spentIn(after)] as const
  const told: AlignedCall[] = []
  const statuses: AlignedCall[] = []
  const counts = { aligned: 0, added: 0, removed: 0 }
  const left: Pair[] = isAlike(before.root, after.root)
    ? [{ before: before.root, after: after.root, names: [] }]
    : [
        { before: before.root, after: undefined, names: [] },
        { before: undefined, after: after.root, names: [] },
      ]
  for (let pair = left.pop(); pair !== undefined; pair = left.pop()) {
    const [a, b] = [pair.before, pair.after]
    const what = a === undefined ? 'added' : b === undefined ? 'removed' : 'retimed'
    counts[what === 'retimed' ? 'aligned' : what]++
    const [beforeMs, afterMs] = [ms(spent[0], a), ms(spent[1], b)]
    const path = [...pair.names.slice(1 - MOST_NAMES), nameOf((a ?? b)!)]
    const call = { what, names: path, before: a, after: b, beforeMs, afterMs } as const
    const aligned = { ...call, deltaMs: afterMs - beforeMs }
    if (what !== 'retimed' || Math.abs(aligned.deltaMs) >= 0.0005) told.push(aligned)
    if (a !== undefined && b !== undefined && a.status !== b.status) statuses.push(aligned)
    for (const inner of align(a?.calls ?? [], b?.calls ?? [])) left.push({ ...inner, names: path })
  }
  told.sort((a, b) => Math.abs(b.deltaMs) - Math.abs(a.deltaMs))
  const found = {
    ...{ beforeMs: before.totalMs, afterMs: after.totalMs, ...counts },
    deltaMs: after.totalMs - before.totalMs,
    calls: told.slice(0, MOST_TOLD),
    statuses: statuses.slice(0, MOST_TOLD),
  }
  return { ...found, sentences: sentencesOf(found, names) }
}

function spentIn(tree: CallTree): ReadonlyMap<CallNode, number> {
  const spent = new Map<CallNode, number>()
  for (const { call, startMs, endMs } of criticalPath(tree)) {
    spent.set(call, (spent.get(call) ?? 0) + endMs - startMs)
  }
  return spent
}

const ms = (spent: ReadonlyMap<CallNode, number>, call: CallNode | undefined) =>
  call === undefined ? 0 : (spent.get(call) ?? 0)

const isAlike = (a: CallNode, b: CallNode) => a.service === b.service && a.method === b.method

interface Sibling {
  readonly before: CallNode | undefined
  readonly after: CallNode | undefined
}

function align(before: readonly CallNode[], after: readonly CallNode[]): readonly Sibling[] {
  const found: Sibling[] = []
  let from = 0
  while (from < before.length && from < after.length && isAlike(before[from]!, after[from]!)) {
    found.push({ before: before[from], after: after[from] })
    from++
  }
  let [endA, endB] = [before.length, after.length]
  while (endA > from && endB > from && isAlike(before[endA - 1]!, after[endB - 1]!)) {
    found.push({ before: before[--endA], after: after[--endB] })
  }
  const [a, b] = [before.slice(from, endA), after.slice(from, endB)]
  const inner = a.length * b.length <= MOST_PAIRS ? longest(a, b) : byName(a, b)
  for (const pair of inner) found.push(pair)
  return found
}

/** The longest common subsequence, by the table of its lengths. */
function longest(a: readonly CallNode[], b: readonly CallNode[]): readonly Sibling[] {
  const width = b.length + 1
  const lengths = new Uint32Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const at = i * width + j
      lengths[at] = isAlike(a[i]!, b[j]!)
        ? lengths[at + width + 1]! + 1
        : Math.max(lengths[at + width]!, lengths[at + 1]!)
    }
  }
  const found: Sibling[] = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    const at = i * width + j
    if (i < a.length && j < b.length && isAlike(a[i]!, b[j]!)) {
      found.push({ before: a[i++], after: b[j++] })
    } else if (j >= b.length || (i < a.length && lengths[at + width]! >= lengths[at + 1]!)) {
      found.push({ before: a[i++], after: undefined })
    } else {
      found.push({ before: undefined, after: b[j++] })
    }
  }
  return found
}

function byName(a: readonly CallNode[], b: readonly CallNode[]): readonly Sibling[] {
  const waiting = new Map(
    [...Map.groupBy(b, nameOf)].map(([name, list]) => [name, list.toReversed()]),
  )
  const found: Sibling[] = a.map((call) => ({
    before: call,
    after: waiting.get(nameOf(call))?.pop(),
  }))
  for (const list of waiting.values()) {
    for (const call of list) found.push({ before: undefined, after: call })
  }
  return found
}

function sentencesOf(
  { beforeMs, deltaMs, calls, statuses, added, removed }: Omit<TraceDifference, 'sentences'>,
  [before, after]: readonly [string, string],
): readonly string[] {
  const sentences: string[] = []
  const relative = beforeMs > 0 ? ` (${formatShare(Math.abs(deltaMs) / beforeMs)})` : ''
  const how = deltaMs >= 0 ? 'longer' : 'shorter'
  const [most] = calls.filter((call) => call.deltaMs * deltaMs > 0)
  const where =
    most === undefined
      ? ''
      : `; ${formatMs(Math.abs(most.deltaMs))} of it in ${most.names.slice(-2).join(' → ')}` +
        (most.what === 'retimed' ? '' : `, which was ${most.what}`)
  if (Math.abs(deltaMs) < 0.0005) sentences.push(`${before} and ${after} took as long.`)
  else sentences.push(`${after} took ${formatMs(Math.abs(deltaMs))}${relative} ${how}${where}.`)
  const [changed] = statuses
    .filter(({ after: call }) => !call?.calls.some(isFailed))
    .concat(statuses)
  if (changed !== undefined) {
    const { before: a, after: b } = changed
    sentences.push(
      `${changed.names.at(-1)} ended with ${b!.status} in ${after}, with ${a!.status} in ${before}.`,
    )
  }
  if (added + removed > 0) {
    sentences.push(`Calls: ${added} added, ${removed} removed.`)
  }
  return sentences
}

const isFailed = ({ status }: CallNode) => status !== 'ok' && status !== 'pending'
