import { isDetached } from '../analysis/critical-path.ts'
import { endOf } from '../analysis/walk.ts'
import type { CallNode } from '../call-node.ts'

/** A call that its parent waited for, as much of it as lies within the parent's work. */
export interface Awaited {
  readonly call: CallNode
  /** Milliseconds from the root's beginning. */
  readonly fromMs: number
  readonly toMs: number
}

/** When a call began or ended, in the order in which it happened. */
export interface Moment {
  readonly awaited: Awaited
  readonly begins: boolean
  /** In how much of the time until then the parent itself was at work, waiting for nothing. */
  readonly ownMs: number
}

/** What a call did, moment by moment. */
export interface Course {
  readonly fromMs: number
  readonly toMs: number
  readonly moments: readonly Moment[]
  /** Of the whole work. */
  readonly ownMs: number
}

/**
 * The course of a call's work: what it waited for, in order, ends before the beginnings of the same
 * moment. A call that began after others had ended is taken to have waited for all of them, which is
 * all that a trace can tell.
 */
export function courseOf(call: CallNode): Course | undefined {
  const { offsetMs, totalMs, handleOffsetMs, handleMs, startMs, receiveMs } = call
  const seen = handleOffsetMs !== undefined && handleMs !== undefined
  const fromMs = seen ? handleOffsetMs : offsetMs
  const lasted = seen ? handleMs : totalMs
  if (lasted === undefined) return undefined
  const toMs = fromMs + lasted
  const queued =
    startMs === undefined || receiveMs === undefined ? 0 : Math.max(0, startMs - receiveMs)
  const ownFromMs = fromMs + Math.min(queued, lasted)
  const begins = awaitedBy(call, fromMs, toMs)
  const ends = begins.toSorted((a, b) => a.toMs - b.toMs || a.fromMs - b.fromMs)
  const begun = new Set<Awaited>()
  const moments: Moment[] = []
  let ownMs = 0
  let now = ownFromMs
  let open = 0
  const goOn = (to: number) => {
    if (open === 0 && to > now) ownMs += to - now
    now = Math.max(now, to)
  }
  let next = 0
  for (const end of ends) {
    while (next < begins.length && (begins[next]!.fromMs < end.toMs || !begun.has(end))) {
      const awaited = begins[next++]!
      goOn(awaited.fromMs)
      begun.add(awaited)
      open++
      moments.push({ awaited, begins: true, ownMs })
    }
    goOn(end.toMs)
    open--
    moments.push({ awaited: end, begins: false, ownMs })
  }
  goOn(toMs)
  return { fromMs, toMs, moments, ownMs }
}

function awaitedBy(parent: CallNode, fromMs: number, toMs: number): readonly Awaited[] {
  const found: Awaited[] = []
  for (const call of parent.calls) {
    const end = endOf(call)
    if (end === undefined || isDetached(call, parent)) continue
    const awaited = {
      call,
      fromMs: Math.max(fromMs, call.offsetMs),
      toMs: Math.min(toMs, end),
    }
    if (awaited.toMs >= awaited.fromMs) found.push(awaited)
  }
  return found.sort((a, b) => a.fromMs - b.fromMs || a.toMs - b.toMs)
}

/** How a call's length bears on its root's. */
export interface Leeway {
  /** How much the root gains at most from shortening the call, until something else is waited for. */
  readonly dragMs: number
  /** How much longer the call could take before anything waits for it. */
  readonly slackMs: number
}

/** Tells drag and slack of every call that anybody waited for, in time n log n and without recursion. */
export function leeways(root: CallNode): ReadonlyMap<CallNode, Leeway> {
  const found = new Map<CallNode, Leeway>()
  found.set(root, { dragMs: root.totalMs ?? 0, slackMs: 0 })
  const left = [root]
  for (let call = left.pop(); call !== undefined; call = left.pop()) {
    const own = found.get(call)
    const course = call.calls.length === 0 || own === undefined ? undefined : courseOf(call)
    if (own === undefined || course === undefined) continue
    let ended: Awaited[] = []
    let before = course.fromMs
    const wait = () => {
      const last = ended.at(-1)
      if (last === undefined) return
      // Whoever ended last is waited for; the one before it says how much that matters.
      const second = ended.at(-2)?.toMs ?? before
      for (const awaited of ended) {
        const slackMs = own.slackMs + last.toMs - awaited.toMs
        const gain = last.toMs - Math.max(second, awaited.fromMs)
        const dragMs = awaited === last ? Math.min(own.dragMs, gain) : 0
        found.set(awaited.call, { dragMs, slackMs })
      }
      before = last.toMs
      ended = []
    }
    for (const { awaited, begins } of course.moments) {
      if (begins) wait()
      else ended.push(awaited)
    }
    wait()
    for (const { awaited, begins } of course.moments) if (begins) left.push(awaited.call)
  }
  return found
}
