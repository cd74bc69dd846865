import assert from 'node:assert/strict'
import { test } from 'node:test'
import { badLines, badStatements, longFiles } from './text.ts'

function messages(found: readonly { readonly line: number; readonly message: string }[]) {
  return found.map(({ line, message }) => `${line}: ${message.replace(/:.*/, '')}`)
}

test('a file of more than 500 lines is found', () => {
  const code = (lines: number) => [{ path: 'a.ts', text: 'x\n'.repeat(lines) }]
  assert.deepEqual(longFiles(code(500)), [])
  assert.equal(longFiles(code(501)).length, 1)
  assert.deepEqual(longFiles([{ path: 'a.json', text: 'x\n'.repeat(501) }]), [])
})

test('default exports are found in every form', () => {
  const found = (text: string) => messages(badStatements([{ path: 'a.ts', text }]))
  assert.deepEqual(found('\nexport default class {}'), ['2: a default export'])
  assert.deepEqual(found('export { x as default }'), ['1: a default export'])
  assert.deepEqual(found("import x from 'y'\nswitch (x) { default: y }"), [])
})

test('what debugging leaves is found', () => {
  const found = (text: string) => messages(badStatements([{ path: 'a.test.ts', text }]))
  assert.deepEqual(found('test.only("x", f)'), ['1: a test that hides the others'])
  assert.deepEqual(found('debugger'), ['1: a debugger statement'])
  assert.deepEqual(found('const only = "debugger"; x.only = only'), [])
})

// The lines below are put together here, so that they are not found in this file.
const joined = (...parts: readonly string[]) => parts.join('')

test('merge markers are found, underlined headings are not', () => {
  const found = (text: string) => messages(badLines([{ path: 'a.md', text }]))
  assert.deepEqual(found(`a\n${'<'.repeat(7)} HEAD`), ['2: a merge was not finished here'])
  assert.deepEqual(found('>'.repeat(7)), ['1: a merge was not finished here'])
  assert.deepEqual(found('Heading\n======='), [])
})

test('unfinished work is found', () => {
  const found = (text: string) => messages(badLines([{ path: 'a.ts', text }]))
  assert.deepEqual(found(joined('// TO', 'DO: write this')), ['1: unfinished work'])
  assert.deepEqual(found(joined('x() // FIX', 'ME')), ['1: unfinished work'])
  assert.deepEqual(found('const todos = 1'), [])
})

test('paths of one machine and registry hosts are found', () => {
  const found = (text: string) => messages(badLines([{ path: 'a.json', text }]))
  assert.deepEqual(found(joined('"/wo', 'rk/main"')), ['1: a path of one machine'])
  assert.deepEqual(found(joined('cat /tm', 'p/x')), ['1: a path of one machine'])
  assert.deepEqual(found(joined('/home/', 'ada/x')), ['1: a path of one machine'])
  assert.deepEqual(found(joined('"https://registry', '.example/x"')), [
    "1: a package registry's host",
  ])
  assert.deepEqual(found('src/work/x, https://example.org/root, ./tmp/y'), [])
})
