import type { CallNode, CallTree } from '../call-node.ts'
import type { Status } from '../entry.ts'
import { endOf, nameOf, placesOf } from './walk.ts'

/** One call that was tried several times. */
export interface Retry {
  readonly parent: CallNode
  /** In the order in which they were made; the last one decided. */
  readonly tries: readonly CallNode[]
  /** From the first try to the beginning of the last one, in milliseconds: what trying again cost. */
  readonly costMs: number
  /**
   * True where no attempt is numbered: a call of the same method was made after the one before it had
   * failed, which may as well be a loop over several things.
   */
  readonly inferred: boolean
}

/** How a call ends that did not do what it was asked for. */
export const FAILED: ReadonlySet<Status> = new Set([
  ...(['error', 'rejected', 'timeout', 'cancelled', 'lost'] as const),
])

/** Calls that were tried again, what cost most first. Of foreign traces often inferred, and told as such. */
export function retries(tree: CallTree): readonly Retry[] {
  const found: Retry[] = []
  for (const parent of placesOf(tree.root)) {
    if (parent.calls.length < 2) continue
    for (const inferred of [false, true]) {
      for (const tries of triesOf(parent, inferred)) {
        const costMs = Math.max(0, tries.at(-1)!.offsetMs - tries[0]!.offsetMs)
        found.push({ parent, tries, costMs, inferred })
      }
    }
  }
  return found.sort((a, b) => Number(a.inferred) - Number(b.inferred) || b.costMs - a.costMs)
}

interface Moment {
  readonly ms: number
  readonly call: CallNode
  readonly ends: boolean
}

/**
 * Chains of tries among one parent's calls: a try follows the failed one of the same method that ended
 * first and was not followed yet. With `inferring`, calls without numbers; else those with.
 */
export function triesOf(parent: CallNode, inferring: boolean): readonly (readonly CallNode[])[] {
  const { calls } = parent
  if (!calls.some(({ attempt, status }) => (inferring ? FAILED.has(status) : attempt > 1)))
    return []
  const moments: Moment[] = []
  const numbered = inferring ? numberedNames(calls) : undefined
  for (const call of calls) {
    const end = endOf(call)
    if (call.placeholder || numbered?.has(nameOf(call))) continue
    moments.push({ ms: call.offsetMs, call, ends: false })
    if (end !== undefined && FAILED.has(call.status)) moments.push({ ms: end, call, ends: true })
  }
  moments.sort((a, b) => a.ms - b.ms || Number(b.ends) - Number(a.ends))
  const waiting = new Map<string, { readonly chains: CallNode[][]; next: number }>()
  const chains = new Map<CallNode, CallNode[]>()
  for (const { call, ends } of moments) {
    const name = nameOf(call)
    if (ends) {
      const key = inferring ? name : `${call.attempt + 1} ${name}`
      const line = waiting.get(key) ?? { chains: [], next: 0 }
      line.chains.push(chains.get(call) ?? [call])
      waiting.set(key, line)
      continue
    }
    const line = waiting.get(inferring ? name : `${call.attempt} ${name}`)
    const chain = line?.chains[line.next]
    if (chain === undefined) {
      chains.set(call, [call])
    } else {
      line!.next++
      chain.push(call)
      chains.set(call, chain)
    }
  }
  return [...new Set(chains.values())].filter(({ length }) => length > 1)
}

function numberedNames(calls: readonly CallNode[]): ReadonlySet<string> {
  const names = new Set<string>()
  for (const call of calls) if (call.attempt > 1) names.add(nameOf(call))
  return names
}
