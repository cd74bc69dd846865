import {
  type CallNode,
  type CallTree,
  ClockPool,
  callTree,
  type Entry,
  type Fold,
  type Trace,
} from '../../trace/index.ts'
import type { Aliases } from './alias.ts'
import type { Scope } from './scope.ts'

/** What stands for calls below those that may be seen, and for statements. */
export const INTERNAL = 'internal'
export const STATEMENT = 'statement'
/** Where nothing may be known of hosts. */
const NO_HOST = 'hidden'

export interface ViewOptions {
  readonly scope: Scope
  readonly aliases: Aliases
  /** Id of the call that was asked for; a trace that does not begin with it has no view. @default its root's */
  readonly call?: string | undefined
  /** The trace's id in the view. @default its alias; its own in the full view */
  readonly traceId?: string | undefined
}

/**
 * What somebody may see of a trace: a trace again, made of nothing but what their scope shows.
 * - `total`: one call, its two ends a whole number of milliseconds apart; no host, process, error or
 *   number of calls.
 * - `own`: the asked service's call and those it made, with service, method, status and class of the
 *   error; hosts by their aliases, statements of databases as `statement`, all that lies below a call
 *   as one call `internal` in its middle, as long as the call waited. All times are on one clock.
 * - `full`: everything.
 * Undefined for `none`, and for a trace without calls.
 */
export function viewOf(
  trace: Trace,
  options: ViewOptions,
  tree: CallTree = callTree(trace),
): Trace | undefined {
  const { scope, aliases, call, traceId } = options
  if (scope === 'none') return undefined
  if (scope === 'full') return trace
  const root = askedCall(tree.root)
  if (root === undefined || (call !== undefined && root.id !== call)) return undefined
  const id = traceId ?? aliases.traceId(trace.id)
  const view = { id, missing: [], relays: [], complete: scope === 'total' || trace.complete }
  const ends = endsOf(tree, root)
  if (scope === 'total') {
    const entries = totalEntries(root, ends, id)
    return { ...view, entries, folds: [] }
  }
  const placed = callTree(trace, { clocks: clocksSeen(tree, root) })
  const shown = askedCall(placed.root) ?? root
  return { ...view, ...ownRecords(shown, endsOf(placed, shown), { trace: id, aliases }) }
}

/**
 * What the shown calls alone prove of clocks: where a call lies must not tell anything of calls below
 * it that nobody may see.
 */
function clocksSeen(tree: CallTree, root: CallNode): ClockPool {
  const seen = new ClockPool()
  const calls = root.calls.map((call) => ({ ...call, offsetMs: 0, calls: [] }))
  seen.add({ ...tree, root: { ...root, offsetMs: 0, calls } })
  return seen
}

/** The call that was asked for: the root, or the first below places that were only made up. */
export function askedCall(root: CallNode): CallNode | undefined {
  let level: readonly CallNode[] = [root]
  while (level.length > 0) {
    const call = level.find(({ placeholder }) => !placeholder)
    if (call !== undefined) return call
    level = level.flatMap(({ calls }) => calls)
  }
  return undefined
}

interface Ends {
  /** Milliseconds since 1970 of offset 0. */
  readonly originMs: number
  readonly startMs: number
  readonly endMs: number | undefined
}

function endsOf(tree: CallTree, root: CallNode): Ends {
  const originMs = Number.isFinite(tree.startedMs) ? tree.startedMs : 0
  const startMs = originMs + (root.handleOffsetMs ?? root.offsetMs)
  const took = root.handleMs ?? root.totalMs
  return { originMs, startMs, endMs: took === undefined ? undefined : startMs + Math.max(0, took) }
}

function totalEntries(root: CallNode, { startMs, endMs }: Ends, trace: string): Entry[] {
  const { id, service, method } = root
  const same = { host: NO_HOST, service, method, id, trace, parent: null }
  const begin = Math.round(startMs)
  const entries: Entry[] = [{ kind: 'rpc-receive', timeMs: begin, ...same }]
  if (endMs === undefined) return entries
  const ending: Partial<Entry> = root.status === 'ok' ? {} : { status: 'error' }
  const timeMs = begin + Math.round(endMs - startMs)
  entries.push({ kind: 'rpc-respond', timeMs, ...same, ...ending, calls: 0 })
  return entries
}

