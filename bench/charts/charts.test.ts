import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { barChart } from './bar-chart.ts'
import type { Chart } from './line-chart.ts'
import { drawPage } from './page.ts'
import { linearScale, logScale, spreadOut, tightLogScale } from './scale.ts'
import { assertWellFormed } from './well-formed.ts'

describe('scales', () => {
  it('place their ends on the ends of the picture, and ticks on round numbers', () => {
    const scale = linearScale({ from: 0, to: 100 }, { from: 10, to: 210 })
    assert.deepEqual([0, 50, 100].map(scale.place), [10, 110, 210])
    assert.deepEqual(scale.ticks, [0, 20, 40, 60, 80, 100])
    const narrow = linearScale({ from: 0.9, to: 1.5 }, { from: 0, to: 1 })
    assert.deepEqual(narrow.ticks, [1, 1.2, 1.4])
  })

  it('go from power of ten to power of ten', () => {
    const scale = logScale({ from: 65, to: 56_000 }, { from: 0, to: 400 })
    assert.deepEqual(scale.ticks, [10, 100, 1000, 10_000, 100_000])
    assert.equal(scale.place(1000), 200)
    assert.equal(scale.place(1), 0)
  })

  it('go from end to end of sizes, however far apart', () => {
    const scale = tightLogScale({ from: 1, to: 100 }, { from: 0, to: 200 })
    assert.deepEqual(
      [1, 10, 100].map((size) => Math.round(scale.place(size))),
      [0, 100, 200],
    )
    assert.deepEqual(scale.ticks, [1, 2, 5, 10, 20, 50, 100])
    assert.deepEqual(
      tightLogScale({ from: 3, to: 180 }, { from: 0, to: 1 }).ticks,
      [5, 10, 20, 50, 100],
    )
  })

  it('keep labels apart, in order and inside', () => {
    const label = fc.record({
      at: fc.double({ min: 0, max: 200, noNaN: true }),
      height: fc.constantFrom(14, 28),
    })
    fc.assert(
      fc.property(fc.array(label, { maxLength: 7 }), (labels) => {
        const places = spreadOut(labels, { from: 0, to: 214 })
        const order = labels.map((_, index) => index).sort((a, b) => places[a]! - places[b]!)
        order.forEach((index, rank) => {
          const end = rank === 0 ? 0 : places[order[rank - 1]!]! + labels[order[rank - 1]!]!.height
          assert.ok(places[index]! > end - 0.001)
          assert.ok(places[index]! + labels[index]!.height < 214.001)
          if (rank > 0) assert.ok(labels[index]!.at >= labels[order[rank - 1]!]!.at)
        })
      }),
    )
    const apart = [50, 150].map((at) => ({ at, height: 14 }))
    assert.deepEqual(spreadOut(apart, { from: 0, to: 200 }), [50, 150])
  })
})

describe('a page of charts', () => {
  const chart: Chart = {
    title: 'Time & <space>',
    across: 'depth',
    scale: 'linear',
    reference: 1,
    format: (value) => `${value} ×`,
    lines: [
      {
        style: { name: 'one', marker: 'square' },
        label: 'first "one"',
        points: [
          { x: 1, y: 1, low: 0.9, high: 1.2 },
          { x: 100, y: 2, low: 1.8, high: 2.4 },
        ],
      },
      {
        style: { name: 'two', marker: 'ring', dashes: '3 3' },
        label: 'second',
        points: [{ x: 1, y: 1.1 }],
        ends: 'ends at 1',
      },
    ],
  }
  const svg = drawPage({
    title: 'A page',
    subtitle: 'of charts',
    description: 'what it shows',
    colours: { one: { light: '#111', dark: '#eee' }, two: { light: '#222', dark: '#ddd' } },
    rows: [[chart, { ...chart, scale: 'log', spacing: 'log' }]],
  })

  it('is well-formed, with texts escaped', () => {
    assertWellFormed(svg)
    assert.match(svg, />Time &amp; &lt;space&gt;</)
    assert.match(svg, />first &quot;one&quot;</)
    assert.doesNotMatch(svg, /NaN|undefined|Infinity/)
  })

  it('labels every line where it ends and says where one ends early', () => {
    assert.match(svg, /class="label one"[^>]*>first/)
    assert.match(svg, />second<\/text><text [^>]*class="label note two"[^>]*>ends at 1</)
  })

  it('has colours for light and for dark pages, on a background of its own', () => {
    const [light = '', dark = ''] = svg.split('prefers-color-scheme:dark')
    assert.match(light, /\.page\{fill:#fff/)
    assert.match(light, /\.line\.one[^}]*#111/)
    assert.match(dark, /\.page\{fill:#0d1117/)
    assert.match(dark, /\.line\.one[^}]*#eee/)
  })
})

describe('a chart of bars', () => {
  const bar = { style: 'one', low: 40, high: 60 }
  const bars = [
    { ...bar, label: 'first', value: 50 },
    { ...bar, label: 'second & last', value: 25, pale: true },
  ]
  const box = { x: 0, y: 0, width: 500, height: 200 }
  const svg = barChart({ title: 'Bars', bars, format: (value) => `${value} a second` }, box)

  it('has bars as long as their values, each with its name and its value', () => {
    assertWellFormed(svg)
    const widths = [...svg.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) =>
      Number(width),
    )
    assert.equal(widths.length, 2)
    assert.ok(Math.abs(widths[0]! / widths[1]! - 2) < 0.01)
    for (const text of ['first', 'second &amp; last', '50 a second']) {
      assert.ok(svg.includes(`>${text}<`), text)
    }
  })

  it('draws pale what it is told, and how sure every value is', () => {
    assert.equal(svg.match(/opacity="0.5"/g)?.length, 1)
    assert.equal(svg.match(/class="reference"/g)?.length, 2)
  })
})
