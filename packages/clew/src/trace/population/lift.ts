import { fisherP } from './chance.ts'
import type { TraceProfile } from './trace-profile.ts'

/** Something that calls say of themselves, more or less often on one side than on the other. */
export interface Lift {
  /** `service name=value`. */
  readonly attribute: string
  /** Share of the traces in which a call says so, from 0 to 1. */
  readonly before: number
  readonly after: number
  /** How likely a difference as great is by chance. */
  readonly p: number
}

/** Values of one name told apart; names with more, as ids and statements have, are left out. */
const MOST_VALUES = 100
const MOST_ATTRIBUTES = 50_000

/** Every attribute of the traces of two sides, with the share of traces that have it. */
export function liftsOf(
  before: readonly TraceProfile[],
  after: readonly TraceProfile[],
): readonly Lift[] {
  const counts = new Map<string, { before: number; after: number }>()
  const count = (profiles: readonly TraceProfile[], side: 'before' | 'after') => {
    for (const { attributes } of profiles) {
      for (const attribute of attributes) {
        const known = counts.get(attribute)
        if (known !== undefined) known[side]++
        else if (counts.size < MOST_ATTRIBUTES) {
          counts.set(attribute, { before: 0, after: 0, [side]: 1 })
        }
      }
    }
  }
  count(before, 'before')
  count(after, 'after')
  const values = new Map<string, number>()
  for (const attribute of counts.keys()) {
    const name = nameIn(attribute)
    values.set(name, (values.get(name) ?? 0) + 1)
  }
  const lifts: Lift[] = []
  for (const [attribute, hits] of counts) {
    if (values.get(nameIn(attribute))! > MOST_VALUES) continue
    // What all have on both sides says nothing.
    if (hits.before === before.length && hits.after === after.length) continue
    const p = fisherP(hits.before, before.length, hits.after, after.length)
    const share = (some: number, all: number) => (all > 0 ? some / all : 0)
    const shares = [share(hits.before, before.length), share(hits.after, after.length)] as const
    lifts.push({ attribute, before: shares[0], after: shares[1], p })
  }
  return lifts
}

const nameIn = (attribute: string) => attribute.slice(0, attribute.indexOf('='))
