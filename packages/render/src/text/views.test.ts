import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callTree } from 'clew/trace'
import fc from 'fast-check'
import { trees } from '../samples/random.ts'
import * as samples from '../samples/traces.ts'
import { renderText } from '../text.ts'
import { columns } from './columns.ts'

const VIEWS = ['flame', 'critical-path'] as const

test('no line is wider than the terminal, whatever names contain', () => {
  fc.assert(
    fc.property(
      trees(20),
      fc.constantFrom(...VIEWS),
      fc.integer({ min: 40, max: 140 }),
      fc.boolean(),
      (tree, view, width, unicode) => {
        const text = renderText(tree, { view, width, unicode })
        for (const line of text.split('\n')) assert.ok(columns(line) <= width, line)
        assert.doesNotMatch(text, unicode ? /[^\n\P{Cc}]|\p{Cf}/u : /[^\n\x20-\x7e]/)
      },
    ),
    { numRuns: 200 },
  )
})

test('the critical path says what to look at first, and how the time adds up', () => {
  const text = renderText(callTree(samples.checkout()), { view: 'critical-path' })
  assert.match(text, /LOOK FIRST AT\n +17 % +84\.9 ms {2}work of ranking\.Predict on ranking-gpu-0/)
  assert.match(text, /65\.9 ms +14 % +84 % {2}work +acquirer-adapter\.Capture/)
  assert.match(text, /100 % .* 6 shorter stretches/)
})

test('a narrow terminal still sees whose time it was', () => {
  const text = renderText(callTree(samples.checkout()), { view: 'critical-path', width: 40 })
  assert.match(text, /84\.9 ms {2}work +ranking\.Predict/)
})

test('in full the critical path has every stretch', () => {
  const tree = callTree(samples.wide(2000))
  const lines = (full: boolean) => renderText(tree, { view: 'critical-path', full }).split('\n')
  assert.ok(lines(false).length < 70)
  assert.ok(lines(true).length > 100)
})

test('the flame has callers above callees, shares, failures, and tells what was too short', () => {
  const text = renderText(callTree(samples.failing()), { view: 'flame' })
  const [root, orders, payments] = ['gateway.checkout 812', 'orders.create', 'payments.charge'].map(
    (name) =>
      text
        .split('\n')
        .findIndex((line) => line.includes(`[✗ ${name}`) || line.includes(`✗ ${name}`)),
  )
  assert.ok(root! < orders! && orders! < payments!)
  assert.match(text, /payments\.charge 430 ms 53 %/)
  assert.match(
    renderText(callTree(samples.wide(5000)), { view: 'flame' }),
    /too short to be drawn|folded/,
  )
})

test('both views say something of a trace without entries', () => {
  for (const view of VIEWS) assert.ok(renderText(callTree([]), { view }).length > 20)
})
