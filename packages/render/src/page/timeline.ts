/** The stretch of time that is looked at, within what there is. Microseconds. */
export class Timeline {
  readonly least: number
  readonly most: number
  from: number
  to: number

  constructor(least: number, most: number) {
    this.least = least
    this.most = most
    this.from = least
    this.to = most
  }

  get length(): number {
    return this.to - this.from
  }

  get isWhole(): boolean {
    return this.from <= this.least && this.to >= this.most
  }

  /** Where a time is, in pixels. */
  x(us: number, width: number): number {
    return ((us - this.from) / this.length) * width
  }

  at(x: number, width: number): number {
    return this.from + (x / Math.max(1, width)) * this.length
  }

  show(from: number, to: number): void {
    const all = this.most - this.least
    const least = Math.min(all, LEAST)
    const length = Math.min(all, Math.max(least, to - from))
    const middle = (from + to) / 2
    const begin = Math.min(Math.max(this.least, middle - length / 2), this.most - length)
    if (!Number.isFinite(begin)) return
    this.from = begin
    this.to = begin + length
  }

  /** By a factor around a share of the window. */
  zoom(factor: number, around = 0.5): void {
    const at = this.from + this.length * around
    const length = this.length * factor
    this.show(at - length * around, at + length * (1 - around))
  }

  /** By a share of the window. */
  pan(share: number): void {
    const by = this.length * share
    this.show(this.from + by, this.to + by)
  }

  reset(): void {
    this.show(this.least, this.most)
  }
}

/** No clock is finer than a microsecond: less than a few of them shows nothing more. */
const LEAST = 5
