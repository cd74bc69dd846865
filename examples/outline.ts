import type { CallNode } from 'clew/trace'

/** A call and the calls below it, without times: what a test can hold a tree to. */
export interface Outline {
  readonly call: string
  readonly calls: readonly Outline[]
}

/** Everything a call tree says that does not depend on time. Calls of a fan-out are in order of request. */
export function outline(call: CallNode): Outline {
  const told = [
    `${call.service}.${call.method}`,
    call.status,
    call.presence,
    call.error,
    call.placeholder ? 'placeholder' : undefined,
    call.missingCalls > 0 ? `${call.missingCalls} missing` : undefined,
    call.folds.length > 0 ? `${call.folds.length} folds` : undefined,
  ]
  return {
    call: told.filter((part) => part !== undefined).join(' '),
    calls: call.calls.map(outline),
  }
}

/** The outline of a call that went well. */
export function went(call: string, calls: readonly Outline[] = []): Outline {
  return { call: `${call} ok 1111`, calls }
}
