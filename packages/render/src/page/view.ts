import type { Calls } from './calls.ts'
import type { Paint } from './paint.ts'
import type { Timeline } from './timeline.ts'

/** What every view knows of what is looked at, and how it tells that something was chosen. */
export interface Scene {
  readonly calls: Calls
  readonly timeline: Timeline
  readonly paint: () => Paint
  /** Row of the selected call, -1 for none. */
  readonly selected: () => number
  /** Rows that the search found. */
  readonly found: () => ReadonlySet<number>
  readonly select: (row: number) => void
  readonly search: (query: string) => void
  readonly redraw: () => void
  readonly hover: (row: number, event: PointerEvent | undefined) => void
}

/** One way to look at a trace. */
export interface TraceView {
  readonly host: HTMLElement
  /** Whether it has the time axis. */
  readonly timed: boolean
  readonly draw: () => void
  /** Brings the selected call into view. */
  readonly reveal: () => void
  /** By one row, or to the callee or caller. */
  readonly move: (step: 'down' | 'up' | 'in' | 'out') => void
}
