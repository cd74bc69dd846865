import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { harmless, harmlessJson, harmlessLines } from './harmless.ts'

const CONTROLS = /\p{Cc}|\p{Cf}|\p{Cs}|\p{Zl}|\p{Zp}/u

test('controls, overrides and invisible signs are written out', () => {
  assert.equal(harmless('a\x1b[2Jb\nc\td\u009be'), 'a\\x1b[2Jb\\nc\\td\\x9be')
  assert.equal(harmless('user\u202egnp.exe'), 'user\\u202egnp.exe')
  assert.equal(harmless('\ud800'), '\\ud800')
  assert.equal(harmlessLines('a\n\tb\x07'), 'a\n\tb\\x07')
})

test('no text can steer a terminal, whatever it holds', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.doesNotMatch(harmless(text), CONTROLS)
      assert.doesNotMatch(harmlessLines(text).replaceAll(/[\n\t]/g, ''), CONTROLS)
    }),
  )
})

test('harmless JSON is still the same JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (value, text) => {
      const printed = harmlessJson({ value, text })
      assert.doesNotMatch(printed, CONTROLS)
      assert.deepEqual(JSON.parse(printed), JSON.parse(JSON.stringify({ value, text })))
    }),
  )
  assert.equal(harmlessJson(undefined), 'null')
})
