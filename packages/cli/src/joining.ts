import { joinParts } from 'clew/formats'
import type { Trace } from 'clew/trace'

/** Entries held at a time, so that parts of a trace can be joined; beyond, the oldest trace is handed over. */
const MOST_ENTRIES = 2_000_000
/** The same of a single file, which reading has joined as far as parts of a trace stand near each other. */
const MOST_OF_ONE_FILE = 250_000

/** Gathers the parts of traces, which may stand anywhere in several files, and hands each over once. */
export class Joining {
  readonly #take: (trace: Trace) => void
  readonly #mostEntries: number
  /** By id, in order of their first part. */
  readonly #held = new Map<string, Trace[]>()
  #entries = 0
  parts = 0

  /** @param single all parts come of one file */
  constructor(take: (trace: Trace) => void, single: boolean) {
    this.#take = take
    this.#mostEntries = single ? MOST_OF_ONE_FILE : MOST_ENTRIES
  }

  add(trace: Trace): void {
    this.parts++
    // Traces without an id are told apart by where they stand.
    const key = trace.id === '' ? `\n${this.parts}` : trace.id
    const parts = this.#held.get(key)
    if (parts === undefined) this.#held.set(key, [trace])
    else parts.push(trace)
    this.#entries += trace.entries.length
    for (const [id, oldest] of this.#held) {
      if (this.#entries <= this.#mostEntries) return
      this.#held.delete(id)
      for (const { entries } of oldest) this.#entries -= entries.length
      this.#take(joinParts(oldest))
    }
  }

  end(): void {
    for (const [id, parts] of this.#held) {
      this.#held.delete(id)
      this.#take(joinParts(parts))
    }
  }
}
