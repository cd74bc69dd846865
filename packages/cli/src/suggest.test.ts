import assert from 'node:assert/strict'
import { test } from 'node:test'
import { suggestions } from './suggest.ts'

const COMMANDS = ['demo', 'run', 'call', 'show', 'render', 'breakdown', 'completion']

test('a mistyped command finds the one that was meant', () => {
  const cases = { shwo: 'show', shw: 'show', rendr: 'render', compl: 'completion', cal: 'call' }
  for (const [word, meant] of Object.entries(cases)) {
    assert.equal(suggestions(word, COMMANDS)[0], meant, word)
  }
})

test('a word that is like nothing finds nothing', () => {
  for (const word of ['xyzzy', '', 'toString', 'q'])
    assert.deepEqual(suggestions(word, COMMANDS), [])
})
