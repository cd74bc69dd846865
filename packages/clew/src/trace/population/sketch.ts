/** A sketch as JSON keeps it. Numbers are milliseconds where durations were added. */
export interface SketchJson {
  readonly count: number
  readonly sum: number
  readonly min: number
  readonly max: number
  /** All values in order, while there are few; absent once they are counted in bins. */
  readonly values?: readonly number[]
  /** Values too small to be told from 0. */
  readonly zeros?: number
  /** Number of the first bin. */
  readonly first?: number
  /** How many values are in each bin from the first on. */
  readonly bins?: readonly number[]
}

/** No quantile is further from the true one than this share of it. */
export const SKETCH_ERROR = 0.01

const GAMMA = (1 + SKETCH_ERROR) / (1 - SKETCH_ERROR)
const PER_LOG = 1 / Math.log(GAMMA)
/** Values below are counted as 0, those above as this much: with milliseconds 0.1 ns and 31 years. */
const LEAST = 1e-7
const MOST = 1e12
const FIRST_BIN = binOf(LEAST)
const LAST_BIN = binOf(MOST)
/** So few values are kept as they are: their quantiles are exact. */
const MOST_EXACT = 32

/**
 * Quantiles of any number of values in bounded memory, at most 2,200 bins: each is within 1 % of the
 * true one (by nearest rank), and exact while there are no more than 32 values. Sketches that are
 * merged, in whatever order, tell the same quantiles as one that was given all values.
 * DDSketch (Masson et al., VLDB 2019) with bounds on the values in place of bins that collapse.
 */
export class Sketch {
  /** Values added. */
  count = 0
  sum = 0
  #min = Number.POSITIVE_INFINITY
  #max = Number.NEGATIVE_INFINITY
  /** In no order; undefined once they are in bins. */
  #values: number[] | undefined = []
  #zeros = 0
  #first = 0
  #bins = new Float64Array(0)

  /** The least value exactly; 0 where there is none. */
  get min(): number {
    return this.count === 0 ? 0 : this.#min
  }

  /** The greatest value exactly; 0 where there is none. */
  get max(): number {
    return this.count === 0 ? 0 : this.#max
  }

  /** 0 where there is no value. */
  get mean(): number {
    return this.count === 0 ? 0 : this.sum / this.count
  }

  /**
   * What is no finite number is passed over; what is below 0 counts as 0.
   * @param times how often the value is added
   */
  add(value: number, times = 1): void {
    if (!Number.isFinite(value) || !(times > 0)) return
    const bounded = Math.min(MOST, Math.max(0, value))
    this.#note(bounded, bounded, bounded * times, times)
    if (this.#values !== undefined && this.count <= MOST_EXACT && Number.isInteger(times)) {
      for (let again = 0; again < times; again++) this.#values.push(bounded)
      return
    }
    this.#intoBins()
    this.#bin(bounded, times)
  }

  /** Adds everything that another sketch was given. */
  merge(other: Sketch): void {
    if (other.count === 0) return
    const values = other.#values?.slice()
    const { count, sum } = other
    this.#note(other.#min, other.#max, sum, count)
    if (values !== undefined && this.#values !== undefined && this.count <= MOST_EXACT) {
      for (const value of values) this.#values.push(value)
      return
    }
    this.#intoBins()
    if (values !== undefined) {
      for (const value of values) this.#bin(value, 1)
      return
    }
    this.#zeros += other.#zeros
    const bins = other.#bins
    if (bins.length === 0) return
    this.#reach(other.#first, other.#first + bins.length - 1)
    const shift = other.#first - this.#first
    // By length before the loop: a sketch may be merged with itself.
    for (let bin = bins.length - 1; bin >= 0; bin--) this.#bins[bin + shift]! += bins[bin]!
  }

