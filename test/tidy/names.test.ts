import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AllowedName, badNames, wordsOf } from './names.ts'

function bad(path: string, text: string, allowed: readonly AllowedName[] = []): readonly string[] {
  return badNames([{ path, text }], allowed).map(({ message }) => message)
}

test('names are cut into words', () => {
  assert.deepEqual(wordsOf('CallNode'), ['call', 'node'])
  assert.deepEqual(wordsOf('encodeBase64'), ['encode', 'base64'])
  assert.deepEqual(wordsOf('MAX_DATA'), ['max', 'data'])
  assert.deepEqual(wordsOf('HTTPServer'), ['http', 'server'])
  assert.deepEqual(wordsOf('call-node'), ['call', 'node'])
})

test('banned words are found in declarations of every kind', () => {
  assert.deepEqual(bad('a.ts', 'const userData = 1'), ['the name userData contains "data"'])
  assert.deepEqual(bad('a.ts', 'function f(ctx: X) {}'), ['the name ctx contains "ctx"'])
  assert.deepEqual(bad('a.ts', 'class CallManager {}'), ['the name CallManager contains "manager"'])
  assert.deepEqual(bad('a.ts', 'interface X { readonly info: Y }'), [
    'the name info contains "info"',
  ])
  assert.deepEqual(bad('a.ts', 'class X { #msg = 1 }'), ['the name msg contains "msg"'])
  assert.deepEqual(bad('a.ts', 'const { spans } = x'), ['the name spans contains "spans"'])
})

test('banned words are found in file names, which are in kebab-case', () => {
  assert.deepEqual(bad('a/string-utils.ts', ''), ['the file name string-utils contains "utils"'])
  assert.deepEqual(bad('a/callTree.ts', ''), ['not in kebab-case'])
  assert.deepEqual(bad('a/README.md', ''), [])
})

test('an I in front of a type is found, a word that begins with I is not', () => {
  assert.deepEqual(bad('a.ts', 'interface IBroker {}'), ['the interface IBroker has an I in front'])
  assert.deepEqual(bad('a.ts', 'class IdService {}\nconst INDEX = 1'), [])
})

test("other people's names and text are left alone", () => {
  assert.deepEqual(bad('a.ts', 'x.data = y?.info // data\nf("data", `info`, /base/)'), [])
  assert.deepEqual(bad('a.ts', "import fs from 'node:fs'\nconst database = basename"), [])
})

test('an exception holds for its paths and names only', () => {
  const allowed = [{ paths: /^trees\//, names: /node/i, reason: 'a place in a tree' }]
  assert.deepEqual(bad('trees/a.ts', 'const treeNode = 1', allowed), [])
  assert.equal(bad('trees/a.ts', 'const data = 1', allowed).length, 1)
  assert.equal(bad('other/a.ts', 'const treeNode = 1', allowed).length, 1)
})
