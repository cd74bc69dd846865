import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callTree } from 'clew/trace'
import fc from 'fast-check'
import { trees } from '../samples/random.ts'
import { checkout, deep, failing, hostile } from '../samples/traces.ts'
import { criticalStretches } from './critical.ts'
import { fitText, isCovered, textWidth } from './measure.ts'
import { ticksBetween } from './ticks.ts'
import { type PlacedCard, treeLayout } from './tree-layout.ts'
import { waterfallLayout } from './waterfall-layout.ts'

function overlap(one: PlacedCard, other: PlacedCard): boolean {
  return (
    one.x < other.x + other.width &&
    other.x < one.x + one.width &&
    one.y < other.y + other.height &&
    other.y < one.y + one.height
  )
}

test('cards never overlap, stand in columns, and follow each other in the order of the calls', () => {
  fc.assert(
    fc.property(trees(60), (tree) => {
      const { cards, links, width, height } = treeLayout(tree)
      for (const [index, card] of cards.entries()) {
        for (const other of cards.slice(index + 1)) assert.ok(!overlap(card, other))
        assert.ok(card.x >= 0 && card.y >= 0)
        assert.ok(card.x + card.width <= width && card.y + card.height <= height)
      }
      const columns = Map.groupBy(cards, ({ level }) => level)
      for (const column of columns.values()) {
        assert.equal(new Set(column.map(({ x, width }) => `${x} ${width}`)).size, 1)
      }
      for (const [, below] of Map.groupBy(links, ({ caller }) => caller)) {
        const ys = below.map(({ toY }) => toY)
        assert.deepEqual(
          ys,
          ys.toSorted((one, other) => one - other),
        )
      }
      for (const { fromX, trunkX, toX } of links) assert.ok(fromX < trunkX && trunkX < toX)
      assert.equal(links.length, cards.length - 1)
    }),
    { numRuns: 60 },
  )
})

test('a chain lies on one line', () => {
  const { links } = treeLayout(callTree(deep(6)))
  for (const { fromY, toY } of links) assert.equal(fromY, toY)
})

test('bars stay on the axis, and labels where there is room', () => {
  for (const trace of [checkout(), failing(), hostile(), deep(40)]) {
    const { axis, rows, width } = waterfallLayout(callTree(trace))
    const end = axis.x + axis.width + 0.01
    for (const { total, work, critical, label } of rows) {
      for (const extent of [...(total === undefined ? [] : [total]), ...work, ...critical]) {
        assert.ok(extent.x >= axis.x - 0.01 && extent.x + extent.width <= end)
      }
      if (label === undefined) continue
      const labelWidth = textWidth(label.text, 'inter600', 12)
      if (label.side === 'right') assert.ok(label.x + labelWidth <= end)
      if (label.side === 'left') assert.ok(label.x - labelWidth >= axis.x)
    }
    assert.ok(end <= width)
  }
})

test('a label goes to the left where its bar ends at the edge', () => {
  const { rows } = waterfallLayout(callTree(checkout()))
  const sides = new Map(
    rows.map(({ content, label }) => [content.kind === 'calls' && content.method, label?.side]),
  )
  assert.equal(sides.get('POST /checkout'), 'inside')
  assert.equal(sides.get('CheckSession'), 'right')
  assert.equal(sides.get('EnqueueReceipt'), 'left')
})

test('critical stretches of all rows add up to the whole', () => {
  const tree = callTree(checkout())
  const { outline } = waterfallLayout(tree)
  const sum = [...criticalStretches(tree, outline).values()]
    .flat()
    .reduce((total, { fromMs, toMs }) => total + toMs - fromMs, 0)
  assert.ok(Math.abs(sum - tree.totalMs) < 1e-6)
})

test('marks on the time axis are round and in one unit', () => {
  const labels = (to: number) => ticksBetween(0, to, 5).map(({ label }) => label)
  assert.deepEqual(labels(486), ['0', '100 ms', '200 ms', '300 ms', '400 ms'])
  assert.deepEqual(labels(1900), ['0', '0.5 s', '1 s', '1.5 s'])
  assert.deepEqual(labels(0.09), ['0', '20 µs', '40 µs', '60 µs', '80 µs'])
  assert.deepEqual(labels(0), ['0'])
  assert.deepEqual(labels(Number.NaN), ['0'])
})

test('text is measured by the bundled fonts, and shortened within', () => {
  assert.equal(textWidth('iii', 'mono400', 10), 18)
  assert.ok(textWidth('WWW', 'inter400', 10) > textWidth('iii', 'inter400', 10) * 3)
  assert.ok(textWidth('bold', 'inter700', 10) > textWidth('bold', 'inter400', 10))
  assert.ok(isCovered(0x41) && isCovered(0x416) && !isCovered(0x4e2d))
  assert.equal(fitText('short', 'inter400', 10, 100), 'short')
  const fitted = fitText('a-very-long-name-that-ends-in-7', 'inter400', 10, 80)
  assert.match(fitted, /^a-very.*….*7$/)
  assert.ok(textWidth(fitted, 'inter400', 10) <= 80)
})
