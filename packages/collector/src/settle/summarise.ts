import {
  bottlenecks,
  type CallNode,
  type CallTree,
  type CriticalSegment,
  callTree,
  criticalPath,
  type Failure,
  failures,
  type MapEnd,
  mappedCalls,
  partsOf,
  stragglers,
} from 'clew/trace'
import type { CallSummary, PartSummary, TraceRow, TraceSummary } from '../store/summary.ts'
import { traceOf } from './trace-of.ts'

/** Calls of a trace that are searched and counted one by one; of more only their number is known. */
export const MOST_CALLS = 100_000
const MOST_ATTRIBUTES = 128
const LONGEST_TEXT = 256

/** What a trace is found and counted by. */
export interface ToSummarise {
  readonly tenant: string
  /** 32 hex digits. */
  readonly traceId: string
  /** All packets of it that have come. */
  readonly packets: readonly Uint8Array[]
  /** False where it is certain that there is no earlier summary of it. */
  readonly replaces: boolean
}

/** The summary of a trace by way of its whole tree. Never throws, whatever the packets hold. */
export function summarise({ tenant, traceId, packets, replaces }: ToSummarise): TraceSummary {
  const { trace, weight } = traceOf(traceId, packets)
  const tree = callTree(trace)
  const path = criticalPath(tree)
  const failed = failures(tree, path)
  return {
    ...{ tenant, packets: packets.length, replaces },
    row: rowOf(tree, path, failed, traceId, weight),
    calls: callsOf(tree, path, failed),
    parts: isRequest(tree) ? partsIn(tree) : [],
  }
}

/** As `Breakdown` has it: what has a root with a duration. */
const isRequest = ({ root, totalMs }: CallTree) =>
  !root.placeholder && root.totalMs !== undefined && totalMs > 0

function partsIn(tree: CallTree): readonly PartSummary[] {
  return [...partsOf(tree)].map(({ service, layer, ms }) => ({ service, layer, us: toUs(ms)! }))
}

function rowOf(
  tree: CallTree,
  path: readonly CriticalSegment[],
  failed: readonly Failure[],
  traceId: string,
  weight: number,
): TraceRow {
  const calls = mappedCalls(tree)
  const first = tree.root.placeholder ? (calls[0]?.call ?? tree.root) : tree.root
  const failure = failed.find(({ masked }) => !masked)
  const begun = failure?.suspect ?? failure?.origin
  const [most] = bottlenecks(tree, path)
  const services = new Set<string>()
  for (const { end } of calls) if (end.kind === 'service') services.add(end.name)
  return {
    ...{ traceId, startUs: Math.max(0, toUs(tree.startedMs) ?? 0) },
    totalUs: tree.root.placeholder ? undefined : toUs(tree.root.totalMs),
    ...{ service: textOf(first.service), method: textOf(first.method) },
    ...{ host: textOf(first.callerHost ?? first.host), status: first.status },
    error: textOf(first.error),
    ...{ calls: tree.calls, missingCalls: tree.missingCalls },
    ...{ services: services.size, depth: depthOf(tree.root) },
    ...{ failedService: textOf(begun?.service), failedMethod: textOf(begun?.method) },
    ...{ bottleneckService: textOf(most?.service), bottleneckMethod: textOf(most?.method) },
    bottleneckShare: most === undefined ? 0 : Math.min(1, Math.max(0, most.shareOfTotal)),
    ...{ complete: tree.complete, weight, source: tree.source },
  }
}

function callsOf(
  tree: CallTree,
  path: readonly CriticalSegment[],
  failed: readonly Failure[],
): readonly CallSummary[] {
  const origins = new Set(failed.map(({ origin, suspect }) => suspect ?? origin))
  const slow = new Set(stragglers(tree, path).map(({ call }) => call))
  const critical = new Map<CallNode, number>()
  for (const { call, startMs, endMs } of path) {
    critical.set(call, (critical.get(call) ?? 0) + endMs - startMs)
  }
  return mappedCalls(tree)
    .slice(0, MOST_CALLS)
    .map(({ call, by }): CallSummary => {
      const { service, method, edge, status, inFlight } = call
      return {
        ...{ service: textOf(service), method: textOf(method) },
        ...callerOf(by),
        ...{ edge, host: textOf(call.host), version: textOf(call.version) },
        totalUs: toUs(call.totalMs),
        selfUs: toUs(call.selfMs),
        criticalUs: toUs(critical.get(call)) ?? 0,
        ...{ status, error: textOf(call.error), inFlight: inFlight ?? 0 },
        ...{ origin: origins.has(call), straggler: slow.has(call) },
        attributes: textsOf(call),
      }
    })
}

function callerOf({ kind, name, method }: MapEnd): {
  readonly callerService: string
  readonly callerMethod: string
} {
  return kind === 'outside'
    ? { callerService: '', callerMethod: '' }
    : { callerService: textOf(name), callerMethod: textOf(method) }
}

function textsOf({ attributes }: CallNode): Readonly<Record<string, string>> {
  if (attributes === undefined) return NOTHING
  // Names come from strangers: none of them may be one that objects have.
  const texts: Record<string, string> = Object.create(null)
  for (const [name, value] of Object.entries(attributes).slice(0, MOST_ATTRIBUTES)) {
    texts[textOf(name)] = textOf(String(value))
  }
  return texts
}

const NOTHING: Readonly<Record<string, string>> = Object.freeze(Object.create(null))

function depthOf(root: CallNode): number {
  let depth = 0
  let level: readonly CallNode[] = [root]
  for (; level.length > 0; level = level.flatMap(({ calls }) => calls)) depth++
  return root.placeholder ? depth - 1 : depth
}

/** Whole microseconds, never below 0; undefined for what is not known. */
function toUs(ms: number | undefined): number | undefined {
  if (ms === undefined || !Number.isFinite(ms)) return undefined
  return Math.max(0, Math.round(ms * 1000))
}

function textOf(text: string | undefined): string {
  if (text === undefined) return ''
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT - 1)}…`
}
