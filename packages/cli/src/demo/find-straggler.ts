import { type CallNode, type CallTree, formatMs, slowestPath } from 'clew/trace'

export interface StragglerFinding {
  readonly service: string
  readonly method: string
  readonly totalMs: number
  readonly sentence: string
}

/** How many times its siblings' median a call must take to be called a straggler. */
const CLEARLY = 2

/** The call that a fan-out waited for: the end of the slowest path, beside its siblings. */
export function findStraggler(tree: CallTree): StragglerFinding {
  const path = slowestPath(tree)
  const slowest = path.at(-1)!
  const others = (path.at(-2)?.calls ?? []).filter((call) => call !== slowest)
  const usual = median(others.map(totalOf))
  const { service, method } = slowest
  const totalMs = totalOf(slowest)
  const siblings = `its ${others.length} siblings ${formatMs(usual)} in the median`
  return {
    service,
    method,
    totalMs: Math.round(totalMs * 1000) / 1000,
    sentence:
      totalMs >= CLEARLY * usual
        ? `${service}.${method} straggled: it took ${formatMs(totalMs)}, ${siblings}, and all had to wait for it.`
        : `No call straggled: the slowest, ${service}.${method}, took ${formatMs(totalMs)}, ${siblings}.`,
  }
}

function totalOf(call: CallNode): number {
  return call.totalMs ?? 0
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
}