  /**
   * The value of that rank: 0.5 is the median. 0 where there is no value.
   * @param share from 0 to 1
   * @param among how many there are in all, those that were not added being 0
   */
  quantile(share: number, among = this.count): number {
    const rank = Math.max(1, Math.ceil(share * among - 1e-9)) - Math.max(0, among - this.count)
    if (this.count === 0 || !(rank >= 1)) return 0
    if (this.#values !== undefined) {
      this.#values.sort((a, b) => a - b)
      return this.#values[Math.min(rank, this.count) - 1]!
    }
    if (rank >= this.count) return this.#max
    let seen = this.#zeros
    if (seen >= rank) return this.#min < LEAST ? this.#min : 0
    for (let bin = 0; bin < this.#bins.length; bin++) {
      seen += this.#bins[bin]!
      if (seen >= rank) {
        return Math.min(this.#max, Math.max(this.#min, middleOf(bin + this.#first)))
      }
    }
    return this.#max
  }

  toJSON(): SketchJson {
    const { count, sum, min, max } = this
    const exact = this.#values
    if (exact !== undefined) {
      return { count, sum, min, max, values: exact.toSorted((a, b) => a - b) }
    }
    let [from, to] = [0, this.#bins.length]
    while (from < to && this.#bins[from] === 0) from++
    while (to > from && this.#bins[to - 1] === 0) to--
    const bins = [...this.#bins.subarray(from, to)]
    return { count, sum, min, max, zeros: this.#zeros, first: this.#first + from, bins }
  }

  /**
   * The sketch that was written so. JSON is foreign: what no sketch would have written is bounded or
   * passed over, and nothing is thrown.
   */
  static from(json: SketchJson): Sketch {
    const told = (value: number, otherwise: number) => (Number.isFinite(value) ? value : otherwise)
    const sketch = new Sketch()
    for (const value of (json.values ?? []).slice(0, MOST_EXACT)) sketch.add(value)
    if (json.bins === undefined) {
      // The same numbers in another order have another sum, in its last digit.
      sketch.sum = told(json.sum, sketch.sum)
      return sketch
    }
    sketch.#intoBins()
    const zeros = Math.max(0, told(json.zeros ?? 0, 0))
    sketch.#zeros = zeros
    let count = zeros
    const first = Math.round(told(json.first ?? 0, 0))
    for (const [index, times] of json.bins.slice(0, LAST_BIN - FIRST_BIN + 1).entries()) {
      const bin = first + index
      if (!(times > 0 && times < Number.MAX_VALUE) || bin < FIRST_BIN || bin > LAST_BIN) continue
      sketch.#reach(bin, bin)
      sketch.#bins[bin - sketch.#first]! += times
      count += times
    }
    if (count === 0) return sketch
    sketch.#note(told(json.min, 0), told(json.max, MOST), told(json.sum, 0), count)
    return sketch
  }

  #note(min: number, max: number, sum: number, count: number): void {
    this.count += count
    this.sum += sum
    if (min < this.#min) this.#min = min
    if (max > this.#max) this.#max = max
  }

  #intoBins(): void {
    const values = this.#values
    if (values === undefined) return
    this.#values = undefined
    for (const value of values) this.#bin(value, 1)
  }

  #bin(value: number, times: number): void {
    if (value < LEAST) {
      this.#zeros += times
      return
    }
    const bin = binOf(value)
    this.#reach(bin, bin)
    this.#bins[bin - this.#first]! += times
  }

  /** Makes room for bins; values of one kind are near each other, so few are kept. */
  #reach(from: number, to: number): void {
    const { length } = this.#bins
    if (length > 0 && from >= this.#first && to < this.#first + length) return
    const spare = 8
    const first = length === 0 ? from - spare : Math.min(this.#first, from - spare)
    const last = length === 0 ? to + spare : Math.max(this.#first + length - 1, to + spare)
    const bins = new Float64Array(last - first + 1)
    bins.set(this.#bins, length === 0 ? 0 : this.#first - first)
    this.#bins = bins
    this.#first = first
  }
}

/** The bin of a {@link Sketch} that a value above 0 is counted in. */
export function binOf(value: number): number {
  return Math.ceil(Math.log(value) * PER_LOG)
}

/** The middle of a bin: as far, in shares, from its one end as from its other. */
export const middleOf = (bin: number) => (2 * GAMMA ** bin) / (GAMMA + 1)
