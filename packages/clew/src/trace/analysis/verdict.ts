import type { CallNode, CallTree } from '../call-node.ts'
import type { Edge } from '../entry.ts'
import { type CriticalSegment, criticalPath } from './critical-path.ts'
import { type Failure, type FailureKind, failures } from './failures.ts'
import { formatMs, formatShare } from './format-ms.ts'
import { type Leg, type Straggler, stragglers } from './stragglers.ts'
import { nameOf } from './walk.ts'

/** Where most of the root's time went, by the critical path. */
export interface Bottleneck {
  readonly service: string
  readonly method: string
  readonly edge: Edge
  /** Host of the call that spent most of it. */
  readonly host: string | undefined
  /** `work`: the method itself. `wait`: on the way to it and back, queue included. */
  readonly where: 'work' | 'wait'
  /** From 0 to 1. */
  readonly shareOfTotal: number
  readonly ms: number
  /** Calls on the critical path that add up to it. */
  readonly calls: number
}

/** A trace's answer in a sentence or two, and what it rests on. */
export interface Verdict {
  readonly sentences: readonly string[]
  readonly failure?: Failure
  readonly straggler?: Straggler
  readonly bottleneck?: Bottleneck
}

/** Share from which on one place can be called the reason. */
const CLEAR = 0.3

/** What failed first and who only passed it on; which sibling straggled; else where the time went. */
export function verdict(tree: CallTree): Verdict {
  const path = criticalPath(tree)
  const failed = failures(tree, path)
  const failure = failed.find(({ masked }) => !masked)
  const aside = failed.find(({ handler }) => handler !== undefined)
  const [straggler] = stragglers(tree, path)
  const places = spentBy(tree, path)
  const [bottleneck] = places
  const sentences: string[] = []
  if (tree.calls === 0) return { sentences: ['There is no call in this trace.'] }
  if (failure !== undefined) sentences.push(failureSentence(failure))
  else if (straggler !== undefined) sentences.push(stragglerSentence(straggler, tree))
  else sentences.push(timeSentence(places, tree))
  if (aside !== undefined) sentences.push(asideSentence(aside))
  const doubt = doubtSentence(tree)
  if (doubt !== undefined) sentences.push(doubt)
  return {
    sentences,
    ...(failure === undefined ? {} : { failure }),
    ...(straggler === undefined ? {} : { straggler }),
    ...(bottleneck === undefined ? {} : { bottleneck }),
  }
}

const at = (call: CallNode) =>
  call.host === undefined ? nameOf(call) : `${nameOf(call)} on ${call.host}`

/** `a`, `a and b`, `a, b and 3 more`. */
function list(names: readonly string[]): string {
  const distinct = [...new Set(names)]
  if (distinct.length <= 1) return distinct.join('')
  const shown = distinct.length > 3 ? distinct.slice(0, 2) : distinct.slice(0, -1)
  const last = distinct.length > 3 ? `${distinct.length - 2} more` : distinct.at(-1)
  return `${shown.join(', ')} and ${last}`
}

const ENDINGS: Readonly<Record<FailureKind, string>> = {
  error: 'failed',
  rejected: 'was refused',
  cancelled: 'was cancelled',
  lost: 'was lost with its connection',
  timeout: 'was not done when its caller stopped waiting',
  crash: 'was taken up and never answered: its process crashed or hangs',
  unanswered: 'was not answered: nothing was heard of a callee',
}

function failureSentence({ origin, kind, passedOn, suspect }: Failure): string {
  const named = origin.error !== undefined && (kind === 'error' || kind === 'rejected')
  const error = named ? ` with ${origin.error}` : ''
  const after = origin.totalMs === undefined ? '' : ` after ${formatMs(origin.totalMs)}`
  const others = passedOn.length === 0 ? '' : `; ${list(passedOn.map(nameOf))} only passed it on`
  const busy = suspect === undefined || suspect === origin ? '' : `, then at work in ${at(suspect)}`
  return `${at(origin)} ${ENDINGS[kind]}${error}${after}${busy}${others}.`
}

/** What went wrong in work that nobody waited for. */
function asideSentence(failure: Failure): string {
  return `Nobody waited for it, but ${failureSentence(failure)}`
}

const REASONS: Readonly<Record<Leg, string>> = {
  wait: 'on the way to it and back',
  start: 'before its method began',
  self: 'in the method itself',
  downstream: 'in calls it made in its turn',
}

