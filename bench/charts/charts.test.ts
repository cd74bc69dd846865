import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { barChart, barChartHeight } from './bar-chart.ts'
import { intervalChart } from './interval-chart.ts'
import { type Chart, lineChart } from './line-chart.ts'
import { drawPage } from './page.ts'
import { linearScale, logScale, spreadOut } from './scale.ts'
import { assertWellFormed } from './well-formed.ts'

describe('scales', () => {
  it('place their ends on the ends of the picture, and ticks on round numbers', () => {
    const scale = linearScale({ from: 0, to: 100 }, { from: 10, to: 210 })
    assert.deepEqual([0, 50, 100].map(scale.place), [10, 110, 210])
    assert.deepEqual(scale.ticks, [0, 20, 40, 60, 80, 100])
    const narrow = linearScale({ from: 0.9, to: 1.5 }, { from: 0, to: 1 })
    assert.deepEqual(narrow.ticks, [1, 1.2, 1.4])
  })

  it('go from end to end of what is far apart, and have as fine ticks as there is room for', () => {
    const scale = logScale({ from: 1, to: 100 }, { from: 0, to: 200 }, 7)
    assert.deepEqual(
      [1, 10, 100].map((size) => Math.round(scale.place(size))),
      [0, 100, 200],
    )
    assert.deepEqual(scale.ticks, [1, 2, 5, 10, 20, 50, 100])
    const ticks = (from: number, to: number) => logScale({ from, to }, { from: 0, to: 1 }, 7).ticks
    assert.deepEqual(ticks(3, 180), [5, 10, 20, 50, 100])
    assert.deepEqual(ticks(0.9, 1.55), [1, 1.1, 1.2, 1.3, 1.4, 1.5])
    assert.deepEqual(ticks(0.9, 6), [1, 1.2, 1.5, 2, 3, 5])
    assert.deepEqual(ticks(65, 2_000_000), [100, 1000, 10_000, 100_000, 1_000_000])
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
    legend: [{ mark: { name: 'one', marker: 'square' }, label: 'a "mark"' }],
    rows: [
      { height: 200, charts: [lineChart(chart)] },
      { height: 300, charts: [lineChart({ ...chart, scale: 'log', spacing: 'log' })] },
    ],
  })

  it('is well-formed, with texts escaped', () => {
    assertWellFormed(svg)
    assert.match(svg, />Time &amp; &lt;space&gt;</)
    assert.match(svg, />first &quot;one&quot;</)
    assert.doesNotMatch(svg, /NaN|undefined|Infinity/)
  })

  it('is as high as its rows, and tells what marks mean', () => {
    const height = Number(/ height="(\d+)"/.exec(svg)?.[1])
    assert.ok(height > 500 && height < 620, String(height))
    assert.match(svg, /class="solid one"\/><text [^>]*class="label one">a &quot;mark&quot;</)
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
  const draw = barChart({
    title: 'Bars',
    note: '< 9',
    bars,
    format: (value) => `${value} a second`,
  })
  const svg = draw(box)

  it('has bars as long as their values, each with its name and its value', () => {
    assertWellFormed(svg)
    const widths = [...svg.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) =>
      Number(width),
    )
    assert.equal(widths.length, 2)
    assert.ok(Math.abs(widths[0]! / widths[1]! - 2) < 0.01)
    for (const text of ['first', 'second &amp; last', '50 a second', '&lt; 9']) {
      assert.ok(svg.includes(`>${text}<`), text)
    }
  })

  it('draws pale what it is told, and how sure every value is', () => {
    assert.equal(svg.match(/opacity="0.5"/g)?.length, 1)
    assert.equal(svg.match(/class="reference"/g)?.length, 2)
  })

  it('needs room for its bars, more where one is not the pair of that above', () => {
    const [first, pale] = bars as [(typeof bars)[0], (typeof bars)[0]]
    const heights = [[first], [first, pale], [first, first]].map(barChartHeight)
    assert.deepEqual(
      heights,
      heights.toSorted((a, b) => a - b),
    )
    assert.equal(new Set(heights).size, 3)
  })
})

describe('a chart of intervals', () => {
  const mark = { name: 'one', marker: 'diamond' } as const
  const svg = intervalChart({
    title: 'Ratios',
    note: 'above 1: more',
    across: 'calls',
    groups: [
      { label: 'few', intervals: [{ mark, value: 1.1, low: 1.05, high: 1.2, told: true }] },
      { label: 'many', intervals: [{ mark, value: 0.9, low: 0.85, high: 0.95 }] },
    ],
    range: { from: 0.8, to: 1.3 },
    reference: 1,
    format: (value) => value.toFixed(2),
  })({ x: 0, y: 0, width: 300, height: 574 })

  it('has a bar from end to end of each, all on one axis, with a line at the reference', () => {
    assertWellFormed(svg)
    // 500 of the height are 0.5 of the axis, which ends 34 below the box.
    const bars = [...svg.matchAll(/y1="([\d.]+)" y2="([\d.]+)" class="line one"/g)]
    const ends = bars.map(([, top, bottom]) => [Number(top), Number(bottom)])
    assert.deepEqual(ends, [
      [134, 284],
      [384, 484],
    ])
    assert.match(svg, /y1="334" y2="334" class="reference"/)
  })

  it('tells the numbers it is told to, and names of groups', () => {
    assert.match(svg, />1\.10<\/text>/)
    assert.equal(svg.match(/class="label middle one"/g)?.length, 1)
    for (const text of ['few', 'many', 'calls', 'above 1: more'])
      assert.ok(svg.includes(`>${text}<`))
  })
})
