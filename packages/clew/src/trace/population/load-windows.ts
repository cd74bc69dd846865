import { Sketch } from './sketch.ts'

/** Beginnings and ends in a stretch of time: with all before it, how many were in flight follows. */
export class Flow {
  starts = 0
  ends = 0
  /** Sums of when, milliseconds from the origin of the windows. */
  #startMs = 0
  #endMs = 0

  start(atMs: number): void {
    this.starts++
    this.#startMs += atMs
  }

  end(atMs: number): void {
    this.ends++
    this.#endMs += atMs
  }

  merge(other: Flow): void {
    this.starts += other.starts
    this.ends += other.ends
    this.#startMs += other.#startMs
    this.#endMs += other.#endMs
  }

  /** Milliseconds that all took together until `untilMs`, of what began or ended here. */
  areaUntil(untilMs: number): number {
    return (this.starts - this.ends) * untilMs - this.#startMs + this.#endMs
  }
}

/** Calls of one instance by callers of one process. */
export class PairCell {
  readonly flow = new Flow()
  answered = 0
  handleMs = 0
  /** Request legs, both clocks believed. */
  legs = 0
  legMs = 0
  /** Between receive and start. */
  localMs = 0
  busy = 0
  busySum = 0

  merge(other: PairCell): void {
    this.flow.merge(other.flow)
    this.answered += other.answered
    this.handleMs += other.handleMs
    this.legs += other.legs
    this.legMs += other.legMs
    this.localMs += other.localMs
    this.busy += other.busy
    this.busySum += other.busySum
  }
}

/** What began in one stretch of time. */
export class LoadWindow {
  readonly flow = new Flow()
  readonly total = new Sketch()
  failed = 0
  firstMs = Number.POSITIVE_INFINITY
  lastMs = Number.NEGATIVE_INFINITY
  /** Critical milliseconds by the number of a part, and cells by that of a pair. */
  readonly parts = new Map<number, number>()
  readonly pairs = new Map<number, PairCell>()

  pair(number: number): PairCell {
    let cell = this.pairs.get(number)
    if (cell === undefined) {
      cell = new PairCell()
      this.pairs.set(number, cell)
    }
    return cell
  }

  addPart(number: number, ms: number): void {
    this.parts.set(number, (this.parts.get(number) ?? 0) + ms)
  }

  merge(other: LoadWindow): void {
    this.flow.merge(other.flow)
    this.total.merge(other.total)
    this.failed += other.failed
    this.firstMs = Math.min(this.firstMs, other.firstMs)
    this.lastMs = Math.max(this.lastMs, other.lastMs)
    for (const [number, ms] of other.parts) this.addPart(number, ms)
    for (const [number, cell] of other.pairs) this.pair(number).merge(cell)
  }
}

/** Windows in which something happened that are kept at a time; of more, neighbours become one. */
const MOST_WINDOWS = 256
const FIRST_WIDTH_MS = 250

/**
 * Time cut into windows of equal width, in any order of arrival. There are at most 256: when more are
 * needed all become twice as wide. Times without anything take no room.
 */
export class LoadWindows {
  #widthMs = FIRST_WIDTH_MS
  #windows = new Map<number, LoadWindow>()

  get widthMs(): number {
    return this.#widthMs
  }

  /** The window of a time, milliseconds from any origin that stays the same. */
  at(ms: number): LoadWindow {
    const index = Math.floor(ms / this.#widthMs)
    const known = this.#windows.get(index)
    if (known !== undefined) return known
    if (this.#windows.size >= MOST_WINDOWS) {
      this.#widthMs *= 2
      this.#windows = widened(this.#windows, 2)
      return this.at(ms)
    }
    const created = new LoadWindow()
    this.#windows.set(index, created)
    return created
  }

  /** By their position, `factor` neighbours as one each; what is kept stays as it is. */
  merged(factor: number): readonly (readonly [index: number, window: LoadWindow])[] {
    return [...widened(this.#windows, factor)].sort(([a], [b]) => a - b)
  }
}

function widened(windows: ReadonlyMap<number, LoadWindow>, factor: number) {
  const wider = new Map<number, LoadWindow>()
  for (const [index, window] of windows) {
    const at = Math.floor(index / factor)
    const known = wider.get(at) ?? new LoadWindow()
    known.merge(window)
    wider.set(at, known)
  }
  return wider
}
