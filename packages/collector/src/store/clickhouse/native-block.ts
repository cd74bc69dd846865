/**
 * Columns in ClickHouse's Native format, the one that it reads with the least work: values of a column
 * lie side by side as they do in its files.
 * https://clickhouse.com/docs/interfaces/specs/native
 */
export interface Column {
  readonly name: string
  /** As ClickHouse names it. */
  readonly type: string
  readonly rows: number
  /** What stands before the values: versions of serializations. */
  readonly prefix: Uint8Array
  readonly bytes: Uint8Array
}

type Numbers =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array

const NUMBER_TYPES = new Map<unknown, string>([
  [Uint8Array, 'UInt8'],
  [Int8Array, 'Int8'],
  [Uint16Array, 'UInt16'],
  [Int16Array, 'Int16'],
  [Uint32Array, 'UInt32'],
  [Int32Array, 'Int32'],
  [Float32Array, 'Float32'],
  [Float64Array, 'Float64'],
])

const NONE = new Uint8Array(0)
const texts = new TextEncoder()

/** Numbers of the array's own kind. The array is not copied: it must not change before it is inserted. */
export function numbers(name: string, values: Numbers): Column {
  const type = NUMBER_TYPES.get(values.constructor)!
  return { name, type, rows: values.length, prefix: NONE, bytes: bytesOf(values) }
}

/** Whole numbers between -(2^53-1) and 2^53-1 in eight bytes each. */
export function wholeNumbers(
  name: string,
  type: 'UInt64' | 'Int64',
  values: ArrayLike<number>,
): Column {
  const words = new Int32Array(values.length * 2)
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!
    const high = Math.floor(value / 2 ** 32)
    words[index * 2] = value - high * 2 ** 32
    words[index * 2 + 1] = high
  }
  return { name, type, rows: values.length, prefix: NONE, bytes: bytesOf(words) }
}

/** Texts, each as it is. */
export function strings(name: string, values: readonly string[]): Column {
  return { name, type: 'String', rows: values.length, prefix: NONE, bytes: putStrings(values) }
}

/** Values of any bytes. */
export function byteStrings(name: string, values: readonly Uint8Array[]): Column {
  let size = 0
  for (const { length } of values) size += length + 5
  const bytes = new Uint8Array(size)
  let at = 0
  for (const value of values) {
    at = putVarint(bytes, at, value.length)
    bytes.set(value, at)
    at += value.length
  }
  const rows = values.length
  return { name, type: 'String', rows, prefix: NONE, bytes: bytes.subarray(0, at) }
}

/** Ids of equal length, given in hex. */
export function hexIds(name: string, size: number, ids: readonly string[]): Column {
  const bytes = Buffer.alloc(ids.length * size)
  for (const [index, id] of ids.entries()) bytes.write(id, index * size, size, 'hex')
  return { name, type: `FixedString(${size})`, rows: ids.length, prefix: NONE, bytes }
}

/** Texts of which there are few: each once, and for every row its number. */
export function names(name: string, values: readonly string[]): Column {
  return { name, type: NAMES, rows: values.length, prefix: DICTIONARY, bytes: putNames(values) }
}

/** The same, taken one by one. */
export class NameColumn {
  readonly #numberOf = new Map<string, number>()
  readonly #indices: Uint32Array
  #last: string | undefined
  #number = 0
  #at = 0

  constructor(rows: number) {
    this.#indices = new Uint32Array(rows)
  }

  add(value: string): void {
    // Rows that follow each other often have the same.
    if (value !== this.#last) {
      this.#last = value
      const known = this.#numberOf.get(value)
      this.#number = known ?? this.#numberOf.size
      if (known === undefined) this.#numberOf.set(value, this.#number)
    }
    this.#indices[this.#at++] = this.#number
  }

