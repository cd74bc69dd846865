import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { visible } from './visible.ts'

test('what is invisible or steers a terminal is written out', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['plain name-1.get /x', 'plain name-1.get /x'],
    ['мир 决算 é', 'мир 决算 é'],
    ['\x1b[31m', '\\x1b[31m'],
    ['a\tb\nc\rd', 'a\\tb\\nc\\rd'],
    ['\x00\x7f\x9b', '\\x00\\x7f\\x9b'],
    ['\u202egnp', '\\u202egnp'],
    ['a\u200bb\ufeff\u00ad', 'a\\u200bb\\ufeff\\xad'],
    ['\u2028\u2029', '\\u2028\\u2029'],
    ['\ud800x\udc00', '\\ud800x\\udc00'],
    ['\ufffe\uffff', '\\ufffe\\uffff'],
    ['\u{e0041}\u{1fffe}', '\\u{e0041}\\u{1fffe}'],
    ['\u3164\ufe0f', '\\u3164\\ufe0f'],
  ]
  for (const [given, wanted] of cases) assert.equal(visible(given), wanted)
})

test('the result holds nothing to be written out, and is bounded', () => {
  const harmless = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}]*$/u
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      assert.match(visible(text), harmless)
      assert.equal(visible(visible(text)), visible(text))
    }),
  )
  assert.ok(visible('\x00'.repeat(1e6)).length < 5000)
})
