import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { callTree } from '../call-tree.ts'
import type { Entry, Trace } from '../entry.ts'
import { Load } from './load.ts'
import type { LoadReport } from './load-report.ts'
import { plusMinus } from './load-sentences.ts'
import { generator, simulated, traceOf } from './simulated-queues.test.ts'

function reportOf(traces: readonly Trace[], by?: 'rate' | 'inFlight'): LoadReport {
  const load = new Load()
  for (const trace of traces) load.add(callTree(trace))
  return load.report({ by })
}

const steps = (...rates: readonly number[]) => rates.map((rate) => ({ rate, seconds: 8 }))
const seed = fc.integer({ min: 1, max: 1e6 })
const workers = fc.integer({ min: 1, max: 4 })

/** `front` has room for all and takes longer; `back` takes at most 100 requests a second. */
const shop = (count: number) => [
  { name: 'front', workers: 1_000, workMs: count * 15, calls: ['back'] },
  { name: 'back', workers: count, workMs: count * 10 },
]

test('the bottleneck of each band is found, and so is that it moves', () => {
  fc.assert(
    fc.property(seed, workers, fc.constantFrom('rate', 'inFlight'), (number, count, by) => {
      const load = { services: shop(count), steps: steps(15, 50, 75, 120), seed: number }
      const report = reportOf(simulated(load), by as LoadReport['by'])
      const [first, last] = [report.bands[0]!.bottleneck, report.bands.at(-1)!.bottleneck]
      // Among windows with little in flight are those in which, by chance, little was asked of `front`.
      const works = report.bands.filter(({ bottleneck: { kind } }) => kind === 'work')
      assert.ok(works.some(({ bottleneck: { service } }) => service === 'front'))
      if (by === 'rate') assert.deepEqual([first.service, first.kind], ['front', 'work'])
      assert.deepEqual([last.service, last.kind], ['back', 'workers'])
      assert.ok(last.utilisation! > 0.8)
      assert.match(report.sentences[0]!, / in the code of front; .* wait for a worker of back /)
      const back = report.limits.find(({ service }) => service === 'back')!
      assert.ok(Math.abs(back.mostRate - 100) < 12, `${back.mostRate}`)
      assert.ok(back.waitPerRate > 0)
    }),
    { numRuns: 10 },
  )
})

test('whose workers are only taken by waiting for another is told as such', () => {
  fc.assert(
    fc.property(seed, (number) => {
      const services = [
        { name: 'front', workers: 8, workMs: 2, calls: ['back'] },
        { name: 'back', workers: 2, workMs: 20 },
      ]
      const { bands } = reportOf(simulated({ services, steps: steps(20, 60, 150), seed: number }))
      const { service, kind, behind, share } = bands.at(-1)!.bottleneck
      assert.deepEqual([service, kind, behind], ['back', 'workers', ['front']])
      assert.ok(share > 0.8)
    }),
    { numRuns: 5 },
  )
})

test('a queue that is left of a greater load says nothing of the smaller one', () => {
  fc.assert(
    fc.property(seed, (number) => {
      const load = { services: shop(2), steps: steps(30, 160, 30, 0.01, 30), seed: number }
      const { bands } = reportOf(simulated(load))
      const [first, last] = [bands[0]!, bands.at(-1)!]
      assert.equal(first.bottleneck.kind, 'work')
      assert.ok(first.p99Ms < 400, `${first.p99Ms}`)
      assert.deepEqual([last.bottleneck.service, last.bottleneck.kind], ['back', 'workers'])
    }),
    { numRuns: 5 },
  )
})

test('the limit is within its error, or not told', () => {
  let [told, within] = [0, 0]
  for (let number = 1; number <= 5; number++) {
    for (const count of [1, 2, 4]) {
      const services = [{ name: 'only', workers: count, workMs: count * 10 }]
      const load = { services, steps: steps(20, 50, 80, 95, 110, 140), seed: number }
      const { limit } = reportOf(simulated(load))
      if (typeof limit === 'string') continue
      told++
      if (Math.abs(limit.peakRate - 100) <= limit.peakError) within++
      assert.ok(Math.abs(limit.peakRate - 100) < 15, `${limit.peakRate}`)
    }
  }
  assert.ok(told >= 14 && within >= told * 0.85, `${within} of ${told}`)
})

test('load that does not vary, is short, or stays far below the limit tells none', () => {
  const one = (rate: number, ...more: readonly number[]) =>
    reportOf(
      simulated({
        services: [{ name: 'only', workers: 100, workMs: 20 }],
        steps: steps(rate, ...more),
        seed: 3,
      }),
    )
  const steady = one(100)
  assert.ok(typeof steady.limit === 'string')
  assert.match(steady.sentences[1]!, /^No limit can be told|^The limit was not reached/)
  assert.equal(one(20, 60, 100).limit, 'not_reached')
  assert.equal(one(0.5).limit, 'few_points')
})

