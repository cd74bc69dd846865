import type { Machine } from '../harness/machine.ts'
import type { Estimate } from '../harness/statistics.ts'
import type { StepGroup } from './step.ts'

/** What one step takes. */
export interface StepMeasured {
  readonly key: string
  readonly title: string
  readonly group: StepGroup
  /** Nanoseconds: the median of the rounds, and its 95 % confidence interval. */
  readonly ns: Estimate
  /** Nanoseconds of it that went into collecting garbage, on average; null where that is not measured. */
  readonly collectingNs: number | null
  /** Bytes allocated; null where they cannot be counted. */
  readonly bytes: number | null
}

/** What there are targets for; null where the step was not measured. */
export interface Sums {
  /** All profiling work of one call, both sides, and what it adds to the call's messages. */
  readonly callNs: number | null
  readonly callBytes: number | null
  /** Building a tree, a call: of the sizes that were measured the one that takes longest. */
  readonly treeNsPerCall: number | null
}

export const TARGETS = { callNs: 2_000, callBytes: 600, treeNsPerCall: 1_000 } as const

export interface MicroResults {
  readonly suite: 'micro'
  readonly schema: 1
  readonly startedAt: string
  readonly seconds: number
  readonly rounds: number
  readonly machine: Machine
  /** Share of the cores that others kept busy just before, from 0 to 1. */
  readonly otherWork: number
  readonly steps: readonly StepMeasured[]
  readonly sums: Sums
}

export function sumsOf(steps: readonly StepMeasured[]): Sums {
  const call = steps.find(({ key }) => key === 'call')
  const trees = steps.filter(({ key }) => key.startsWith('tree')).map(({ ns }) => ns.median)
  return {
    callNs: call?.ns.median ?? null,
    callBytes: call?.bytes ?? null,
    treeNsPerCall: trees.length === 0 ? null : Math.max(...trees),
  }
}
