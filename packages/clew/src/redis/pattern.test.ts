import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { batchOf, keyPattern, LONGEST_OPERATION, operationOf } from './pattern.ts'

test('keys are shown by the word before their first colon', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['products:the_odyssey', 'products:?'],
    ['products:1:stock', 'products:?'],
    ['user-session:abc', 'user-session:?'],
    ['products:*', 'products:?'],
    ['the_odyssey', '?'],
    ['4711:products', '?'],
    [':', '?'],
    ['', '?'],
    [`${'k'.repeat(41)}:1`, '?'],
  ]
  for (const [key, shown] of cases) assert.equal(keyPattern(key), shown, key)
})

test('a command is shown with its keys, a batch with how often', () => {
  assert.equal(operationOf('hgetall', ['products:1']), 'HGETALL products:?')
  assert.equal(
    operationOf('mget', ['products:1', 'products:2', 'orders:1']),
    'MGET products:? orders:?',
  )
  assert.equal(operationOf('ping', []), 'PING')
  assert.equal(operationOf('my secret', []), '?')
  assert.equal(
    batchOf('MULTI', ['HINCRBY products:?', 'HINCRBY products:?', 'DEL ?']),
    'MULTI HINCRBY products:? x2, DEL ?',
  )
})

test('nothing behind the first colon is shown, whatever it is, and all is bounded', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 200 }), (parts) => {
      const keys = parts.map((part, at) => `kind${'abcdefgh'[at % 8]}:${part}zqj`)
      const shown = operationOf('mget', keys)
      assert.ok(!shown.includes('zqj'))
      assert.ok(shown.length <= LONGEST_OPERATION)
      const batch = batchOf(
        'PIPELINE',
        keys.map((key) => operationOf('get', [key])),
      )
      assert.ok(!batch.includes('zqj') && batch.length <= LONGEST_OPERATION)
    }),
  )
})