interface Place {
  readonly trace: string
  readonly aliases: Aliases
}

function ownRecords(
  root: CallNode,
  { originMs, startMs, endMs }: Ends,
  { trace, aliases }: Place,
): Pick<Trace, 'entries' | 'folds'> {
  const host = aliases.host(root.host ?? root.callerHost ?? '')
  const { id, service, method } = root
  const same = { host, service, method, id, trace, parent: null }
  const entries: Entry[] = [{ kind: 'rpc-receive', timeMs: startMs, ...same }]
  const shown = root.calls.filter(
    ({ placeholder, requestMs }) => !placeholder && requestMs !== undefined,
  )
  shown.forEach((call, seq) => {
    const place = { trace, aliases, host, originMs, parent: id, seq }
    entries.push(...callEntries(call, place))
  })
  const merged = root.folds.reduce((sum, { count }) => sum + count, 0)
  if (endMs !== undefined) {
    const calls = shown.length + merged
    entries.push({ kind: 'rpc-respond', timeMs: endMs, ...same, ...endingOf(root), calls })
  }
  const folds = root.folds.map(({ offsetMs, edge, ...fold }): Fold => {
    const name = edge === 'down' ? STATEMENT : fold.method
    const times = { ...fold, method: name, calls: fold.count, timeMs: originMs + offsetMs }
    return { parent: id, trace, host, ...times, ...(edge === undefined ? {} : { edge }) }
  })
  return { entries, folds }
}

/** A call that the asked service made, with what lies below merged into one. */
function callEntries(
  call: CallNode,
  at: Place & {
    readonly host: string
    readonly originMs: number
    readonly parent: string
    readonly seq: number
  },
): Entry[] {
  const { id, service, edge, totalMs, handleMs, handleOffsetMs } = call
  const method = edge === 'down' ? STATEMENT : call.method
  const same = { service, method, id, trace: at.trace, parent: at.parent }
  const requestMs = at.originMs + call.offsetMs
  const first: Partial<Entry> = {
    ...(edge === 'call' ? {} : { edge }),
    ...(call.attempt > 1 ? { attempt: call.attempt } : {}),
  }
  const { host } = at
  const entries: Entry[] = [
    { kind: 'rpc-request', timeMs: requestMs, host, ...same, seq: at.seq, ...first },
  ]
  if (call.host !== undefined && handleOffsetMs !== undefined) {
    const callee = { host: at.aliases.host(call.host), ...same }
    const receiveMs = at.originMs + handleOffsetMs
    entries.push({ kind: 'rpc-receive', timeMs: receiveMs, ...callee })
    if (handleMs !== undefined) {
      const below = internalEntries(call, receiveMs, at)
      entries.push(...below)
      const ending = { ...endingOf(call), calls: below.length > 0 ? 1 : 0 }
      entries.push({ kind: 'rpc-respond', timeMs: receiveMs + handleMs, ...callee, ...ending })
    }
  }
  if (call.finishMs !== undefined && totalMs !== undefined) {
    const ending = endingOf(call)
    entries.push({ kind: 'rpc-finish', timeMs: requestMs + totalMs, host, ...same, ...ending })
  }
  return entries
}

function internalEntries(call: CallNode, receiveMs: number, at: Place): Entry[] {
  const { handleMs = 0, selfMs = handleMs } = call
  const waitedMs = handleMs - selfMs
  if (!(waitedMs > 0)) return []
  const id = at.aliases.callId(call.id)
  const host = at.aliases.host(call.host ?? '')
  const names = { service: INTERNAL, method: INTERNAL }
  const same = { host, ...names, id, trace: at.trace, parent: call.id }
  // In the middle: when the call waited is its own affair.
  const requestMs = receiveMs + selfMs / 2
  return [
    { kind: 'rpc-request', timeMs: requestMs, ...same, seq: 0 },
    { kind: 'rpc-finish', timeMs: requestMs + waitedMs, ...same },
  ]
}

function endingOf({ status, error }: CallNode): Partial<Entry> {
  return {
    ...(status === 'ok' ? {} : { status }),
    ...(error === undefined ? {} : { error }),
  }
}
