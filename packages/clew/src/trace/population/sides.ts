import type { Sample } from './call-paths.ts'
import { PathTable } from './path-table.ts'
import type { PathUse, TraceProfile } from './trace-profile.ts'

/** The traces of one kind of request on both sides of a comparison. */
export interface Kind {
  /** Path of the root in the table of both. */
  readonly root: number
  readonly before: readonly TraceProfile[]
  readonly after: readonly TraceProfile[]
  /** Its share of the traces of all kinds that both sides have, from 0 to 1. */
  readonly weight: number
}

export interface Sides {
  readonly table: PathTable
  readonly before: number
  readonly after: number
  /** Those that both sides have. */
  readonly shared: readonly Kind[]
  /** All of them. */
  readonly kinds: readonly Kind[]
}

/** Brings two samples to one table of paths. */
export function sidesOf(before: Sample, after: Sample): Sides {
  const table = new PathTable()
  const [first, second] = [moved(before, table), moved(after, table)]
  const roots = new Map<number, { before: TraceProfile[]; after: TraceProfile[] }>()
  const kindOf = (root: number) => {
    const kind = roots.get(root) ?? { before: [], after: [] }
    roots.set(root, kind)
    return kind
  }
  for (const profile of first) kindOf(profile.root).before.push(profile)
  for (const profile of second) kindOf(profile.root).after.push(profile)
  let all = 0
  for (const kind of roots.values()) {
    if (isShared(kind)) all += kind.before.length + kind.after.length
  }
  const kinds = [...roots].map(([root, kind]) => ({
    ...{ root, ...kind },
    weight: isShared(kind) ? (kind.before.length + kind.after.length) / all : 0,
  }))
  const shared = kinds.filter(isShared)
  return { table, before: first.length, after: second.length, shared, kinds }
}

const isShared = (kind: Pick<Kind, 'before' | 'after'>) =>
  kind.before.length > 0 && kind.after.length > 0

/** Traces of one table as traces of another. Paths that are one beyond its bound are one use. */
function moved({ table, profiles }: Sample, to: PathTable): readonly TraceProfile[] {
  const here = to.adopt(table)
  return profiles.map((profile) => ({
    ...profile,
    root: here[profile.root]!,
    uses: profile.uses.map((use): PathUse => ({ ...use, path: here[use.path]! })),
  }))
}
