import type { Entry, Missing, Trace, TraceSource } from '../trace/index.ts'
import type { Problems } from '../trace/problems.ts'
import { pairSides } from './pair-sides.ts'
import type { Side } from './side.ts'

interface Open {
  id: string
  readonly number: number
  readonly sides: Side[]
  touched: number
  leftOut: number
}

export interface OpenTracesOptions {
  readonly source: TraceSource
  readonly problems: Problems
  /** Records after which a trace that nothing more came of is handed over. */
  readonly linger: number
  /** Records held at a time. */
  readonly maxRecords: number
  /** Which traces are one, by their ids. @default the id */
  readonly keyOf?: (id: string) => string
}

/** Gathers records by trace, wherever they stand in a document, as long as there is room. */
export class OpenTraces {
  readonly #options: OpenTracesOptions
  /** In order of last mention. */
  readonly #open = new Map<string, Open>()
  #handedOver: Trace[] = []
  #told = 0
  #held = 0
  #numbers = 0
  #last: Open | undefined

  constructor(options: OpenTracesOptions) {
    this.#options = options
  }

  add(id: string, side: Side): void {
    this.#told++
    const key = this.#options.keyOf?.(id) ?? id
    let open = this.#open.get(key)
    if (open === undefined) {
      open = { id, number: this.#numbers++, sides: [], touched: 0, leftOut: 0 }
      this.#open.set(key, open)
    } else if (open !== this.#last) {
      this.#open.delete(key)
      this.#open.set(key, open)
    }
    this.#last = open
    // The shorter form of an id is filled up with zeros.
    if (id > open.id) open.id = id
    open.touched = this.#told
    if (this.#held >= this.#options.maxRecords && !this.#makeRoom(open)) {
      open.leftOut++
      return
    }
    this.#held++
    open.sides.push(side)
    this.#handOverSilent()
  }

  /** Traces that are handed over since this was asked last. */
  take(): Trace[] {
    const taken = this.#handedOver
    this.#handedOver = []
    return taken
  }

  end(): Trace[] {
    const open = [...this.#open.values()].sort((a, b) => a.number - b.number)
    this.#open.clear()
    this.#last = undefined
    for (const trace of open) this.#handOver(trace)
    return this.take()
  }

  #makeRoom(current: Open): boolean {
    const [oldest] = this.#open
    const { problems, maxRecords } = this.#options
    if (oldest === undefined || oldest[1] === current) {
      if (current.leftOut === 0) problems.add('limit', `more than ${maxRecords} records held`)
      return false
    }
    this.#open.delete(oldest[0])
    this.#handOver(oldest[1])
    return true
  }

  #handOverSilent(): void {
    for (const [key, open] of this.#open) {
      if (this.#told - open.touched <= this.#options.linger) return
      this.#open.delete(key)
      this.#handOver(open)
    }
  }

  #handOver({ id, sides, leftOut }: Open): void {
    this.#held -= sides.length
    const { problems, source } = this.#options
    const entries: readonly Entry[] = pairSides(id, sides, problems)
    const cut = { parent: '', trace: id, calls: leftOut, reason: 'cut' as const }
    const missing: Missing[] = leftOut === 0 ? [] : [cut]
    for (const { id: parent, own } of sides) {
      if (own === undefined || own.missing === 0) continue
      missing.push({ parent, trace: id, calls: own.missing, reason: 'lost' })
    }
    this.#handedOver.push({ id, entries, folds: [], missing, relays: [], source, complete: true })
  }
}