test('in flight, rate and duration keep to Little’s law, and what was removed is missed', () => {
  fc.assert(
    fc.property(seed, fc.double({ min: 0.12, max: 0.5, noNaN: true }), (number, share) => {
      const traces = simulated({ services: shop(3), steps: steps(60, 90), seed: number })
      const whole = reportOf(traces)
      for (const { check, rate, handleMs, inFlight } of whole.instances) {
        assert.ok(check!.missingShare < 0.02)
        assert.ok(Math.abs((rate * handleMs) / 1000 / inFlight - 1) < 0.05)
      }
      assert.doesNotMatch(whole.sentences.join(' '), /counted/)
      const random = generator(number)
      const less = traces.map((trace) =>
        random() < share
          ? { ...trace, entries: trace.entries.filter(({ service }) => service !== 'back') }
          : trace,
      )
      const { instances, sentences } = reportOf(less)
      const back = instances.find(({ service }) => service === 'back')!
      assert.ok(Math.abs(back.check!.missingShare - share) < 0.08)
      assert.match(sentences.join(' '), /back on back counted .* its calls are not in them/)
      const front = instances.find(({ service }) => service === 'front')!
      assert.ok(front.check!.missingShare < 0.02)
    }),
    { numRuns: 8 },
  )
})

test('the order of traces does not matter', () => {
  const traces = simulated({ services: shop(2), steps: steps(30, 90, 130), seed: 11 })
  const random = generator(5)
  const mixed = traces
    .map((trace) => ({ trace, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ trace }) => trace)
  assert.deepEqual(reportOf(mixed).sentences, reportOf(traces).sentences)
})

const stamp = fc.oneof(
  fc.integer({ min: 0, max: 5_000 }).map((ms) => 1.7e12 + ms),
  fc.constantFrom(0, -1, 1e300, -1e300, Number.NaN, Number.POSITIVE_INFINITY),
)
const hostile: fc.Arbitrary<Entry> = fc.record({
  kind: fc.constantFrom('rpc-request', 'rpc-receive', 'rpc-start', 'rpc-respond', 'rpc-finish'),
  timeMs: stamp,
  host: fc.constantFrom('a', 'b', ''),
  service: fc.constantFrom('x', 'y', '__proto__'),
  method: fc.string({ maxLength: 3 }),
  id: fc.constantFrom('1', '2', '3', '4'),
  parent: fc.constantFrom(null, '1', '2', '9'),
  inFlight: fc.oneof(fc.integer(), stamp),
  busy: fc.double(),
})

test('whatever the entries are, there is a report of numbers', () => {
  fc.assert(
    fc.property(fc.array(fc.array(hostile, { maxLength: 12 }), { maxLength: 12 }), (lists) => {
      const { bands, sentences } = reportOf(lists.map((entries) => traceOf('', entries)))
      for (const { rate, parts, stations, inFlight } of bands) {
        assert.ok(rate >= 0 && inFlight >= 0)
        for (const { share } of parts) assert.ok(share >= 0 && share <= 1 + 1e-9, `${share}`)
        for (const { workers: used, waitMs } of stations) assert.ok(used >= 0 && waitMs >= 0)
      }
      assert.ok(sentences.length > 0)
    }),
    { numRuns: 1_000 },
  )
})

test('names and times without end are bounded, and what is left out is told', () => {
  const load = new Load()
  for (let at = 0; at < 3_000; at++) {
    const call = { service: `s${at}`, method: 'm', host: `h${at}`, id: 'c' }
    const entries: Entry[] = [
      { ...call, kind: 'rpc-receive', timeMs: 1.7e12 + at * at * 1e5, parent: null },
      { ...call, kind: 'rpc-respond', timeMs: 1.7e12 + at * at * 1e5 + 5, parent: null },
    ]
    load.add(callTree(traceOf('', entries)))
  }
  const report = load.report()
  assert.equal(report.requests, 3_000)
  assert.equal(report.instances.length, 256)
  assert.equal(report.callsLeftOut, 3_000 - 256)
  assert.match(report.sentences.join(' '), /2744 calls of more instances/)
  assert.ok(report.bands.length <= 8)
  for (const { parts } of report.bands) {
    assert.ok(parts.length <= 128)
    assert.ok(Math.abs(parts.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-9)
  }
})

test('a caller that asks for one after the other is no limit of who answers, and failures are told', () => {
  const traces = Array.from({ length: 200 }, (_, at): Trace => {
    const id = `${at}`.padStart(16, '0')
    const call = { id, parent: null, host: 'vm', service: 'shop', method: 'buy' }
    const [asked, failed] = [1.8e12 + at * 50, at % 2 === 0]
    const entries: Entry[] = [
      { ...call, kind: 'rpc-request', timeMs: asked },
      { ...call, kind: 'rpc-receive', timeMs: asked + 0.2, inFlight: 1 },
      { ...call, kind: 'rpc-respond', timeMs: asked + 40, ...(failed && { status: 'error' }) },
      { ...call, kind: 'rpc-finish', timeMs: asked + 40.2, ...(failed && { status: 'error' }) },
    ]
    return traceOf(id, entries)
  })
  const { limits, sentences } = reportOf(traces)
  assert.deepEqual(limits, [])
  assert.match(sentences.join(' '), /50 % of the requests failed/)
})

test('no requests are no report', () => {
  const report = reportOf([])
  assert.deepEqual([report.bands, report.limit], [[], 'few_points'])
  assert.deepEqual(report.sentences, ['There is no request whose load could be told.'])
})

test('an error has one digit, and its number no more', () => {
  assert.equal(plusMinus(312.44, 18.2), '310 ± 20')
  assert.equal(plusMinus(4.234, 0.061), '4.23 ± 0.06')
  assert.equal(plusMinus(12_345, 96), '12,350 ± 100')
})
