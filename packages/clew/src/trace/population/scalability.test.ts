import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { scalability } from './scalability.ts'

const points = (gamma: number, alpha: number, beta: number, loads: readonly number[]) =>
  loads.map((inFlight) => ({
    inFlight,
    rate: (gamma * inFlight) / (1 + alpha * (inFlight - 1) + beta * inFlight * (inFlight - 1)),
    requests: 100,
  }))

const between = (min: number, max: number) => fc.double({ min, max, noNaN: true })

test('a system that keeps to the law has its peak told', () => {
  const loads = [0.5, 1, 2, 4, 8, 16, 32, 64, 128, 200, 300, 400]
  fc.assert(
    fc.property(between(1, 1e4), between(0.05, 0.6), between(1e-4, 1e-2), (gamma, alpha, beta) => {
      const told = scalability(points(gamma, alpha, beta, loads))
      assert.ok(typeof told !== 'string', String(told))
      const turn = Math.max(1, Math.sqrt((1 - alpha) / beta))
      const { rate } = points(gamma, alpha, beta, [turn])[0]!
      assert.ok(Math.abs(told.peakRate - rate) <= Math.max(told.peakError, rate * 0.01) * 1.000001)
      if (told.declinesBeyond !== undefined) {
        assert.ok(Math.abs(told.declinesBeyond / turn - 1) < 0.01)
      }
    }),
  )
})

test('more answers for more load without end have no limit', () => {
  const loads = [1, 2, 4, 8, 16, 32]
  assert.equal(scalability(points(50, 0, 0, loads)), 'not_reached')
  assert.equal(scalability(points(50, 0.3, 0, [10, 11, 12, 13, 14])), 'steady_load')
  assert.equal(scalability(points(50, 0.3, 0, [1, 100])), 'few_points')
})

test('no points break it', () => {
  const number = fc.oneof(between(-10, 1e3), fc.double(), fc.constantFrom(0, 1e-320, 1e308))
  const point = fc.record({ inFlight: number, rate: number, requests: number })
  fc.assert(
    fc.property(fc.array(point, { maxLength: 30 }), (all) => {
      const told = scalability(all)
      if (typeof told !== 'string') assert.ok(told.peakRate > 0 && told.peakError >= 0)
    }),
    { numRuns: 300 },
  )
})
