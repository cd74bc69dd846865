import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { decodePayload, encodePayload, UndecodableError, UnserializableError } from './payload.ts'

function decode(text: string): unknown {
  return decodePayload(Buffer.from(text))
}

describe('payloads', () => {
  it('are JSON wherever JSON can do it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = encodePayload(value)
        const json = JSON.stringify(value)
        assert.deepEqual(decode(text), JSON.parse(json))
        // Long runs of digits are the exception, below.
        if (!/\d{16}/.test(json)) assert.equal(text, json)
      }),
    )
  })

  it('carry special numbers there and back', () => {
    const special = fc.constantFrom(
      ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2n ** 64n, -(2n ** 53n)],
    )
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        special,
        fc.constantFrom('NaN "Infinity\\', 'x', 1, null, 0.1234567890123456),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.constantFrom('NaN', '"Infinity', 'a', '__proto__'), tie('value')),
      ),
    }))
    fc.assert(
      fc.property(value, (original) => {
        assert.deepEqual(comparable(decode(encodePayload(original))), comparable(original))
      }),
      { numRuns: 500 },
    )
  })

  it('follow JSON.stringify where it calls toJSON, drops and unwraps', () => {
    const value = {
      date: new Date(0),
      gone: undefined,
      holes: [undefined, new Date(Number.NaN)],
      boxed: Object(5),
      nested: { toJSON: () => ({ a: [1] }) },
    }
    assert.equal(encodePayload(value), JSON.stringify(value))
    const slow = { ...value, special: Number.NaN }
    assert.equal(
      encodePayload(slow),
      JSON.stringify(slow).replace('"special":null', '"special":NaN'),
    )
    assert.equal(encodePayload(undefined), 'null')
  })

  it('refuse what would arrive as something else', () => {
    const cyclic: { self?: unknown; n: unknown } = { n: 2n ** 60n }
    cyclic.self = cyclic
    const refused: [unknown, RegExp][] = [
      [[() => {}], /function/],
      [{ key: Symbol('s') }, /key is a symbol/],
      [1n, /bigint 1n/],
      [{ key: new Map() }, /key is a Map/],
      [new Set([1]), /Set/],
      [[Buffer.from('x')], /Buffer/],
      [{ key: new Uint8Array(1), other: Number.NaN }, /Uint8Array/],
      [Promise.resolve(), /Promise/],
      [cyclic, /contains itself/],
    ]
    for (const [value, message] of refused) {
      assert.throws(
        () => encodePayload(value),
        (error: unknown) => error instanceof UnserializableError && message.test(error.message),
      )
    }
    let deep: unknown = 1
    for (let level = 0; level < 100_000; level++) deep = [deep]
    assert.throws(() => encodePayload(deep), UnserializableError)
  })

  it('keep numbers numbers and bigints bigints', () => {
    const numbers = [2 ** 53, -(2 ** 60), 1e17, 123456789012345680000, 1e21, 1e300, 2 ** 53 - 1]
    assert.deepEqual(decode(encodePayload(numbers)), numbers)
    const bigints = [2n ** 53n, -(2n ** 60n), 10n ** 30n]
    assert.deepEqual(decode(encodePayload(bigints)), bigints)
  })

  it('keep digits that a number would lose, and only those', () => {
    assert.deepEqual(decode('[9007199254740993, 9007199254740991, 12345678901234567e3]'), [
      9007199254740993n,
      9007199254740991,
      12345678901234567e3,
    ])
    assert.deepEqual(decode('{"a": "1234567890123456789", "b": 0.12345678901234560000}'), {
      a: '1234567890123456789',
      b: 0.1234567890123456,
    })
    assert.equal(decode('9'.repeat(5000)), Number.POSITIVE_INFINITY)
  })

  it('decode what newer versions of kombu wrap', () => {
    const wrapped = (type: string, value: unknown) => ({ __type__: type, __value__: value })
    const unknown = wrapped('surprise', 1)
    const value = [
      wrapped('datetime', '2026-11-23T10:00:00.123456+01:00'),
      wrapped('datetime', '2026-11-23T10:00:00'),
      { nested: wrapped('date', '2026-11-23') },
      wrapped('decimal', '1.10'),
      wrapped('uuid', { hex: '0123456789abcdef0123456789abcdef', version: 4 }),
      wrapped('bytes', 'é'),
      wrapped('base64', '/wA='),
      unknown,
      wrapped('datetime', 'no date'),
      { ...wrapped('date', 'x'), more: 1 },
    ]
    assert.deepEqual(decode(JSON.stringify(value)), [
      new Date('2026-11-23T09:00:00.123Z'),
      new Date('2026-11-23T10:00:00Z'),
      { nested: '2026-11-23' },
      '1.10',
      '01234567-89ab-cdef-0123-456789abcdef',
      new Uint8Array([0xc3, 0xa9]),
      new Uint8Array([0xff, 0]),
      unknown,
      wrapped('datetime', 'no date'),
      { ...wrapped('date', 'x'), more: 1 },
    ])
  })

  it('are never slow or deep enough to harm', () => {
    const levels = 200_000
    const deep = '['.repeat(levels) + ']'.repeat(levels)
    assert.ok(Array.isArray(decode(deep)))
    assert.ok(Array.isArray(decode(`[${deep}, {"__type__": 1}, 12345678901234567890]`)))
    for (const text of [`"${'\\"'.repeat(levels)}NaN`, 'NaN'.repeat(levels), '['.repeat(levels)]) {
      assert.throws(() => decode(text), UndecodableError)
    }
  })

  it('are read or refused, whatever the bytes', () => {
    const snippets = fc.constantFrom(
      ...['NaN', '-Infinity', '"', '\\', '[', ']', '{', '}', ':', ',', '12345678901234567890'],
      ...['"__type__"', '"__value__"', '"uuid"', 'é', '1e400', '-0e9999', ' '],
    )
    const text = fc.array(snippets, { maxLength: 20 }).map((parts) => parts.join(''))
    const bytes = fc.oneof(
      text.map((joined) => Buffer.from(joined)),
      fc.uint8Array().map((octets) => Buffer.from(octets)),
    )
    fc.assert(
      fc.property(bytes, (body) => {
        try {
          decodePayload(body)
        } catch (error) {
          assert.ok(error instanceof UndecodableError)
        }
      }),
      { numRuns: 5000 },
    )
  })
})

function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable)
  if (value !== null && typeof value === 'object') {
    return Object.entries(value).map(([name, item]) => [name, comparable(item)])
  }
  return value
}
