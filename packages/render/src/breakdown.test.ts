import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Resvg } from '@resvg/resvg-js'
import { breakdown, LAYERS, type RequestBreakdown } from 'clew/trace'
import fc from 'fast-check'
import { breakdownChart } from './breakdown/chart.ts'
import { renderBreakdownSvg, renderBreakdownText } from './breakdown.ts'
import { matchesGolden } from './samples/golden.ts'
import { storeTrees } from './samples/store.ts'
import { columns } from './text/columns.ts'

const store = breakdown(storeTrees(200))

test('the picture of the store is as it was', () => {
  matchesGolden('store-breakdown.svg', renderBreakdownSvg(store))
})

test('the table of the store is as it was, at any width', () => {
  matchesGolden('store-breakdown.txt', renderBreakdownText(store))
  matchesGolden(
    'store-breakdown-narrow.txt',
    renderBreakdownText(store, { width: 50, unicode: false }),
  )
})

const name = fc.oneof(
  fc.constantFrom('orders', 'gateway', 'a'.repeat(200), '<b>&"\'', '\u001b[31m', '注文'),
  fc.string({ unit: 'binary', maxLength: 30 }),
)
const ms = fc.double({ min: 0, max: 1e6, noNaN: true })

const requests: fc.Arbitrary<readonly RequestBreakdown[]> = fc.array(
  fc.record({
    ...{ request: name, service: name, method: name, p50Ms: ms, p99Ms: ms },
    requests: fc.integer({ min: 1, max: 1e6 }),
    parts: fc.array(
      fc.record({
        ...{ service: name, p50Ms: ms, p99Ms: ms },
        layer: fc.constantFrom(...LAYERS),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      { maxLength: 20 },
    ),
  }),
  { maxLength: 15 },
)

test('bars are divided without gap or overlap, and nothing lies outside or upon another', () => {
  fc.assert(
    fc.property(requests, fc.integer({ min: 1100, max: 2000 }), (all, width) => {
      const chart = breakdownChart(all, { width })
      const end = chart.axis.x + chart.axis.width + 2
      for (const { bars, chips, y, height } of chart.blocks) {
        for (const { segments, totalX } of bars) {
          assert.ok(segments.length <= 8 && totalX <= width)
          let at = chart.axis.x
          for (const { x, width: wide } of segments) {
            assert.ok(x >= at - 1e-6 && x + wide <= end, `${x} after ${at}`)
            at = Math.max(at, x)
          }
        }
        for (const chip of chips) assert.ok(chip.y >= bars[1].y + bars[1].height)
        for (const chip of chips) assert.ok(chip.y + 20 <= y + height)
      }
    }),
  )
})

test('no name can make the XML invalid, or a terminal do anything', () => {
  fc.assert(
    fc.property(requests, fc.boolean(), (all, unicode) => {
      const svg = renderBreakdownSvg(all)
      assert.ok(new Resvg(svg, { font: { loadSystemFonts: false } }).width > 0)
      const text = renderBreakdownText(all, { unicode, width: 70 })
      assert.doesNotMatch(text, /[^\n\P{Cc}]/u)
      if (!unicode) assert.match(text, /^[\n\x20-\x7e]*$/)
      for (const line of text.split('\n')) assert.ok(columns(line) <= 70, line)
    }),
    { numRuns: 60 },
  )
})

test('what is too much is one part, or said to be left out', () => {
  const svg = renderBreakdownSvg(store, { maxRequests: 3, maxParts: 4 })
  assert.match(svg, />1 more request type is not drawn</)
  assert.match(svg, />4 others</)
  assert.doesNotMatch(renderBreakdownSvg(store), /others</)
})

test('the legend explains the layers that occur and no others', () => {
  const some = store.slice(2)
  assert.doesNotMatch(renderBreakdownSvg(some), />rpc: |>db: /)
  assert.match(renderBreakdownSvg(some), />cache: its cache</)
})
