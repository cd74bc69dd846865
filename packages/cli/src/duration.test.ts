import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDuration } from './duration.ts'

test('times are read with and without units', () => {
  assert.deepEqual(
    ['250', '250ms', '2s', '1.5m', '1h', ' 3 s '].map(parseDuration),
    [250, 250, 2000, 90_000, 3_600_000, 3000],
  )
})

test('what is no time above zero is refused in words', () => {
  for (const text of ['', 'soon', '0', '0s', '-1', '1d', '1e3', 'Infinity', '999h']) {
    assert.throws(() => parseDuration(text), { name: 'Fault', exit: 2 }, text)
  }
})
