import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { errorFrame, eventFrame, parseRequest, resultFrame, UnserializableError } from './frames.ts'

test('whatever a client sends is read or refused, never thrown', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.json().map((text) => text.slice(1)),
      ),
      (text) => {
        const request = parseRequest(text)
        if (request !== undefined) resultFrame(null, request.correlationId)
      },
    ),
  )
  assert.equal(parseRequest('['.repeat(1_000_000)), undefined)
  assert.equal(parseRequest('{"__proto__":{"method":"a"}}'), undefined)
})

test('a correlation id comes back as it was written', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (id) => {
      const request = parseRequest(JSON.stringify({ method: 'm', correlation_id: id }))
      const answer = JSON.parse(resultFrame(1, request?.correlationId)) as object
      assert.deepEqual(answer, {
        type: 'result',
        success: true,
        data: 1,
        correlation_id: written(id),
      })
    }),
  )
  for (const digits of ['9007199254740993', '123456789012345678901234567890', '1e400', '0.1']) {
    const text = `{"data":{"correlation_id":1},"method":"m","correlation_id":${digits}}`
    assert.match(resultFrame(1, parseRequest(text)?.correlationId), new RegExp(`:${digits}}$`))
  }
})

test('what is empty in Python means no arguments', () => {
  for (const empty of ['null', '0', '""', '[]', 'false', '{}']) {
    assert.deepEqual(parseRequest(`{"method":"m","data":${empty}}`)?.data, {})
  }
})

test('values that JSON lacks are refused, with their place', () => {
  const itself: { me?: unknown } = {}
  itself.me = itself
  let deep: unknown = []
  for (let level = 0; level < 100_000; level++) deep = [deep]
  const refused: readonly [unknown, RegExp][] = [
    [new Map(), /it is a Map/],
    [{ a: [new Set()] }, /0 is a Set/],
    [{ price: Number.NaN }, /price is NaN/],
    [{ most: Number.POSITIVE_INFINITY }, /most is Infinity/],
    [{ id: 1n }, /id is a bigint/],
    [{ run: () => {} }, /run is a function/],
    [{ bytes: new Uint8Array(2) }, /bytes is a Uint8Array/],
    [Promise.resolve(), /it is a Promise/],
    [itself, /it contains itself/],
    [deep, /nested too deeply/],
    [
      {
        toJSON() {
          throw new Error('no')
        },
      },
      /no/,
    ],
  ]
  for (const [value, reason] of refused) {
    const told = (error: unknown) =>
      error instanceof UnserializableError && reason.test(error.message)
    assert.throws(() => resultFrame(value, null), told)
    assert.throws(() => eventFrame('e', value), told)
  }
  assert.equal(resultFrame(undefined, undefined), resultFrame(null, null))
  assert.match(resultFrame({ at: new Date(0), gone: undefined }, 1), /"data":\{"at":"1970-01-01/)
})

test('a trace is one key more, and none where nothing may be seen', () => {
  const error = { exc_type: 'E', exc_path: 'E', exc_args: [], value: '' }
  assert.equal(resultFrame(1, 2, {}), resultFrame(1, 2))
  assert.equal(errorFrame(error, 2, {}), errorFrame(error, 2))
  const seen = { 'server-timing': 'total;dur=1' }
  assert.equal(
    resultFrame(1, 2, seen),
    resultFrame(1, 2).replace('}', `,"trace":${JSON.stringify(seen)}}`),
  )
  assert.match(
    errorFrame(error, 2, seen),
    /"correlation_id":2,"trace":\{"server-timing":"total;dur=1"\}\}$/,
  )
})

/** JSON has no -0. */
function written(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}
