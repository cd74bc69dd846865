import type { Headers } from '../call/index.ts'
import { encodeTable } from './field-table.ts'

/** Bytes of values that have no length of their own, by field type. */
const FIXED: Readonly<Record<string, number>> = {
  t: 1,
  b: 1,
  B: 1,
  s: 2,
  U: 2,
  u: 2,
  I: 4,
  i: 4,
  f: 4,
  D: 5,
  l: 8,
  L: 8,
  d: 8,
  T: 8,
  V: 0,
}
const SIZED = 'SxAF'

/**
 * A header table with other entries in the place of some; what stays keeps its bytes, whatever field
 * types a peer wrote. Entries behind one that cannot be read are lost.
 * @param longest bytes of an entry that may stay
 * @throws TableError when what is added cannot be sent
 */
export function editTable(
  table: Buffer | undefined,
  drop: (name: string) => boolean,
  add: Headers,
  longest = Number.POSITIVE_INFINITY,
): Buffer {
  const kept: Buffer[] = []
  for (let at = 0; table !== undefined && at < table.length; ) {
    const end = entryEnd(table, at)
    if (end === undefined) break
    const name = table.toString('utf8', at + 1, at + 1 + table[at]!)
    const fits = end - at <= longest
    if (fits && !drop(name) && !Object.hasOwn(add, name)) kept.push(table.subarray(at, end))
    at = end
  }
  return Buffer.concat([...kept, encodeTable(add)])
}

function entryEnd(table: Buffer, start: number): number | undefined {
  const typeAt = start + 1 + table[start]!
  const type = String.fromCharCode(table[typeAt] ?? 0)
  let end = typeAt + 1
  if (SIZED.includes(type)) {
    if (end + 4 > table.length) return undefined
    end += 4 + table.readUInt32BE(end)
  } else {
    const length = FIXED[type]
    if (length === undefined) return undefined
    end += length
  }
  return end <= table.length ? end : undefined
}
