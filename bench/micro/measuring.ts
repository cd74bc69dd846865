import type { StepGroup } from './step.ts'

/** Parameter of the program of a process that counts bytes. */
export const COUNT = 'count'

export interface StepDescription {
  readonly key: string
  readonly title: string
  readonly group: StepGroup
  /** As in `Step`. */
  readonly large: boolean
}

export interface Timed {
  readonly ns: number
  /** Part of it that went into collecting garbage; null where it is not measured for long enough. */
  readonly collectingNs: number | null
}

/** A process that does steps: for time with Node as it comes, for bytes with `COUNTING_FLAGS`. */
export interface Measuring {
  steps(): Promise<readonly StepDescription[]>
  /** Does a step until compilers have done with it, and finds out how often to do it at a time. */
  warmUp(key: string): Promise<void>
  /** What it takes once, of many times in a row; where it is a difference, what it adds. */
  time(key: string): Promise<Timed>
  /** Bytes that it allocates once, likewise. */
  count(key: string): Promise<number>
}
