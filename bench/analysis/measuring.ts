import type { Format, WantedFile } from './documents.ts'

/** What one step of a measurement took. */
export interface Taken {
  /** Milliseconds of this step alone. */
  readonly ms: number
  /** Most memory the process had so far, as the operating system counts it, bytes. */
  readonly peakBytes: number
}

export const STEPS = ['read', 'tree', 'verdict', 'credits'] as const

export type Step = (typeof STEPS)[number]

/** What a trace of a file took, step after step in one process; `read` holds on to it until the tree is made. */
export type StepsTaken = Readonly<Record<Step, Taken>>

export interface Question {
  readonly path: string
  readonly format: Format
}

/**
 * A process that answers once. What came before in a process counts in its peak, and a new one begins
 * with that of its parent: so files, too, are made elsewhere than where processes are started.
 */
export interface Measuring {
  write(wanted: WantedFile): Promise<void>
  /** Memory before anything is done. */
  idle(): Promise<number>
  /** `JSON.parse` of each line of the file, everything kept in an array. */
  parse(question: Question): Promise<Taken>
  /** A file of one trace: read, put together, and analysed. */
  analyze(question: Question): Promise<StepsTaken>
  /** A file of many traces, each read, put together and added to sums that are all that is kept. */
  stream(question: Question): Promise<Taken & { readonly traces: number }>
}
