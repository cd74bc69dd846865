import { type CallNode, callTree, type Trace } from '../trace/index.ts'

/** A call, and the outlines of the calls below it. */
export interface Outline extends ReadonlyArray<string | Outline> {
  readonly 0: string
}

/**
 * A trace without its times, for assertions: `['a.x', ['b.y'], ['c.z', ['d.w']]]`, calls in order of
 * request. Behind a call's name stands what went wrong: `threw ValueError`, its status, `no answer`,
 * `not recorded` where only the caller knows of it, and how many calls are missing or were merged.
 */
export function outline(trace: Trace): Outline {
  return outlineOf(callTree(trace).root)
}

function outlineOf(call: CallNode): Outline {
  return [nameOf(call), ...call.calls.map(outlineOf)]
}

function nameOf(call: CallNode): string {
  const merged = call.folds.reduce((sum, fold) => sum + fold.count, 0)
  const said = [
    `${call.service}.${call.method}`,
    call.error === undefined ? undefined : `threw ${call.error}`,
    call.error === undefined && call.status !== 'ok' ? call.status : undefined,
    call.edge === 'call' && call.presence === '1001' ? 'not recorded' : undefined,
    call.placeholder ? 'placeholder' : undefined,
    merged > 0 ? `${merged} merged` : undefined,
    call.missingCalls > 0 ? `${call.missingCalls} missing` : undefined,
  ]
  return said.filter((part) => part !== undefined).join(' ')
}
