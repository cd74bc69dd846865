import fc from 'fast-check'
import { callTree } from '../call-tree.ts'
import type { Attributes, CallTree, Edge, Entry, Status } from '../index.ts'

/** A method as tests make it up: what it does, one step after the other. */
export interface Made {
  readonly service: string
  readonly method: string
  readonly host?: string
  readonly edge?: Edge
  /** Each way. */
  readonly wayMs: number
  readonly steps: readonly Step[]
  readonly status?: Status
  readonly attributes?: Attributes
  /** Which of both sides keep entries. @default 'both' */
  readonly sides?: 'both' | 'caller' | 'callee'
}

/** Work of its own, or calls that are made at once and all waited for. */
export type Step = { readonly workMs: number } | { readonly calls: readonly Made[] }

const T0 = 1_795_386_521_000

/** Makes the tree of a root call whose times follow from its steps. */
export function treeOf(root: Made, id = 'made'): CallTree {
  const entries: Entry[] = []
  run(root, { at: T0, parent: null, seq: 0, entries, prefix: id })
  return callTree({
    ...{ id, entries, folds: [], missing: [], relays: [] },
    complete: true,
  })
}

interface Place {
  readonly at: number
  readonly parent: string | null
  readonly seq: number
  readonly entries: Entry[]
  readonly prefix: string
}

function run(call: Made, { at, parent, seq, entries, prefix }: Place): number {
  const { service, method, wayMs, edge = 'call', host = service, sides = 'both' } = call
  const { status = 'ok', attributes } = call
  const id = `${prefix}.${seq}`
  const name = { service, method, id, parent }
  const caller = { ...name, host: parent === null ? 'client' : 'caller', pid: 1 }
  const callee = { ...name, host, pid: 2 }
  if (sides !== 'callee') entries.push({ ...caller, kind: 'rpc-request', timeMs: at, seq, edge })
  const receive: Entry = { ...callee, kind: 'rpc-receive', timeMs: at + wayMs, edge }
  if (sides !== 'caller') entries.push({ ...receive, ...(attributes && { attributes }) })
  let now = at + wayMs
  let made = 0
  for (const step of call.steps) {
    if ('workMs' in step) {
      now += step.workMs
      continue
    }
    let last = now
    for (const child of step.calls) {
      last = Math.max(last, run(child, { at: now, parent: id, seq: made++, entries, prefix: id }))
    }
    now = last
  }
  if (sides !== 'caller') entries.push({ ...callee, kind: 'rpc-respond', timeMs: now, status })
  now += wayMs
  if (sides !== 'callee') entries.push({ ...caller, kind: 'rpc-finish', timeMs: now, status })
  return now
}

/** A copy in which something about every call is different. */
export function changed(call: Made, change: (call: Made) => Made): Made {
  const steps = call.steps.map((step) =>
    'calls' in step ? { calls: step.calls.map((child) => changed(child, change)) } : step,
  )
  return change({ ...call, steps })
}

export const scaled = (call: Made, factor: number): Made => ({
  ...call,
  steps: call.steps.map((step) => ('workMs' in step ? { workMs: step.workMs * factor } : step)),
})

/** Any method, in whole milliseconds, so that sums are exact. */
export const made: fc.Arbitrary<Made> = fc.letrec<{ call: Made }>((tie) => ({
  call: fc.record({
    service: fc.constantFrom('a', 'b', 'c', 'd'),
    method: fc.constantFrom('get', 'put'),
    wayMs: fc.integer({ min: 1, max: 4 }),
    steps: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.array(
        fc.integer({ min: 0, max: 40 }).map((workMs) => ({ workMs })),
        { maxLength: 2 },
      ),
      fc.array(
        fc.oneof(
          fc.integer({ min: 0, max: 40 }).map((workMs) => ({ workMs })),
          fc.array(tie('call'), { minLength: 1, maxLength: 3 }).map((calls) => ({ calls })),
        ),
        { maxLength: 5 },
      ),
    ),
  }),
})).call
