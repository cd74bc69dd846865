import { pairParts } from 'clew/formats'
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
      this.#take(joined(oldest))
    }
  }

  end(): void {
    for (const [id, parts] of this.#held) {
      this.#held.delete(id)
      this.#take(joined(parts))
    }
  }
}

/** Parts are joined at once: one by one, many would be copied as often as there are parts. */
export function joined(parts: readonly Trace[]): Trace {
  const [first, second] = parts
  if (first === undefined) throw new RangeError('no parts')
  if (second === undefined) return first
  const pauses = parts.flatMap((part) => part.pauses ?? [])
  const source = parts.find((part) => part.source !== undefined)?.source
  const whole: Trace = {
    id: first.id,
    entries: parts.flatMap(({ entries }) => entries),
    folds: parts.flatMap(({ folds }) => folds),
    missing: parts.flatMap(({ missing }) => missing),
    relays: parts.flatMap(({ relays }) => relays),
    ...(pauses.length > 0 && { pauses }),
    ...(source !== undefined && { source }),
    complete: parts.every(({ complete }) => complete),
  }
  // Each service may have written its own side of a call.
  return source === undefined ? whole : pairParts(whole)
}