  column(name: string): Column {
    const rows = this.#at
    const bytes = rows === 0 ? NONE : putDictionary([...this.#numberOf.keys()], this.#indices)
    return { name, type: NAMES, rows, prefix: DICTIONARY, bytes }
  }
}

/** The same whole number in every row. */
export function repeatedNumber(name: string, value: number, rows: number): Column {
  const bytes = bytesOf(new BigUint64Array(rows).fill(BigInt(value)))
  return { name, type: 'UInt64', rows, prefix: NONE, bytes }
}

/** Lists of such texts. */
export function nameLists(name: string, lists: readonly (readonly string[])[]): Column {
  const bytes = joined([offsets(lists.map(({ length }) => length)), putNames(lists.flat())])
  return { name, type: `Array(${NAMES})`, rows: lists.length, prefix: DICTIONARY, bytes }
}

/** Lists of whole numbers from 0 to 2^53-1. */
export function numberLists(name: string, lists: readonly (readonly number[])[]): Column {
  const inner = wholeNumbers('', 'UInt64', lists.flat())
  const bytes = joined([offsets(lists.map(({ length }) => length)), inner.bytes])
  return { name, type: 'Array(UInt64)', rows: lists.length, prefix: NONE, bytes }
}

/** Objects whose names repeat and whose values are texts. */
export function textMaps(name: string, maps: readonly Readonly<Record<string, string>>[]): Column {
  const lengths = new Array<number>(maps.length).fill(0)
  const keys: string[] = []
  const values: string[] = []
  for (let at = 0; at < maps.length; at++) {
    const map = maps[at]!
    const before = keys.length
    // Most have none. Objects from strangers have no prototype, so that all names are their own.
    for (const key in map) {
      if (!Object.hasOwn(map, key)) continue
      keys.push(key)
      values.push(map[key]!)
    }
    lengths[at] = keys.length - before
  }
  const bytes = joined([offsets(lengths), putNames(keys), putStrings(values)])
  return { name, type: `Map(${NAMES}, String)`, rows: maps.length, prefix: DICTIONARY, bytes }
}

/** Objects whose names repeat and whose values are whole numbers from 0 to 2^53-1. */
export function countMaps(name: string, maps: readonly Readonly<Record<string, number>>[]): Column {
  const entries = maps.map((map) => Object.entries(map))
  const flat = entries.flat()
  const bytes = joined([
    offsets(entries.map(({ length }) => length)),
    putNames(flat.map(([key]) => key)),
    wholeNumbers(
      '',
      'UInt64',
      flat.map(([, value]) => value),
    ).bytes,
  ])
  return { name, type: `Map(${NAMES}, UInt64)`, rows: maps.length, prefix: DICTIONARY, bytes }
}

/** Columns of equal length, one behind the other. */
export function encodeBlock(columns: readonly Column[]): Uint8Array {
  const rows = columns[0]?.rows ?? 0
  const parts: Uint8Array[] = [varint(columns.length), varint(rows)]
  for (const column of columns) {
    if (column.rows !== rows) {
      throw new RangeError(`column ${column.name} has ${column.rows} rows, not ${rows}`)
    }
    parts.push(putStrings([column.name, column.type]), column.prefix, column.bytes)
  }
  return joined(parts)
}

const NAMES = 'LowCardinality(String)'
/** The version of how names are serialized. */
const DICTIONARY = bytesOf(new Uint32Array([1, 0]))
/** The dictionary stands in the block itself, and is whole. */
const WITH_KEYS = 1 << 9
const FRESH = 1 << 10

function putNames(values: readonly string[]): Uint8Array {
  if (values.length === 0) return NONE
  const column = new NameColumn(values.length)
  for (const value of values) column.add(value)
  return column.column('').bytes
}

/** A dictionary, and numbers of its keys in as few bytes as there are keys. */
function putDictionary(keys: readonly string[], indices: Uint32Array): Uint8Array {
  const [code, narrow] =
    keys.length <= 0x100
      ? [0, new Uint8Array(indices)]
      : keys.length <= 0x10000
        ? [1, new Uint16Array(indices)]
        : [2, indices]
  return joined([
    bytesOf(new Uint32Array([code | WITH_KEYS | FRESH, 0, keys.length, 0])),
    putStrings(keys),
    bytesOf(new Uint32Array([indices.length, 0])),
    bytesOf(narrow),
  ])
}

/** Where each list ends among all values. */
function offsets(lengths: readonly number[]): Uint8Array {
  let end = 0
  const ends = lengths.map((length) => {
    end += length
    return end
  })
  return wholeNumbers('', 'UInt64', ends).bytes
}

function putStrings(values: readonly string[]): Uint8Array {
  let most = 0
  for (const { length } of values) most += length * 3 + 5
  const bytes = new Uint8Array(most)
  let at = 0
  for (const value of values) {
    // The length in bytes is known last; most texts are ASCII, and their room is as long as that.
    const room = value.length < 0x80 ? 1 : value.length < 0x4000 ? 2 : 5
    const { written } = texts.encodeInto(value, bytes.subarray(at + room))
    const end = putVarint(bytes, at, written)
    if (end !== at + room) bytes.copyWithin(end, at + room, at + room + written)
    at = end + written
  }
  return bytes.subarray(0, at)
}

function putVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value
  let place = at
  for (; rest >= 0x80; rest >>>= 7) bytes[place++] = (rest & 0x7f) | 0x80
  bytes[place++] = rest
  return place
}

function varint(value: number): Uint8Array {
  const bytes = new Uint8Array(5)
  return bytes.subarray(0, putVarint(bytes, 0, value))
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  let size = 0
  for (const { length } of parts) size += length
  const bytes = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
