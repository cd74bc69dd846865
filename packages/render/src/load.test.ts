import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LAYERS, type LoadReport } from 'clew/trace'
import fc from 'fast-check'
import { apart } from './load/body.ts'
import { LATENCY_HEIGHT, loadChart, SHARE_HEIGHT } from './load/chart.ts'
import { renderLoadSvg, renderLoadText } from './load.ts'
import { matchesGolden } from './samples/golden.ts'
import { columns } from './text/columns.ts'

const stationOf = (service: string, waitMs: number, workers: number) => ({
  ...{ service, rate: 100, inFlight: 3, handleMs: 20, waitMs, busy: undefined },
  ...{ workers, limited: true },
})

/** Orders work until they wait for payments. */
const moving: LoadReport = {
  ...{ by: 'rate', requests: 4_000, passedOver: 0, callsLeftOut: 0, seconds: 40 },
  bands: [50, 100, 200, 300].map((rate, at) => {
    const wait = [0.02, 0.1, 0.6, 0.9][at]!
    const held = at < 2
    return {
      ...{
        rate,
        fromRate: rate - 5,
        toRate: rate + 5,
        answered: Math.min(rate, 210),
        requests: 1_000,
      },
      ...{
        inFlight: 4 ** at,
        failed: 0,
        seconds: 10,
        meanMs: 50,
        p50Ms: 50 * 2 ** at,
        p99Ms: 90 * 3 ** at,
      },
      parts: [
        { service: 'orders', layer: 'self', ms: 30, share: (1 - wait) * 0.6 },
        { service: 'payments', layer: 'self', ms: 20, share: (1 - wait) * 0.4 },
        { service: 'payments', layer: 'queue', ms: 10, share: wait },
      ],
      stations: [stationOf('payments', 5 ** at, rate / 300), stationOf('orders', 0, 0.1)],
      bottleneck: {
        service: held ? 'orders' : 'payments',
        ...{ kind: held ? 'work' : 'workers', layer: held ? 'self' : 'queue' },
        ...{ share: held ? 0.5 : wait, utilisation: rate / 300, behind: [] },
      },
    }
  }),
  limit: {
    ...{ peakRate: 210, peakError: 12, measured: true, kneeInFlight: 8 },
    ...{ declinesBeyond: undefined, gamma: 25, alpha: 0.1, beta: 0 },
  },
  ...{ limits: [], fullInFlight: undefined, instances: [], methods: [] },
  sentences: ['Up to 100/s most of the time goes to orders; from 200/s on to payments.'],
}

test('the picture and the table of a bottleneck that moves are as they were', () => {
  matchesGolden('moving-load.svg', renderLoadSvg(moving))
  matchesGolden('moving-load.txt', renderLoadText(moving))
  matchesGolden('moving-load-narrow.txt', renderLoadText(moving, { width: 76, unicode: false }))
})

const name = fc.oneof(
  fc.constantFrom(
    'orders',
    'a'.repeat(200),
    '<b>&"\'',
    '</script>',
    '\u001b[31m',
    '注文',
    'طلب',
    '',
  ),
  fc.string({ unit: 'binary', maxLength: 30 }),
)
const amount = fc.oneof(fc.double({ min: 0, max: 1e6, noNaN: true }), fc.constantFrom(0, 1e-9))
const share = fc.double({ min: 0, max: 1, noNaN: true })
const layer = fc.constantFrom(...LAYERS)

const band = fc.record({
  ...{ rate: amount, fromRate: amount, toRate: amount, answered: amount, inFlight: amount },
  ...{
    requests: fc.nat(),
    failed: share,
    seconds: amount,
    meanMs: amount,
    p50Ms: amount,
    p99Ms: amount,
  },
  parts: fc.array(fc.record({ service: name, layer, ms: amount, share }), { maxLength: 20 }),
  stations: fc.array(
    fc.record({
      ...{ service: name, rate: amount, inFlight: amount, handleMs: amount, waitMs: amount },
      ...{ busy: fc.option(share, { nil: undefined }), workers: share, limited: fc.boolean() },
    }),
    { maxLength: 12 },
  ),
  bottleneck: fc.record({
    ...{ service: name, layer: fc.option(layer, { nil: undefined }), share },
    kind: fc.constantFrom('work', 'workers', 'event-loop', 'waiting', 'unclear'),
    ...{
      utilisation: fc.option(share, { nil: undefined }),
      behind: fc.array(name, { maxLength: 3 }),
    },
  }),
})
const reports: fc.Arbitrary<LoadReport> = fc
  .record({
    by: fc.constantFrom('rate', 'inFlight'),
    bands: fc.array(band, { minLength: 1, maxLength: 8 }),
    limit: fc.oneof(
      fc.constantFrom('few_points', 'steady_load', 'not_reached'),
      fc.constant(moving.limit),
    ),
    sentences: fc.array(name, { maxLength: 3 }),
  })
  .map(({ bands, ...some }) => ({
    ...{ ...moving, ...some },
    bands: bands.toSorted((a, b) =>
      some.by === 'rate' ? a.rate - b.rate : a.inFlight - b.inFlight,
    ),
  })) as fc.Arbitrary<LoadReport>

test('whatever the names and numbers are, everything lies within the picture and the table', () => {
  fc.assert(
    fc.property(reports, fc.integer({ min: 76, max: 140 }), (report, width) => {
      const chart = loadChart(report, 1_400)
      for (const { top, bottom } of chart.areas) {
        for (const [at, { x, y }] of top.entries()) {
          assert.ok(
            x >= 0 &&
              x <= 1_400 &&
              y >= -1e-6 &&
              y <= bottom[at]!.y + 1e-6 &&
              bottom[at]!.y <= SHARE_HEIGHT,
          )
        }
      }
      for (const { points } of chart.lines) {
        for (const { x, y } of points)
          assert.ok(x >= 0 && x <= 1_400 && y >= -1e-6 && y <= LATENCY_HEIGHT + 1e-6)
      }
      const svg = renderLoadSvg(report)
      assert.doesNotMatch(svg, /<b>|<\/script>|NaN|Infinity/)
      for (const line of renderLoadText(report, { width }).split('\n')) {
        assert.ok(columns(line) <= width, `${columns(line)} > ${width}: ${line}`)
      }
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      assert.doesNotMatch(renderLoadText(report, { width, unicode: false }), /[^\x0a\x20-\x7e]/)
    }),
    { numRuns: 150 },
  )
})

test('labels are moved apart, in their order', () => {
  const wanted = fc.array(fc.double({ min: 0, max: 200, noNaN: true }), { maxLength: 9 })
  fc.assert(
    fc.property(wanted, (all) => {
      const placed = [...apart(all, 18, 0, 200)].sort((a, b) => a - b)
      for (let at = 1; at < placed.length; at++)
        assert.ok(placed[at]! - placed[at - 1]! >= 18 - 1e-6)
    }),
  )
})
