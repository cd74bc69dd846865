import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tokenize } from './tokens.ts'

function texts(code: string): readonly string[] {
  return tokenize(code).map(({ text }) => text)
}

test('comments are no tokens, whatever they contain', () => {
  assert.deepEqual(texts('#!/usr/bin/env node\na // b "c\n/* d `e */ f /** g */'), ['a', 'f'])
})

test('strings, templates and patterns keep what is in them to themselves', () => {
  const code =
    'x = "import a" + \'it\\\'s b\' + `c §{d + `e §{f} g`} h` + /[/"]i/u.test(j) / k'.replaceAll(
      '§',
      '$',
    )
  const words = tokenize(code)
    .filter(({ kind }) => kind === 'word')
    .map(({ text }) => text)
  assert.deepEqual(words, ['x', 'd', 'f', 'test', 'j', 'k'])
})

test('a slash after a value divides', () => {
  assert.deepEqual(texts('(a) / b / c'), ['(', 'a', ')', '/', 'b', '/', 'c'])
})

test('a quote that does not close ends with its line', () => {
  assert.ok(texts("<p>don't</p>\nname").includes('name'))
})

test('lines are counted through everything that spans lines', () => {
  const code = '/* 1\n2 */ `3\n§{\nfour}\n` five "\\\n" six'.replace('§', '$')
  const lines = Object.fromEntries(tokenize(code).map(({ text, line }) => [text, line]))
  assert.equal(lines.four, 4)
  assert.equal(lines.five, 5)
  assert.equal(lines.six, 6)
})
