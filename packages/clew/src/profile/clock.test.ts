import assert from 'node:assert/strict'
import { it, mock } from 'node:test'
import { microseconds, systemClock } from './clock.ts'

it('follows the wall clock when it is stepped, and the old anchor keeps durations as they are', () => {
  const clock = systemClock()
  const before = clock.anchorMs()
  assert.ok(Math.abs(microseconds(before) / 1000 - Date.now()) < 50)
  const HOUR_MS = 3_600_000
  const stepped = Date.now() + HOUR_MS
  let monotonic = performance.now() + 2000
  const now = mock.method(performance, 'now', () => monotonic)
  const wall = mock.method(Date, 'now', () => stepped + 2000)
  try {
    const after = clock.anchorMs()
    assert.ok(after - before > HOUR_MS - 5000, 'the anchor moved with the step')
    const started = microseconds(before)
    monotonic += 5
    assert.equal(microseconds(before) - started, 5000, 'a log keeps its anchor')
  } finally {
    now.mock.restore()
    wall.mock.restore()
  }
})
