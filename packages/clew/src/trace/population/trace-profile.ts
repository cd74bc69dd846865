import { criticalPath } from '../analysis/critical-path.ts'
import { failures } from '../analysis/failures.ts'
import type { CallNode, CallTree } from '../call-node.ts'
import type { PathTable } from './path-table.ts'
import { leeways } from './siblings.ts'

/** What the calls of one path did in one trace. */
export interface PathUse {
  readonly path: number
  calls: number
  /** Critical time within the methods themselves, or in calls whose callee keeps no entries. */
  workMs: number
  /** Critical time between arrival and the method's beginning. */
  queueMs: number
  /** Critical time on the way there and back: network, broker and the queue in it. */
  wayMs: number
  /** Time in the methods themselves, waited for or not. */
  selfMs: number
  /** Time on the way there and back, waited for or not. */
  awayMs: number
  /** Calls that did not end well. */
  failed: number
  /** Calls in which a failure began. */
  origins: number
  /** Calls with entries of the caller alone. */
  unseen: number
  /** How much the root would gain at most, had the calls' own critical time not been needed. */
  dragMs: number
  /** How much longer each of the calls could have taken without the root taking longer; the least. */
  slackMs: number | undefined
}

/** What is kept of one trace. */
export interface TraceProfile {
  readonly traceId: string
  /** Path of the root: which kind of request it is. */
  readonly root: number
  readonly totalMs: number
  readonly failed: boolean
  readonly uses: readonly PathUse[]
  /** What its calls say of themselves, each once, as `name=value`. */
  readonly attributes: readonly string[]
}

/** Attributes kept of a trace. */
const MOST_ATTRIBUTES = 200
const LONGEST_ATTRIBUTE = 200

/** Undefined for what is no request with a known duration. */
export function profileOf(tree: CallTree, table: PathTable): TraceProfile | undefined {
  if (tree.calls === 0 || !(tree.totalMs >= 0)) return undefined
  const uses = new Map<number, PathUse>()
  const useOf = new Map<CallNode, PathUse>()
  const attributes = new Set<string>()
  const left: [CallNode, number][] = [[tree.root, table.enter(-1, tree.root)]]
  const root = left[0]![1]
  const slacks = leeways(tree.root)
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const [call, path] = next
    const use = uses.get(path) ?? unused(path)
    uses.set(path, use)
    useOf.set(call, use)
    count(use, call)
    const slack = slacks.get(call)?.slackMs
    if (slack !== undefined) use.slackMs = Math.min(use.slackMs ?? slack, slack)
    describe(call, attributes)
    for (const child of call.calls) left.push([child, table.enter(path, child)])
  }
  const critical = criticalPath(tree)
  const own = new Map<CallNode, number>()
  for (const { call, startMs, endMs } of critical) {
    const use = useOf.get(call)!
    addLegs(use, call, startMs, endMs)
    own.set(call, (own.get(call) ?? 0) + endMs - startMs)
  }
  for (const [call, ms] of own)
    useOf.get(call)!.dragMs += Math.min(ms, slacks.get(call)?.dragMs ?? 0)
  for (const { origin, suspect } of failures(tree, critical))
    useOf.get(suspect ?? origin)!.origins++
  const { traceId, totalMs } = tree
  const failed = tree.root.status !== 'ok' && tree.root.status !== 'pending'
  return { traceId, root, totalMs, failed, uses: [...uses.values()], attributes: [...attributes] }
}

const unused = (path: number): PathUse => ({
  ...{ path, calls: 0, workMs: 0, queueMs: 0, wayMs: 0, selfMs: 0, awayMs: 0 },
  ...{ failed: 0, origins: 0, unseen: 0, dragMs: 0, slackMs: undefined },
})

function count(use: PathUse, call: CallNode): void {
  if (call.placeholder) return
  use.calls++
  if (call.status !== 'ok' && call.status !== 'pending') use.failed++
  // Of what keeps no entries itself, the caller's are all that there is.
  const seen = call.handleMs !== undefined
  if (!seen && call.requestMs !== undefined) use.unseen++
  use.awayMs += call.networkMs ?? 0
  use.selfMs += (seen ? call.selfMs : call.totalMs) ?? 0
}

function addLegs(use: PathUse, call: CallNode, fromMs: number, toMs: number): void {
  const { handleMs, handleOffsetMs, startMs, receiveMs } = call
  if (handleMs === undefined || handleOffsetMs === undefined) {
    use.workMs += toMs - fromMs
    return
  }
  const waited =
    startMs === undefined || receiveMs === undefined ? 0 : Math.max(0, startMs - receiveMs)
  const begun = handleOffsetMs + Math.min(waited, handleMs)
  const work = within(fromMs, toMs, begun, handleOffsetMs + handleMs)
  const queue = within(fromMs, toMs, handleOffsetMs, begun)
  use.workMs += work
  use.queueMs += queue
  use.wayMs += Math.max(0, toMs - fromMs - work - queue)
}

const within = (from: number, to: number, least: number, most: number) =>
  Math.max(0, Math.min(to, most) - Math.max(from, least))

/** Where its calls ran, in which version, and what their systems kept beside. */
function describe(call: CallNode, attributes: Set<string>): void {
  const add = (name: string, value: unknown) => {
    if (attributes.size >= MOST_ATTRIBUTES) return
    const text = `${call.service} ${name}=${String(value)}`
    if (text.length <= LONGEST_ATTRIBUTE) attributes.add(text)
  }
  if (call.placeholder) return
  if (call.host !== undefined) add('host', call.host)
  if (call.version !== undefined) add('version', call.version)
  for (const name in call.attributes) add(name, call.attributes[name])
}

/** All time of the root that the calls of a path account for by themselves. */
export const criticalMsOf = (use: PathUse) => use.workMs + use.queueMs + use.wayMs
