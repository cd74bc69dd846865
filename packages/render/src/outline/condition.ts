import { type CallNode, type FoldedCalls, formatMs, layerOfOperation } from 'clew/trace'

/**
 * How a call must be drawn. `ok`: whole and fine. `failed`: answered with an error. `unanswered`:
 * its caller stopped waiting. `pending`: had not ended. `unprofiled`: its callee keeps no entries.
 * `partial`: some of its entries are missing. `placeholder`: made up to hold others.
 */
export type ConditionKind =
  | 'ok'
  | 'failed'
  | 'unanswered'
  | 'pending'
  | 'unprofiled'
  | 'partial'
  | 'placeholder'

export interface Condition {
  readonly kind: ConditionKind
  /** A class name or two words; empty when all is well. */
  readonly title: string
  /** One line for people; empty when all is well. */
  readonly detail: string
}

const OK: Condition = { kind: 'ok', title: '', detail: '' }

/** What is to be said of a call besides its times. Only a root may lack its caller's entries. */
export function conditionOf(call: CallNode, isRoot = false): Condition {
  if (call.placeholder) {
    return { kind: 'placeholder', title: 'no entries', detail: 'known only from other calls' }
  }
  switch (call.status) {
    case 'error':
      return { kind: 'failed', title: call.error ?? 'error', detail: whereThrown(call) }
    case 'rejected':
      return { kind: 'failed', title: call.error ?? 'rejected', detail: 'rejected, did not run' }
    case 'timeout':
      return { kind: 'unanswered', title: 'timed out', detail: whatCalleeDid(call) }
    case 'cancelled':
      return { kind: 'unanswered', title: 'cancelled', detail: whatCalleeDid(call) }
    case 'lost':
      return { kind: 'unanswered', title: 'connection lost', detail: whatCalleeDid(call) }
    case 'pending':
      return pendingOf(call)
    case 'ok':
      return gapOf(call, isRoot)
  }
}

/** Whether a call counts as an error. */
export function isFailed(call: CallNode): boolean {
  return !call.placeholder && call.status !== 'ok' && call.status !== 'pending'
}

/** The handler of an event, or a follow-up: nobody waits for it. Publishing is waited for. */
export function isDetached(call: CallNode): boolean {
  return call.edge === 'next' || (call.edge === 'event' && !isOperation(call))
}

/** Something a service does below itself: it asks its database, or publishes a message. */
export function isOperation({ edge, requestMs, handleMs }: CallNode): boolean {
  return edge === 'down' || (edge === 'event' && requestMs !== undefined && handleMs === undefined)
}

export type Operation = 'db' | 'cache' | 'publish'

/** What an operation is about; undefined for calls of services. */
export function operationOf(call: CallNode): Operation | undefined {
  if (!isOperation(call)) return undefined
  return call.edge === 'down' ? layerOfOperation(call.method) : 'publish'
}

/** The same of operations that were merged where they happened. */
export const operationOfFold = ({ edge, method }: FoldedCalls): Operation | undefined =>
  edge === 'down' ? layerOfOperation(method) : undefined

const ENTRYPOINTS: readonly (readonly [mark: string, method: RegExp])[] = [
  ['http', /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|\*) \//],
  ['timer', /^every \S/],
  ['once', /^once$/],
]

/** What fired a root that nobody here called, as far as its name tells. */
function fired({ method, presence, edge }: CallNode): string | undefined {
  if (presence[0] === '1' || edge !== 'call') return undefined
  return ENTRYPOINTS.find(([, pattern]) => pattern.test(method))?.[0]
}

/** Short words on a call's side: how it was called, and what happened to it on the way. */
export function marksOf(call: CallNode, isRoot = false): readonly string[] {
  const marks: string[] = []
  const about = operationOf(call) ?? (isRoot ? fired(call) : undefined)
  if (about !== undefined) marks.push(about)
  else if (call.edge === 'event') marks.push('event')
  if (call.edge === 'next') marks.push('async')
  if (call.attempt > 1) marks.push(`try ${call.attempt}`)
  if (call.redelivered) marks.push('redelivered')
  if (call.late) marks.push('late')
  return marks
}

function whereThrown(call: CallNode): string {
  if (call.edge === 'down') return 'the operation itself failed'
  if (isOperation(call)) return 'was not published'
  if (call.presence[1] === '0') return 'its service keeps no profile'
  return call.calls.some(isFailed) ? 'after a call of its own failed' : 'thrown here'
}

/** The presence of entries tells what became of a call that nobody waits for any more. */
function whatCalleeDid(call: CallNode): string {
  if (isOperation(call)) return 'its worker stopped waiting'
  const received = call.presence[1] === '1'
  const responded = call.presence[2] === '1'
  if (responded) return 'answered too late'
  return received ? 'received, not answered' : 'no sign of its callee'
}

/** No end was seen: it had not come yet, or its entry did not come home. */
function pendingOf(call: CallNode): Condition {
  const [, receive, respond] = call.presence
  if (respond === '1' && isDetached(call)) return OK
  if (call.runningMs !== undefined) {
    return {
      kind: 'pending',
      title: `at work ${formatMs(call.runningMs)}`,
      detail: 'received, and not ended when it was asked',
    }
  }
  const detail =
    respond === '1'
      ? 'answered, its reply not seen'
      : receive === '1'
        ? 'received, not ended'
        : isOperation(call)
          ? 'not ended when the worker was'
          : 'no sign of its callee'
  return { kind: 'pending', title: 'pending', detail }
}

function gapOf(call: CallNode, isRoot: boolean): Condition {
  const [request, receive, respond, finish] = call.presence
  const calleeSilent = receive === '0' && respond === '0'
  // A database keeps no entries, and nobody waits for an event: there, nothing is missing.
  if (calleeSilent && !isOperation(call) && !isDetached(call)) {
    return { kind: 'unprofiled', title: 'no profile', detail: 'its service keeps no entries' }
  }
  const callerSilent = request === '0' && finish === '0'
  if (callerSilent && respond === '1' && (isRoot || isDetached(call))) return OK
  if (callerSilent && receive === '1') {
    return { kind: 'partial', title: 'partial', detail: "its caller's entries are missing" }
  }
  if (receive === '1' && respond === '0') {
    return { kind: 'partial', title: 'partial', detail: 'how it ended is missing' }
  }
  if (finish === '0' && !isDetached(call)) {
    return { kind: 'partial', title: 'partial', detail: 'nobody saw its reply arrive' }
  }
  return OK
}
