import type { Interning } from '../trace/interning.ts'
import type { Problems } from '../trace/problems.ts'
import type { OpenTraces } from './open-traces.ts'

/** Where a reader puts what it finds. */
export interface Reading {
  readonly traces: OpenTraces
  readonly problems: Problems
  readonly texts: Interning
}
