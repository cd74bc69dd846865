import { callTree, type Trace } from 'clew/trace'
import { makeTrace, readTrace } from './made-trace.ts'
import type { Step } from './step.ts'

const SMALL = 1_000
const LARGE = 100_000

/** Reads traces of many calls and builds their trees; what is told is for each call. */
export function traceSteps(): readonly Step[] {
  return [
    {
      ...{ key: 'decode1000', title: 'decoding, of a trace of 1,000 calls', group: 'trace' },
      ...{ grain: SMALL, run: decoding(SMALL) },
    },
    {
      ...{ key: 'decode100000', title: 'decoding, of 100,000 calls', group: 'trace' },
      ...{ grain: LARGE, run: decoding(LARGE), large: true },
    },
    {
      ...{ key: 'tree1000', title: 'the tree, of a decoded trace of 1,000 calls', group: 'trace' },
      ...{ grain: SMALL, run: building(SMALL) },
    },
    {
      ...{ key: 'tree100000', title: 'the tree, of 100,000 calls', group: 'trace' },
      ...{ grain: LARGE, run: building(LARGE), large: true },
    },
  ]
}

function decoding(calls: number): Step['run'] {
  const made = once(() => makeTrace(calls))
  return (times) => each(times, calls, () => readTrace(made()).entries.length)
}

function building(calls: number): Step['run'] {
  const made = once(() => checked(readTrace(makeTrace(calls)), calls))
  return (times) => each(times, calls, () => callTree(made()).calls)
}

/** A tree that lacks calls would be made faster, so the first is looked at. */
function checked(trace: Trace, calls: number): Trace {
  const tree = callTree(trace)
  if (tree.calls === calls && tree.complete && tree.problems.length === 0) return trace
  throw new Error(`the made-up trace has ${tree.calls} of ${calls} calls, or problems`)
}

/** Made when first needed: who only counts what a call allocates needs none of it. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

function each(times: number, grain: number, build: () => number): number {
  let sum = 0
  for (let done = 0; done < times; done += grain) sum += build()
  return sum
}
