import type { EntryKind } from 'clew/trace'

/** Made-up traces of any size: a chain, one caller of all others, or chains and fan-outs mixed. */
export type Shape = 'deep' | 'wide' | 'mixed'

export const SHAPES: readonly Shape[] = ['deep', 'wide', 'mixed']

/** One moment of a made-up call; calls are numbered from 0, the root, parents before their calls. */
export interface Moment {
  readonly kind: EntryKind
  /** Microseconds from the trace's beginning. */
  readonly us: number
  readonly call: number
  /** -1 for the root, which comes from outside and has neither request nor finish. */
  readonly parent: number
  readonly seq: number
  /** On respond: how many calls it made. */
  readonly made: number
}

/** Tells the moments of a trace in order of time; calls of one worker follow each other. */
export function tellMoments(shape: Shape, calls: number, tell: (moment: Moment) => void): void {
  const parents = parentsOf(shape, calls)
  const { first, next } = childrenOf(parents)
  const made = new Int32Array(calls)
  const random = numbers(calls)
  let us = 0
  const say = (kind: EntryKind, call: number) => {
    us += 1 + Math.floor(random() * 40)
    const parent = parents[call]!
    const seq = parent < 0 ? 0 : made[parent]!
    tell({ kind, us, call, parent, seq, made: made[call]! })
  }
  say('rpc-receive', 0)
  const open = [0]
  while (open.length > 0) {
    const call = open.at(-1)!
    const child = first[call]!
    if (child >= 0) {
      first[call] = next[child]!
      say('rpc-request', child)
      say('rpc-receive', child)
      open.push(child)
      continue
    }
    say('rpc-respond', call)
    open.pop()
    const parent = parents[call]!
    if (parent < 0) continue
    say('rpc-finish', call)
    made[parent] = made[parent]! + 1
  }
}

function parentsOf(shape: Shape, calls: number): Int32Array {
  const parents = new Int32Array(calls).fill(-1)
  const random = numbers(calls + 1)
  for (let call = 1; call < calls; call++) {
    if (shape === 'deep') parents[call] = call - 1
    else if (shape === 'wide') parents[call] = 0
    // Half of them below one of the last few, half anywhere.
    else {
      const back = random() < 0.5 ? Math.min(call, 4) : call
      parents[call] = call - 1 - Math.floor(random() * back)
    }
  }
  return parents
}

/** Each call's first child and next sibling; -1 for none. */
function childrenOf(parents: Int32Array): {
  readonly first: Int32Array
  readonly next: Int32Array
} {
  const first = new Int32Array(parents.length).fill(-1)
  const next = new Int32Array(parents.length).fill(-1)
  for (let call = parents.length - 1; call > 0; call--) {
    next[call] = first[parents[call]!]!
    first[parents[call]!] = call
  }
  return { first, next }
}

/** The same numbers from 0 to 1 every time (Numerical Recipes' generator). */
function numbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
