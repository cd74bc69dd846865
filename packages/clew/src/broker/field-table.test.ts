import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type HeaderValue, NewTable } from '../call/index.ts'
import { headers } from './contract/fixtures.ts'
import { encodeTable, HEADER_BYTES, TABLE_DEPTH, TableError, TableReader } from './field-table.ts'

function read(table: Buffer): Record<string, HeaderValue> {
  const entries = new NewTable()
  const reader = new TableReader(table)
  while (reader.next()) entries[(reader.prefixed ? 'nameko.' : '') + reader.key] = reader.value
  return entries
}

/** The tag that a value is written with: the first byte behind the key `x`. */
function tagOf(value: unknown): string {
  return String.fromCharCode(encodeTable(headers({ x: value as HeaderValue }))[2]!)
}

const key = fc.string({ maxLength: 30, unit: 'grapheme' })
const leaf = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
  fc.uint8Array(),
)
const anyValue = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: TABLE_DEPTH - 1 },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4 }),
  ),
})).value as fc.Arbitrary<HeaderValue>

describe('header tables', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(fc.dictionary(key, anyValue, { maxKeys: 6 }), (entries) => {
        const table = headers(entries)
        assert.deepEqual(normal(read(encodeTable(table))), normal(table))
      }),
      { numRuns: 500 },
    )
  })

  it('never use a field type that a peer misreads', () => {
    assert.deepEqual([0, -1, 300, 70_000, -(2 ** 31), 2 ** 31 - 1].map(tagOf), [
      'I',
      'I',
      'I',
      'I',
      'I',
      'I',
    ])
    assert.deepEqual([2 ** 31, 2 ** 32, 2 ** 53 - 1].map(tagOf), ['l', 'l', 'l'])
    assert.deepEqual([1.5, -(2 ** 31) - 1, 2 ** 60].map(tagOf), ['d', 'd', 'd'])
    assert.deepEqual(['', true, null, undefined, [], {}, new Uint8Array(1), 5n].map(tagOf), [
      ...['S', 't', 'V', 'V', 'A', 'F', 'x', 'S'],
    ])
  })

  it('refuse what cannot be sent', () => {
    const cyclic: Record<string, unknown> = {}
    cyclic.self = cyclic
    for (const value of [
      ...[() => {}, Symbol('x'), cyclic, 'x'.repeat(HEADER_BYTES)],
      ...[Number.NaN, Number.POSITIVE_INFINITY],
    ]) {
      assert.throws(() => encodeTable(headers({ x: value as HeaderValue })), TableError)
    }
    assert.throws(() => encodeTable(headers({ ['k'.repeat(256)]: 1 })), TableError)
    assert.throws(() => encodeTable(headers({ x: headers({ ['k'.repeat(256)]: 1 }) })), TableError)
    assert.equal(encodeTable(headers({ x: 1 })).length, 7)
  })

  it('are read or refused, whatever the bytes', () => {
    const good = encodeTable(headers({ a: 1, b: ['x', 2.5], c: headers({ d: true }) }))
    const mangled = fc
      .tuple(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length))
      .map(([at, octet, end]) => {
        const bad = Buffer.from(good)
        bad[at] = octet
        return bad.subarray(0, end)
      })
    const anything = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))
    let readable = 0
    fc.assert(
      fc.property(fc.oneof(anything, mangled), (bytes) => {
        try {
          read(bytes)
          readable++
        } catch (error) {
          assert.ok(error instanceof Error)
        }
      }),
      { numRuns: 5000 },
    )
    assert.ok(readable > 0)
  })
})

/** -0 becomes 0, and bytes are compared as arrays. */
function normal(value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: [...value] }
  if (Array.isArray(value)) return value.map(normal)
  if (value !== null && typeof value === 'object') {
    return Object.entries(value).map(([name, item]) => [name, normal(item)])
  }
  return Object.is(value, -0) ? 0 : value
}