function stragglerSentence(straggler: Straggler, tree: CallTree): string {
  const { call, siblings, services, medianMs, leg, excessMs } = straggler
  const which =
    services === 1
      ? `One of ${siblings} calls to ${at(call)}`
      : `${at(call)}, one of ${siblings} calls of ${call.method} at once,`
  const where = leg === undefined ? '' : `, most of it ${REASONS[leg]}`
  const share = tree.totalMs > 0 ? formatShare(Math.min(1, excessMs / tree.totalMs)) : '0 %'
  return (
    `${which} took ${formatMs(call.totalMs)} where half of them took ` +
    `${formatMs(medianMs)} or less: the difference is ${share} of the whole${where}.`
  )
}

function timeSentence(places: readonly Bottleneck[], tree: CallTree): string {
  const [first, second] = places
  const total = formatMs(tree.totalMs)
  if (tree.root.totalMs === undefined && !tree.root.placeholder) {
    return `How long the call took is not known; what was seen of it took ${total}.`
  }
  if (first === undefined) return `The call took ${total}.`
  if (first.shareOfTotal < CLEAR && second !== undefined) {
    return (
      `No single place explains the ${total}: the most, ${formatShare(first.shareOfTotal)}, ` +
      `${wentTo(first)}, then ${formatShare(second.shareOfTotal)} ${wentTo(second)}.`
    )
  }
  return `${formatShare(first.shareOfTotal)} of ${total} ${wentTo(first)}.`
}

function wentTo({ where, calls, host, ...place }: Bottleneck): string {
  const many = calls > 1 ? ` (${calls} calls)` : ''
  const on = host === undefined || calls > 1 ? '' : ` on ${host}`
  const into = where === 'work' ? 'went to' : 'was spent on the way to and from'
  return `${into} ${nameOf(place)}${on}${many}`
}

function doubtSentence({ missingCalls, complete, problems }: CallTree): string | undefined {
  if (missingCalls > 0) {
    const calls = missingCalls === 1 ? '1 call is' : `${missingCalls} calls are`
    return `${calls} merged or missing, so there may be more to it.`
  }
  if (complete) return undefined
  if (problems.some(({ kind }) => kind === 'several_roots')) {
    return 'The entries belong to several calls that nobody here made.'
  }
  return 'Some entries are missing, so there may be more to it.'
}

interface Spent {
  readonly call: CallNode
  readonly where: 'work' | 'wait'
  ms: number
  most: number
  readonly calls: Set<CallNode>
  host: string | undefined
}

/** Critical time by method, work and wait apart, the most first. */
function spentBy(tree: CallTree, path: readonly CriticalSegment[]): Bottleneck[] {
  const spent = new Map<string, Spent>()
  for (const segment of path) {
    const [work, wait] = split(segment)
    add(spent, segment.call, 'work', work)
    add(spent, segment.call, 'wait', wait)
  }
  const order = [...spent.values()].sort((a, b) => b.ms - a.ms)
  return order.map(({ call, where, ms, calls, host }) => ({
    service: call.service,
    method: call.method,
    edge: call.edge,
    host,
    where,
    shareOfTotal: tree.totalMs > 0 ? ms / tree.totalMs : 0,
    ms,
    calls: calls.size,
  }))
}

function add(spent: Map<string, Spent>, call: CallNode, where: Spent['where'], ms: number): void {
  if (ms <= 0) return
  const key = `${where} ${nameOf(call)}`
  let sum = spent.get(key)
  if (sum === undefined) {
    sum = { call, where, ms: 0, most: 0, calls: new Set(), host: undefined }
    spent.set(key, sum)
  }
  sum.ms += ms
  sum.calls.add(call)
  if (ms <= sum.most) return
  sum.most = ms
  sum.host = call.host
}

/** How much of a segment lay within the callee's work, and how much on the way to it and back. */
function split({ call, startMs, endMs }: CriticalSegment): [work: number, wait: number] {
  const { handleOffsetMs, handleMs } = call
  const whole = endMs - startMs
  // Without the callee's entries nobody can tell them apart; a database's work is its caller's wait.
  if (handleOffsetMs === undefined || handleMs === undefined) return [whole, 0]
  const from = Math.max(startMs, handleOffsetMs)
  const work = Math.max(0, Math.min(endMs, handleOffsetMs + handleMs) - from)
  return [work, whole - work]
}
