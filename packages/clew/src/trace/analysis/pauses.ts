import type { CallNode, CallTree } from '../call-node.ts'
import type { Pause } from '../entry.ts'
import { type CriticalSegment, criticalPath } from './critical-path.ts'
import { placesOf } from './walk.ts'

/** A pause of a process and the calls that it fell into. Inferred: nobody says that they waited for it. */
export interface PauseEffect {
  readonly pause: Pause
  /** Those that were at work in that process then, the longest overlap first, at most 100. */
  readonly calls: readonly { readonly call: CallNode; readonly overlapMs: number }[]
  /** How many they are in all. */
  readonly overlapped: number
  /** How much of what the answer waited for fell into the pause, in milliseconds. */
  readonly criticalMs: number
}

const MOST_CALLS = 100

interface Gathered {
  readonly pause: Pause
  calls: { readonly call: CallNode; readonly overlapMs: number }[]
  overlapped: number
  criticalMs: number
}

/** The pauses of one process, in order of their beginning. */
class Timeline {
  readonly #pauses: readonly Gathered[]
  /** The latest end among the first pauses, up to each. */
  readonly #ends: number[] = []

  constructor(pauses: readonly Gathered[]) {
    this.#pauses = pauses.toSorted((a, b) => a.pause.timeMs - b.pause.timeMs)
    let latest = Number.NEGATIVE_INFINITY
    for (const { pause } of this.#pauses) {
      latest = Math.max(latest, pause.timeMs + pause.ms)
      this.#ends.push(latest)
    }
  }

  /** Calls `take` with every pause that falls between two moments, and by how much. */
  within(fromMs: number, toMs: number, take: (pause: Gathered, overlapMs: number) => void): void {
    let low = 0
    for (let high = this.#pauses.length; low < high; ) {
      const middle = (low + high) >> 1
      if (this.#pauses[middle]!.pause.timeMs < toMs) low = middle + 1
      else high = middle
    }
    for (let index = low - 1; index >= 0 && this.#ends[index]! > fromMs; index--) {
      const { timeMs, ms } = this.#pauses[index]!.pause
      const overlapMs = Math.min(toMs, timeMs + ms) - Math.max(fromMs, timeMs)
      if (overlapMs > 0) take(this.#pauses[index]!, overlapMs)
    }
  }
}

/**
 * Joins what processes say of themselves to the calls that they were handling at that time (Barham et
 * al., Magpie, OSDI 2004: by process and time, since no id leads from one to the other). What cost the
 * answer most comes first; pauses that no call fell into come last.
 */
export function pauseEffects(
  tree: CallTree,
  path: readonly CriticalSegment[] = criticalPath(tree),
): readonly PauseEffect[] {
  const all = tree.pauses.map((pause): Gathered => {
    return { pause, calls: [], overlapped: 0, criticalMs: 0 }
  })
  if (all.length === 0) return []
  const timelines = new Map<string, Timeline>()
  for (const [process, pauses] of Map.groupBy(all, ({ pause }) => processOf(pause.host, pause.pid)))
    timelines.set(process, new Timeline(pauses))
  const timelineOf = ({ host, pid }: CallNode) =>
    host === undefined ? undefined : timelines.get(processOf(host, pid))
  for (const call of placesOf(tree.root)) {
    const { receiveMs, respondMs } = call
    if (receiveMs === undefined || respondMs === undefined) continue
    timelineOf(call)?.within(receiveMs, respondMs, (gathered, overlapMs) => {
      gathered.overlapped++
      gathered.calls.push({ call, overlapMs })
      if (gathered.calls.length >= MOST_CALLS * 2) keepLongest(gathered)
    })
  }
  for (const { call, startMs, endMs } of path) {
    const { receiveMs, handleMs, handleOffsetMs } = call
    if (receiveMs === undefined || handleMs === undefined || handleOffsetMs === undefined) continue
    // On the callee's own clock, and only while it was at work.
    const from = receiveMs + Math.max(0, startMs - handleOffsetMs)
    const to = receiveMs + Math.min(handleMs, endMs - handleOffsetMs)
    timelineOf(call)?.within(from, to, (gathered, overlapMs) => {
      gathered.criticalMs += overlapMs
    })
  }
  for (const gathered of all) keepLongest(gathered)
  return all.sort((a, b) => b.criticalMs - a.criticalMs || b.overlapped - a.overlapped)
}

const processOf = (host: string, pid: number | undefined) => `${pid ?? ''} ${host}`

function keepLongest(gathered: Gathered): void {
  gathered.calls.sort((a, b) => b.overlapMs - a.overlapMs)
  gathered.calls.length = Math.min(gathered.calls.length, MOST_CALLS)
}
