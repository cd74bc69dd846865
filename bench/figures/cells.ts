import type { Remote } from '../harness/remote.ts'
import type { Participant } from './participants.ts'
import type { PointBytes } from './results.ts'
import type { Shape } from './services.ts'
import type { SystemKey } from './systems.ts'

/** One system's processes. */
export interface Cast {
  readonly system: SystemKey
  readonly services: readonly Remote<Participant>[]
  readonly client: Remote<Participant>
}

export function everyone({ services, client }: Cast): readonly Remote<Participant>[] {
  return [...services, client]
}

/** One system at one size of one shape. */
export interface Cell {
  readonly cast: Cast
  readonly shape: Shape
  readonly size: number
  failure: string | undefined
  bytes: PointBytes | undefined
  /** One for each round that measured it, in order. */
  readonly samples: Sample[]
}

/** What one round says of a cell. */
export interface Sample {
  readonly ms: number
  /** Against `off`, the median over the turns, in each of which both called. */
  readonly ratio: number
  readonly processorUs: number
}
