import { nameOf, placesOf } from '../analysis/walk.ts'
import type { CallNode, CallTree } from '../call-node.ts'
import { courseOf } from './siblings.ts'

/** Which time is imagined to be longer or shorter. What is left out of it may be anything. */
export interface Change {
  /** A service, or a service and its method as they are told: `orders`, `orders.get_order`. */
  readonly name?: string
  readonly service?: string
  readonly method?: string
  /** Where the method ran. */
  readonly host?: string
  readonly pid?: number
  /** `work`: of the methods themselves; `way`: there and back, network, broker and queue. @default 'work' */
  readonly leg?: 'work' | 'way'
  /** 0.5 is half as long. */
  readonly factor: number
}

/**
 * How long the root would have taken, had a part of the work taken another time. What began after
 * something had ended moves with it; what ran beside it does not. From the leaves up, without
 * recursion. A factor of 1 gives the very total.
 */
export function retimed(tree: CallTree, change: Change): number {
  const grown = new Map<CallNode, number>()
  for (const call of [...placesOf(tree.root)].reverse()) {
    const growth = growthOf(call, change, grown)
    if (growth !== 0) grown.set(call, growth)
  }
  return Math.max(0, tree.totalMs + (grown.get(tree.root) ?? 0))
}

export function concerns(change: Change, call: CallNode): boolean {
  const { name, service, method, host, pid } = change
  return (
    (name === undefined || isNamed(call, name)) &&
    (service === undefined || service === call.service) &&
    (method === undefined || method === call.method) &&
    (host === undefined || host === call.host) &&
    (pid === undefined || pid === call.pid) &&
    !call.placeholder
  )
}

const isNamed = (call: CallNode, name: string) =>
  name === call.service || name === nameOf(call) || name === `${call.service}.${call.method}`

function growthOf(call: CallNode, change: Change, grown: ReadonlyMap<CallNode, number>): number {
  const meant = concerns(change, call)
  const stretch = meant && change.leg !== 'way' ? change.factor - 1 : 0
  const way = meant && change.leg === 'way' ? (call.networkMs ?? 0) * (change.factor - 1) : 0
  if (stretch === 0 && !call.calls.some((child) => grown.has(child))) return way
  const course = courseOf(call)
  if (course === undefined) return way
  // Merged calls have no place in the course, so they are taken from the time that seems its own.
  const folded = call.folds.length > 0 && course.ownMs > 0
  const own = folded ? Math.min(1, (call.selfMs ?? 0) / course.ownMs) : 1
  const perOwn = stretch * own
  /** What lasted longest until now, before and after; what was begun since waits for it. */
  let [lastEnd, newEnd, ownThen] = [course.fromMs, course.fromMs, 0]
  const moved = new Map<CallNode, number>()
  for (const { awaited, begins, ownMs } of course.moments) {
    if (begins) {
      moved.set(awaited.call, newEnd - lastEnd + perOwn * (ownMs - ownThen))
      continue
    }
    const longer = Math.max(grown.get(awaited.call) ?? 0, awaited.fromMs - awaited.toMs)
    const end = awaited.toMs + moved.get(awaited.call)! + longer
    if (awaited.toMs > lastEnd) ownThen = ownMs
    lastEnd = Math.max(lastEnd, awaited.toMs)
    newEnd = Math.max(newEnd, end)
  }
  return way + newEnd - lastEnd + perOwn * (course.ownMs - ownThen)
}
