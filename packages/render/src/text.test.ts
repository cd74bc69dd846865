import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { callTree } from 'clew/trace'
import fc from 'fast-check'
import { matchesGolden } from './samples/golden.ts'
import { ordering } from './samples/ordering.ts'
import { trees } from './samples/random.ts'
import * as samples from './samples/traces.ts'
import { renderSvg } from './svg.ts'
import { columns } from './text/columns.ts'
import { renderText } from './text.ts'

for (const [name, trace] of Object.entries(samples.GOLDEN_TRACES)) {
  const tree = callTree(trace())
  test(`text of the ${name} trace is as it was`, () => {
    matchesGolden(`${name}.txt`, renderText(tree, { verdict: false }))
    matchesGolden(`${name}-wide.txt`, renderText(tree, { verdict: false, width: 150 }))
    matchesGolden(
      `${name}-ascii.txt`,
      renderText(tree, { verdict: false, width: 76, unicode: false }),
    )
  })
}

test('the verdict comes first, then the figures', () => {
  const lines = renderText(callTree(samples.failing()), { width: 200 }).split('\n')
  assert.match(lines[0]!, /^payments\.charge on w7 failed with PaymentDeclined/)
  const figures = lines[lines.indexOf('') + 1]!
  assert.match(figures, /^812 ms · 13 calls · 12 services · 7 errors · partial: 12 calls missing/)
})

test('the slowest path is heavy, failures have their class and sign', () => {
  const text = renderText(callTree(samples.failing()))
  assert.match(text, /┣━ orders\.create .*✗ PaymentDeclined/)
  assert.match(text, /┣━ payments\.charge .*✗ PaymentDeclined/)
  assert.match(text, /├─ loyalty\.points .*✗ timed out/)
  assert.match(text, /├─ stats\.count .*… pending/)
  assert.match(text, /├─ audit\.write .*\? no profile/)
  assert.match(text, /stock\.reserve .*redelivered/)
  assert.match(text, /mail\.send .*try 2, late/)
  assert.match(text, /└─ 12 calls missing/)
  assert.match(
    renderText(callTree(samples.straggler())),
    /leaf\.work ×9 .*med 5\.50 ms.*max 6\.30 ms/,
  )
})

test('no line is wider than asked for, and nothing but colour escapes leaves', () => {
  const options = fc.record({
    width: fc.integer({ min: 40, max: 160 }),
    unicode: fc.boolean(),
    full: fc.boolean(),
  })
  fc.assert(
    fc.property(trees(40), options, (tree, chosen) => {
      const plain = renderText(tree, chosen)
      for (const line of plain.split('\n')) assert.ok(columns(line) <= chosen.width, line)
      assert.doesNotMatch(plain, /[^\n\P{Cc}]|\p{Cf}|\p{Cs}/u)
      if (!chosen.unicode) assert.match(plain, /^[\n\x20-\x7e]*$/)
      const colored = renderText(tree, { ...chosen, color: true })
      assert.equal(stripVTControlCharacters(colored), plain)
    }),
    { numRuns: 150 },
  )
})

test('colour is in the output only when wanted', () => {
  const tree = callTree(samples.failing())
  assert.ok(renderText(tree, { color: true }).includes('\x1b[31m✗ OrderFailed\x1b[0m'))
  assert.ok(!renderText(tree).includes('\x1b'))
})

test('ten thousand calls print in a bounded number of lines, all of them in full', () => {
  const tree = callTree(samples.wide(10_000))
  const folded = renderText(tree)
  assert.ok(folded.split('\n').length < 220)
  assert.match(folded, /folded: 9,\d{3} of 9,\d{3} calls/)
  assert.ok(renderText(tree, { maxLines: 30 }).split('\n').length < 50)
  assert.ok(renderText(tree, { full: true }).split('\n').length > tree.calls)
})

test('a chain of ten thousand prints in full, every line within the width', () => {
  const text = renderText(callTree(samples.deep(10_000)), { full: true, width: 90 })
  assert.match(text, /\n9999⋯ .*stage_9999\.step/)
  for (const line of text.split('\n')) assert.ok(columns(line) <= 90)
})

test('what an outsider called its own trace is told, and is harmless', () => {
  const [receive, ...rest] = ordering().entries
  const foreign = { trace: `4b${'f'.repeat(30)}\u001b[2J`, parent: '00f067aa0ba902b7' }
  const tree = callTree([{ ...receive!, foreign }, ...rest])
  const text = renderText(tree, { width: 140 })
  assert.match(text, /asked from trace 4bf+\\x1b\[2J/)
  assert.match(renderSvg(tree), /asked from trace 4bf+\\x1b\[2J</)
})
