import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Fault } from '../fault.ts'
import { hostOf, isHere } from './confirm.ts'
import { Drive } from './drive.ts'
import { parseBurst, parseRamp, parseRate, parseSteps, planMs, planOf } from './plan.ts'
import { schedule } from './schedule.ts'

const none = { rate: undefined, steps: undefined, ramp: undefined, burst: undefined }
const rates = fc.double({ min: 1, max: 300, noNaN: true })

test('as many requests begin as the plan asks for, in order and within its time', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({ fromRate: rates, toRate: rates, ms: fc.integer({ min: 10, max: 3_000 }) }),
        { minLength: 1, maxLength: 5 },
      ),
      (plan) => {
        const times = [...schedule(plan, 'even')]
        const whole = plan.reduce(
          (sum, { fromRate, toRate, ms }) => sum + ((fromRate + toRate) / 2) * (ms / 1000),
          0,
        )
        assert.ok(Math.abs(times.length - whole) <= 1.001, `${times.length} of ${whole}`)
        for (const [at, ms] of times.entries())
          assert.ok(ms >= (times[at - 1] ?? 0) && ms <= planMs(plan) + 1e-6)
        const often = Array.from({ length: 5 }, () => [...schedule(plan, 'poisson')].length)
        for (const count of often) assert.ok(Math.abs(count - whole) <= 8 * Math.sqrt(whole) + 8)
      },
    ),
    { numRuns: 50 },
  )
})

test('plans are read, and what is none is refused with a word', () => {
  const ms = 8_000
  assert.deepEqual(planOf({ ...none, for: ms }), [{ fromRate: 10, toRate: 10, ms }])
  const steps = planOf({ ...none, steps: parseSteps('50..200/50'), for: ms })
  assert.deepEqual(
    steps.map(({ fromRate, ms: each }) => [fromRate, each]),
    [50, 100, 150, 200].map((rate) => [rate, 2_000]),
  )
  assert.deepEqual(planOf({ ...none, ramp: parseRamp('10..500'), for: ms }), [
    { fromRate: 10, toRate: 500, ms },
  ])
  const bursts = planOf({ ...none, burst: parseBurst('300x1s/4s'), for: ms })
  assert.deepEqual(
    bursts.map(({ fromRate, ms: each }) => [fromRate, each]),
    [
      [10, 3_000],
      [300, 1_000],
      [10, 3_000],
      [300, 1_000],
    ],
  )
  for (const wrong of [
    () => parseRate('0'),
    () => parseRate('1e3'),
    () => parseRate('2001'),
    () => parseSteps('50..400'),
    () => parseBurst('300x10s/2s'),
    () => planOf({ ...none, for: 600_001 }),
    () => planOf({ ...none, rate: 5, ramp: parseRamp('1..2'), for: ms }),
    () => planOf({ ...none, steps: parseSteps('1..2000/1'), for: ms }),
  ]) {
    assert.throws(wrong, (error: unknown) => error instanceof Fault && error.exit === 2)
  }
})

test('only this machine is this machine', () => {
  for (const url of ['amqp://localhost', 'http://127.0.0.1:80/x', 'http://[::1]:8000/'])
    assert.ok(isHere(hostOf(url)), url)
  for (const url of ['amqp://db.example', 'http://127.0.0.1.example/', 'http://localhost.example/'])
    assert.ok(!isHere(hostOf(url)), url)
})

const signal = new AbortController().signal
const usual = {
  arrivals: 'even',
  maxInFlight: 10,
  maxFailures: 5,
  stop: signal,
  cancel: signal,
  take() {},
} as const

test('what cannot be in flight is not sent, and counted', async () => {
  const plan = [{ fromRate: 500, toRate: 500, ms: 200 }]
  const { promise, resolve } = Promise.withResolvers<void>()
  const drive = new Drive({
    ...{ ...usual, plan },
    ask: async () => {
      await promise
      return { trace: undefined, failed: false, outcome: 'ok' }
    },
  })
  const end = drive.run()
  setTimeout(resolve, 300)
  assert.equal(await end, 'done')
  assert.deepEqual(
    [drive.asked, drive.answered, drive.notStarted, drive.mostInFlight],
    [10, 10, 90, 10],
  )
})

test('one failure after the other ends it', async () => {
  const plan = [{ fromRate: 200, toRate: 200, ms: 60_000 }]
  const drive = new Drive({
    ...usual,
    plan,
    ask: async () => ({ trace: undefined, failed: true, outcome: 'timeout' }),
  })
  assert.equal(await drive.run(), 'failures')
  assert.ok(drive.failed >= 5 && drive.failed < 1_000)
})
