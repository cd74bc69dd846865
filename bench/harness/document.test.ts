import assert from 'node:assert/strict'
import { it } from 'node:test'
import { replaceSection } from './document.ts'

it('replaces what stands between the marks and nothing else', () => {
  const page = 'before\n<!-- a:begin -->\nold\n<!-- a:end -->\nafter\n'
  const once = replaceSection(page, 'a', '\nnew $& text\n')
  assert.equal(once, 'before\n<!-- a:begin -->\nnew $& text\n<!-- a:end -->\nafter\n')
  assert.equal(replaceSection(once, 'a', 'new $& text'), once)
})

it('says which marks a document lacks', () => {
  assert.throws(() => replaceSection('no marks', 'a', 'text'), /<!-- a:begin -->/)
  assert.throws(
    () => replaceSection('<!-- a:end --><!-- a:begin -->', 'a', 'text'),
    /<!-- a:end -->/,
  )
})
