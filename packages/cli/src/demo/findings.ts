import { type CallNode, type CallTree, failures, formatMs, slowestPath } from 'clew/trace'

export interface StragglerFinding {
  readonly service: string
  readonly method: string
  readonly totalMs: number
  readonly sentence: string
}

/** The call that a fan-out waited for: the end of the slowest path, beside its siblings. */
export function findStraggler(tree: CallTree): StragglerFinding {
  const path = slowestPath(tree)
  const slowest = path.at(-1)!
  const others = (path.at(-2)?.calls ?? []).filter((call) => call !== slowest)
  const usual = median(others.map(totalOf))
  const { service, method } = slowest
  const totalMs = totalOf(slowest)
  return {
    service,
    method,
    totalMs: Math.round(totalMs * 1000) / 1000,
    sentence: `${service}.${method} straggled: it took ${formatMs(totalMs)}, its ${others.length} siblings ${formatMs(usual)} in the median, and all had to wait for it.`,
  }
}

export interface FailureFinding {
  readonly service: string
  readonly method: string
  /** The error's class name. */
  readonly error: string
  readonly sentence: string
}

/** Where the trace's failure began; undefined when nothing failed. */
export function findFailure(tree: CallTree): FailureFinding | undefined {
  const [failure] = failures(tree)
  if (failure === undefined) return undefined
  const { origin, passedOn } = failure
  const { service, method, error = origin.status } = origin
  const messengers = passedOn.map((call) => call.service)
  const sentence = `${service}.${method} failed first, with ${error}`
  const last = messengers.pop()
  if (last === undefined) return { service, method, error, sentence: `${sentence}.` }
  const names = messengers.length === 0 ? last : `${messengers.join(', ')} and ${last}`
  return { service, method, error, sentence: `${sentence}; ${names} only passed it on.` }
}

function totalOf(call: CallNode): number {
  return call.totalMs ?? 0
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
}
