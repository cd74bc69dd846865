import type { CallNode, CallTree } from '../call-node.ts'
import type { Bottleneck } from './bottlenecks.ts'
import type { Failure, FailureKind } from './failures.ts'
import { formatMs, formatShare } from './format-ms.ts'
import type { Leg } from './legs.ts'
import type { PauseEffect } from './pauses.ts'
import type { Retry } from './retries.ts'
import type { Straggler } from './stragglers.ts'
import type { Unfinished } from './unfinished.ts'
import { placesOf, spokenName } from './walk.ts'

/** ` on vm-2`; with the process where several of one host are in the trace. */
function instance(call: CallNode, tree: CallTree): string {
  const { host, pid, service } = call
  if (host === undefined || host === '') return ''
  if (pid === undefined) return ` on ${host}`
  for (const other of placesOf(tree.root)) {
    const beside = other.host === host && other.service === service && other.pid !== undefined
    if (beside && other.pid !== pid) return ` on ${host} (pid ${pid})`
  }
  return ` on ${host}`
}

const at = (call: CallNode, tree: CallTree) => `${spokenName(call)}${instance(call, tree)}`

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
  caller: 'answered well, but its caller failed of it',
}

/** What failed first, how, and who only passed it on. */
export function failureSentence(failure: Failure, tree: CallTree): string {
  const { origin, kind, passedOn, suspect } = failure
  const named =
    origin.error !== undefined && (kind === 'error' || kind === 'rejected' || kind === 'caller')
  const error = named ? ` with ${origin.error}` : ''
  const after = origin.totalMs === undefined ? '' : ` after ${formatMs(origin.totalMs)}`
  const ended = endingOf(failure, `${error}${after}`)
  const queue =
    kind === 'unanswered' && origin.calls.length === 0 && isQueued(origin)
      ? ` (its queue is rpc-${origin.service})`
      : ''
  const busy =
    suspect === undefined || suspect === origin ? '' : `, then at work in ${at(suspect, tree)}`
  const others =
    passedOn.length === 0 ? '' : `; ${list(passedOn.map(spokenName))} only passed it on`
  return `${at(origin, tree)} ${ended}${queue}${busy}${others}.${doubtOf(failure)}`
}

const SILENT = 'its process crashed, cannot be reached or keeps no records'

/** What it called is here, and of itself nothing. */
const takenUp = (calls: readonly CallNode[]) =>
  `was taken up, for it called ${list(calls.map(spokenName))}, `

/** On what everybody waits. */
export function unfinishedSentence({ call, atWork, waiting }: Unfinished, tree: CallTree): string {
  const names = waiting.map(spokenName)
  const others = names.length === 0 ? '' : `; ${list(names)} ${verb(names)} for it`
  if (atWork) {
    return `${at(call, tree)} was still at work ${formatMs(call.runningMs)} after it had begun${others}.`
  }
  const { calls } = call
  const what =
    calls.length > 0
      ? `${takenUp(calls)}and has not answered: ${SILENT}`
      : `has not answered, and nothing was heard of it: it waits in its queue, or ${SILENT}`
  return `${at(call, tree)} ${what}${others}.`
}

const verb = (names: readonly string[]) => (new Set(names).size === 1 ? 'waits' : 'wait')

/** How it ended; `after` says after how long. */
function endingOf({ kind, origin }: Failure, after: string): string {
  const { status, runningMs, calls } = origin
  if (kind === 'lost' && status === 'timeout') return `${heldUp(origin)}${after}`
  if (kind === 'crash' && runningMs !== undefined) {
    const hangs = `was still at work ${formatMs(runningMs)} after it had taken it up`
    return status === 'timeout' ? `was given up${after}, and ${hangs}` : `${hangs}: it may hang`
  }
  // What it called is here, and nothing of its own: of its process nothing is left to ask.
  if (kind === 'unanswered' && calls.length > 0) {
    return `${takenUp(calls)}and did not answer${after}: ${SILENT}`
  }
  return `${ENDINGS[kind]}${after}`
}

function heldUp({ host, callerHost, handleMs }: CallNode): string {
  if (host === callerHost)
    return 'answered in time, but its reply was lost on the way: it was given up'
  return `took ${formatMs(handleMs)} for its work, but its request was held up or its reply was lost: it was given up`
}

/** Methods of HTTP and of operations have no queue of their own. */
const isQueued = ({ edge, method }: CallNode) => edge === 'call' && !/\s/u.test(method)

function doubtOf({ doubt, origin, passedOn }: Failure): string {
  const [above] = passedOn
  if (doubt === 'hidden') {
    return ' Calls that may be its own are missing: whether it failed of one of them is unclear.'
  }
  if (doubt === 'between' && above !== undefined) {
    return ` Calls between it and ${spokenName(above)} did well, so it is unclear whether that was the reason.`
  }
  if (doubt === 'adrift') {
    return ' A call above it left no record: whether the request failed of it is unclear.'
  }
  if (doubt === 'one-sided') {
    const who = origin.from === undefined ? 'its caller' : spokenName(origin.from)
    return ` Only ${who} kept a record of it: whether it failed by itself is unclear.`
  }
  return ''
}

