/** What a step is part of. */
export type StepGroup = 'parts' | 'call' | 'whole' | 'trace' | 'choices'

/** One thing whose cost is measured, so many times in a row. */
export interface Step {
  readonly key: string
  readonly title: string
  readonly group: StepGroup
  /**
   * Does it so many times: a multiple of `grain`. What it gives is made of everything that it did, so
   * that no compiler leaves any of it out.
   */
  run(times: number): number | Promise<number>
  /** The same without what is measured: the difference counts. @default nothing */
  readonly without?: (times: number) => number | Promise<number>
  /** @default 1 */
  readonly grain?: number
  /** Whether it takes seconds, and allocates more at a time than can be counted. @default false */
  readonly large?: boolean
}

/** Does something for each number; sums up what it gives. */
export function repeated(once: (index: number) => number): (times: number) => number {
  return (times) => {
    let sum = 0
    for (let index = 0; index < times; index++) sum += once(index)
    return sum
  }
}
