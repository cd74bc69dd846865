import type { Calls } from './calls.ts'

/** Calls of one method below one group of callers, or all calls of a method. Microseconds. */
export interface Group {
  readonly row: number
  readonly rows: number[]
  readonly parent: number
  depth: number
  total: number
  self: number
  critical: number
  errors: number
  count: number
}

/**
 * The tree with calls of the same path merged: what called what, how often, and where the time went.
 * Groups come before those below them, the costliest first.
 */
export function callPaths(calls: Calls): {
  readonly groups: readonly Group[]
  readonly groupOf: Int32Array
} {
  const groups: Group[] = []
  const groupOf = new Int32Array(calls.rows).fill(-1)
  const known = new Map<string, number>()
  for (let row = 0; row < calls.rows; row++) {
    const parent = calls.parent[row]! < 0 ? -1 : groupOf[calls.parent[row]!]!
    const key = `${parent} ${keyOf(calls, row)}`
    let index = known.get(key)
    if (index === undefined) {
      index = groups.push(emptyGroup(row, parent)) - 1
      known.set(key, index)
    }
    groupOf[row] = index
    add(groups[index]!, calls, row)
  }
  return ordered(groups, groupOf)
}

/** All calls by method, the costliest on the critical path first. */
export function methods(calls: Calls): readonly Group[] {
  const known = new Map<string, Group>()
  for (let row = 0; row < calls.rows; row++) {
    const key = keyOf(calls, row)
    let group = known.get(key)
    if (group === undefined) {
      group = emptyGroup(row, -1)
      known.set(key, group)
    }
    add(group, calls, row)
  }
  return [...known.values()].sort((one, other) => other.critical - one.critical)
}

function keyOf({ column }: Calls, row: number): string {
  return `${column.kind[row]} ${column.edge[row]} ${column.service[row]} ${column.method[row]}`
}

function emptyGroup(row: number, parent: number): Group {
  const sums = { depth: 0, total: 0, self: 0, critical: 0, errors: 0, count: 0 }
  return { row, rows: [], parent, ...sums }
}

function add(group: Group, calls: Calls, row: number): void {
  group.rows.push(row)
  group.count += calls.column.count[row]!
  group.total += calls.column.total[row]! || calls.column.handle[row]! || 0
  group.self += calls.column.self[row]! || 0
  group.critical += calls.critical[row]!
  if (calls.failed(row)) group.errors++
}

function ordered(groups: readonly Group[], groupOf: Int32Array) {
  const below: number[][] = groups.map(() => [])
  const roots: number[] = []
  for (const [index, { parent }] of groups.entries()) {
    if (parent < 0) roots.push(index)
    else below[parent]!.push(index)
  }
  // From the cheapest to the costliest, since the last is taken first.
  const cheapest = (one: number, other: number) => groups[one]!.total - groups[other]!.total
  const place = new Int32Array(groups.length)
  const found: Group[] = []
  const open = roots.sort(cheapest).map((index) => ({ index, depth: 0, parent: -1 }))
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { index, depth, parent } = at
    place[index] = found.push({ ...groups[index]!, depth, parent }) - 1
    for (const child of below[index]!.sort(cheapest)) {
      open.push({ index: child, depth: depth + 1, parent: place[index]! })
    }
  }
  return { groups: found, groupOf: groupOf.map((index) => place[index]!) }
}

/** Least, median and most of the totals, in microseconds; undefined where none is known. */
export function spreadOf(calls: Calls, rows: readonly number[]) {
  const known = Float64Array.from(rows, (row) => calls.column.total[row]!).filter(
    (us) => !Number.isNaN(us),
  )
  if (known.length === 0) return undefined
  known.sort()
  return { least: known[0]!, median: known[known.length >> 1]!, most: known.at(-1)! }
}