/** Who failed as well, and not because of the first. */
export function othersSentence(failed: readonly Failure[]): string | undefined {
  const others = failed.slice(1).filter(({ masked, doubt }) => !masked && doubt === undefined)
  if (others.length === 0) return undefined
  const names = others.slice(0, MOST_NAMED).map(({ origin }) => spokenName(origin))
  const more = others.length - names.length
  return `${list(names)}${more > 0 ? ` and ${more} further calls` : ''} failed by themselves as well.`
}

/** Names of which a sentence tells the first few. */
const MOST_NAMED = 100

/** What went wrong in work that nobody waited for. */
export const asideSentence = (failure: Failure, tree: CallTree) =>
  `Nobody waited for it, but ${failureSentence(failure, tree)}`

/** What failed without the root failing of it. */
export function copedSentence(coped: readonly Failure[], tree: CallTree): string {
  const [first] = coped
  const count = coped.length
  const those = count === 1 ? 'One failure did' : `${count} failures did`
  const which = count === 1 ? ':' : '; the first:'
  return `${those} not reach the answer${which} ${failureSentence(first!, tree)}`
}

/** What trying again cost. */
export function retrySentence({ tries, costMs, inferred }: Retry, { totalMs }: CallTree): string {
  const [first] = tries
  const failed = tries.length - 1
  const share = totalMs > 0 ? ` (${formatShare(Math.min(1, costMs / totalMs))})` : ''
  const again = failed === 1 ? 'once' : `${failed} times`
  const seems = inferred ? ' seems to have been' : ' was'
  return `${spokenName(first!)}${seems} tried again ${again}: ${formatMs(costMs)}${share} passed before the last try.`
}

/** What its process did in the meantime. No id leads from one to the other, so it says that it is inferred. */
export function pauseSentence({ pause, criticalMs, calls }: PauseEffect): string {
  const process = `${calls[0]!.call.service} on ${pause.host}`
  const what =
    pause.kind === 'gc'
      ? `garbage was collected in the process of ${process}`
      : `the event loop of the process of ${process} stood still`
  return `For ${formatMs(criticalMs)} of it ${what} (inferred from its clock).`
}

const REASONS: Readonly<Record<Leg, string>> = {
  wait: 'on the way to it and back',
  start: 'before its method began',
  self: 'in the method itself',
  downstream: 'in calls it made in its turn',
}

const ONE_WAY = {
  request: 'on the way to it, in its queue or the network',
  reply: 'on the way back',
} as const

/** Which call stood out of which, by how much, and where. */
export function stragglerSentence(straggler: Straggler, tree: CallTree): string {
  const { call, siblings, services, medianMs, leg, way, excessMs, cause, against } = straggler
  const share = tree.totalMs > 0 ? formatShare(Math.min(1, excessMs / tree.totalMs)) : '0 %'
  const reason = leg === undefined ? undefined : way === undefined ? REASONS[leg] : ONE_WAY[way]
  const unknown =
    leg === undefined ? ' What it spent it on is not known: its callee left no record.' : ''
  const where = cause === undefined ? reason : `in ${at(cause, tree)} below it`
  const rest = `the difference is ${share} of the whole${where === undefined ? '' : `, most of it ${where}`}.${unknown}`
  const took = `took ${formatMs(call.totalMs)}`
  if (against === 'baseline') {
    return `${at(call, tree)} ${took} where ${formatMs(medianMs)} is usual (of ${siblings} such calls): ${rest}`
  }
  const which =
    services === 1
      ? `One of ${siblings} calls to ${at(call, tree)}`
      : `${at(call, tree)}, one of ${siblings} calls of ${call.method} at once,`
  return `${which} ${took} where half of them took ${formatMs(medianMs)} or less: ${rest}`
}

const WAYS: Readonly<Record<Bottleneck['where'], string>> = {
  work: 'went to',
  wait: 'was spent on the way to and from',
  start: 'was spent waiting to begin in',
}

/** Share of one process from which on the others are not worth a word. */
const MOST_OF_IT = 0.8

/** `went to orders.get on vm-2`. */
export function wentTo(place: Bottleneck, tree: CallTree): string {
  const { where, calls, call, instances, ms, processMs } = place
  const most = processMs >= MOST_OF_IT * ms && call.host !== undefined
  const on =
    instances === 1 ? instance(call, tree) : most ? `, nearly all${instance(call, tree)}` : ''
  const many = calls > 1 ? ` (${calls} calls${on})` : ''
  const name = calls > 1 ? spokenName(call) : at(call, tree)
  const hidden = where === 'work' ? below(call) : ''
  return `${WAYS[where]} ${name}${many}${hidden}`
}

function below({ folds, missingCalls }: CallNode): string {
  let most = folds[0]
  for (const fold of folds) if (fold.sumMs > most!.sumMs) most = fold
  if (most !== undefined) return ` or its ${most.count} merged calls of ${spokenName(most)}`
  return missingCalls > 0 ? ' or calls of its own that are not here' : ''
}

/** What of the trace is not there, and what can be believed all the same. */
export function doubtSentence({ missingCalls, complete, problems }: CallTree): string | undefined {
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
