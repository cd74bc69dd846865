import { type CallNode, type CallTree, callName, criticalPath } from 'clew/trace'
import { isOperation } from './condition.ts'

/**
 * What the answer waited for: `wait`: on the way to the callee or back (network, broker); `queue`: in
 * the callee's process, before its method began; `work`: the method itself, or an operation; `unknown`:
 * a callee that keeps no entries.
 */
export type Leg = 'wait' | 'queue' | 'work' | 'unknown'

/** A stretch of the critical path. Milliseconds from the root's beginning. */
export interface CriticalStep {
  readonly call: CallNode
  readonly leg: Leg
  readonly fromMs: number
  readonly toMs: number
}

/** The critical path in order of time, each stretch split where its leg changes. */
export function criticalSteps(tree: CallTree): readonly CriticalStep[] {
  const steps: CriticalStep[] = []
  for (const { call, startMs, endMs } of criticalPath(tree)) {
    let at = startMs
    for (const [leg, untilMs] of legsOf(call)) {
      const toMs = Math.min(endMs, untilMs)
      if (!(toMs > at)) continue
      const last = steps.at(-1)
      const goesOn = last?.call === call && last.leg === leg && last.toMs === at
      if (goesOn) steps[steps.length - 1] = { ...last, toMs }
      else steps.push({ call, leg, fromMs: at, toMs })
      at = toMs
    }
  }
  return steps
}

const FOREVER = Number.POSITIVE_INFINITY

/** Until when each leg of a call goes on, in order. */
function legsOf(call: CallNode): readonly (readonly [Leg, number])[] {
  const { handleOffsetMs: received, handleMs, startMs, receiveMs } = call
  if (received === undefined || handleMs === undefined) {
    return [[isOperation(call) || call.edge === 'local' ? 'work' : 'unknown', FOREVER]]
  }
  const queued = startMs !== undefined && receiveMs !== undefined ? startMs - receiveMs : 0
  return [
    ['wait', received],
    ['queue', received + Math.min(handleMs, Math.max(0, queued))],
    ['work', received + handleMs],
    ['wait', FOREVER],
  ]
}

/** What took most of the path, by method and leg. */
export interface CriticalPart {
  readonly name: string
  readonly leg: Leg
  readonly ms: number
  /** Host of the call that took most of it; undefined where several calls shared it. */
  readonly host: string | undefined
  readonly calls: number
  /** What the clocks leave open: how much of it may be the neighbouring leg's; undefined where unknown. */
  readonly errorMs: number | undefined
}

/** The parts of the path, the longest first. */
export function criticalParts(steps: readonly CriticalStep[]): readonly CriticalPart[] {
  const parts = new Map<string, { ms: number; step: CriticalStep; calls: Set<CallNode> }>()
  for (const step of steps) {
    const key = `${step.leg} ${callName(step.call)}`
    const part = parts.get(key) ?? { ms: 0, step, calls: new Set() }
    part.ms += step.toMs - step.fromMs
    part.calls.add(step.call)
    parts.set(key, part)
  }
  return [...parts.values()]
    .sort((one, other) => other.ms - one.ms)
    .map(({ ms, step, calls }) => ({
      ...{ name: callName(step.call), leg: step.leg, ms, calls: calls.size },
      host: calls.size === 1 ? step.call.host : undefined,
      errorMs: calls.size === 1 ? step.call.legErrorMs : undefined,
    }))
}
