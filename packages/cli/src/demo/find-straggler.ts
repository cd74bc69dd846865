import { type CallNode, type CallTree, formatMs, slowestPath, stragglers } from 'clew/trace'

export interface StragglerFinding {
  readonly service: string
  readonly method: string
  readonly totalMs: number
  /** For people. */
  readonly sentence: string
}

/** The call that its siblings' caller had to wait for; where none stands out, the slowest one. */
export function findStraggler(tree: CallTree): StragglerFinding {
  const [straggler] = stragglers(tree)
  if (straggler === undefined) {
    const slowest = slowestPath(tree).at(-1)!
    const took = `${nameOf(slowest)}, took ${formatMs(slowest.totalMs)}`
    return finding(slowest, `No call straggled: the slowest, ${took}.`)
  }
  const { call, siblings, medianMs } = straggler
  return finding(
    call,
    `${nameOf(call)} straggled: it took ${formatMs(call.totalMs)} where half of the ${siblings} calls took ${formatMs(medianMs)} or less, and all of them had to wait for it.`,
  )
}

function finding(call: CallNode, sentence: string): StragglerFinding {
  const { service, method, totalMs = 0 } = call
  return { service, method, totalMs: Math.round(totalMs * 1000) / 1000, sentence }
}

function nameOf({ service, method }: CallNode): string {
  return `${service}.${method}`
}
