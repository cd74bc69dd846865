import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ConfigError, type Reply } from '../../call/index.ts'
import { methodsOf } from '../declare-method.ts'
import type { EntrypointMethod, ExtensionHost } from '../extension.ts'
import type { Clock } from './clock.ts'
import { formatDuration, parseDuration } from './duration.ts'
import { once } from './once.ts'
import { nextTick, type Schedule, tickTime } from './schedule.ts'
import { Timer, type TimerOptions, timer } from './timer.ts'

/** A clock whose time passes when somebody waits or works, and that may wake whoever waits late. */
class FakeClock implements Clock {
  nowMs: number
  readonly #lateness: () => number
  constructor(nowMs: number, lateness: () => number) {
    this.nowMs = nowMs
    this.#lateness = lateness
  }
  now(): number {
    return this.nowMs
  }
  async until(moment: number, signal: AbortSignal): Promise<void> {
    if (!signal.aborted) this.nowMs = Math.max(this.nowMs, moment + this.#lateness())
  }
}

const OK: Reply = { result: undefined, error: undefined, attachment: undefined }

interface Firing {
  readonly from: number
  readonly to: number
}

interface Life {
  readonly startMs: number
  readonly everyMs: number
  readonly eager: boolean
  readonly catchUp: boolean
  /** Milliseconds that each run takes; the timer is stopped during the last. */
  readonly runs: readonly number[]
  /** Milliseconds by which the clock is late. */
  readonly lateness: readonly number[]
}

/** Runs a timer through a life, and tells when its workers ran. */
async function lived(life: Life): Promise<readonly Firing[]> {
  let asked = 0
  const clock = new FakeClock(life.startMs, () => life.lateness[asked++ % life.lateness.length]!)
  const subject = new Timer(life, clock)
  const firings: Firing[] = []
  let stopped: Promise<void> | undefined
  const fire = async (): Promise<Reply> => {
    const from = clock.nowMs
    const takes = life.runs[firings.length]!
    firings.push({ from, to: from + takes })
    await Promise.resolve()
    clock.nowMs += takes
    if (firings.length === life.runs.length) stopped = subject.stop()
    return firings.length % 2 === 0 ? { ...OK, error: new Error('it failed') } : OK
  }
  subject.bind({ service: 'clock', fire } as unknown as ExtensionHost)
  subject.attach({ name: 'tick' } as EntrypointMethod)
  subject.start()
  // Resolves when it has taken note of its end: nothing fires later.
  while (stopped === undefined) await new Promise((resolve) => setImmediate(resolve))
  await stopped
  return firings
}

const lives: fc.Arbitrary<Life> = fc.record({
  startMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
  everyMs: fc.oneof(
    fc.integer({ min: 1, max: 5000 }),
    fc.double({ min: 0.1, max: 50, noNaN: true }),
  ),
  eager: fc.boolean(),
  catchUp: fc.boolean(),
  runs: fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 12_000 })), {
    minLength: 1,
    maxLength: 30,
  }),
  lateness: fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 20, noNaN: true })), {
    minLength: 1,
  }),
})

describe('a timer', () => {
  it('fires at its own times, never twice for one, never while it runs', async () => {
    const property = fc.asyncProperty(lives, async (life) => {
      const schedule: Schedule = life
      const firings = await lived(life)
      assert.equal(firings.length, life.runs.length)
      let free = life.startMs
      let last = life.eager ? -1 : 0
      for (const { from, to } of firings) {
        const tick = nextTick(schedule, last, free)
        const planned = tickTime(schedule, tick)
        assert.ok(from >= free, 'the one before had ended')
        assert.ok(from >= planned, 'not before its time')
        // Late by the clock's lateness alone, or because it waited for the one before.
        assert.ok(from <= Math.max(planned, free) + Math.max(...life.lateness))
        free = to
        last = tick
      }
    })
    await fc.assert(property, { numRuns: 200 })
  })

  it('does not drift, however long it runs', async () => {
    const runs = Array.from({ length: 5000 }, () => 30)
    const life = { startMs: 7.3, everyMs: 100, eager: false, catchUp: false, runs, lateness: [1.5] }
    const firings = await lived(life)
    for (const [index, { from }] of firings.entries()) {
      assert.ok(Math.abs(from - (7.3 + (index + 1) * 100 + 1.5)) < 1e-6)
    }
  })

  const NAMEKO = {
    startMs: 0,
    everyMs: 400,
    eager: false,
    runs: [1400, 0, 0, 0, 0, 0],
    lateness: [0],
  }

  it('skips what a slow run has missed', async () => {
    const firings = await lived({ ...NAMEKO, catchUp: false })
    assert.deepEqual(
      firings.map(({ from }) => from),
      [400, 2000, 2400, 2800, 3200, 3600],
    )
  })

  it('catches up in a burst where it is told to, as Nameko does', async () => {
    const firings = await lived({ ...NAMEKO, catchUp: true })
    assert.deepEqual(
      firings.map(({ from }) => from),
      [400, 1800, 1800, 1800, 2000, 2400],
    )
  })

  it('fires at once where it is eager', async () => {
    const life = {
      startMs: 50,
      everyMs: 400,
      eager: true,
      catchUp: false,
      runs: [0, 0],
      lateness: [0],
    }
    assert.deepEqual(
      (await lived(life)).map(({ from }) => from),
      [50, 450],
    )
  })
})

describe('nextTick', () => {
  it('is the first tick after the last one that has not passed', () => {
    const schedules = fc.record({
      startMs: fc.double({ min: -1e6, max: 1e9, noNaN: true }),
      everyMs: fc.double({ min: 0.001, max: 1e8, noNaN: true }),
      catchUp: fc.constant(false),
    })
    const property = fc.property(
      schedules,
      fc.nat({ max: 100_000 }),
      fc.double({ min: 0, max: 1e6, noNaN: true }),
      (schedule, last, intervals) => {
        const nowMs = tickTime(schedule, last) + intervals * schedule.everyMs
        const tick = nextTick(schedule, last, nowMs)
        assert.ok(tick > last)
        assert.ok(tick === last + 1 || tickTime(schedule, tick) >= nowMs)
        assert.ok(
          tick === last + 1 || tickTime(schedule, tick - 1) < nowMs,
          'none is skipped needlessly',
        )
      },
    )
    fc.assert(property, { numRuns: 2000 })
  })
})

describe('durations', () => {
  it('are read and written', () => {
    const texts: [string, number][] = [
      ['250ms', 250],
      ['5s', 5000],
      ['90s', 90_000],
      ['1.5s', 1500],
      ['2m', 120_000],
      ['1h', 3_600_000],
      ['2d', 172_800_000],
    ]
    for (const [text, ms] of texts) {
      assert.equal(parseDuration(text), ms)
      assert.equal(formatDuration(ms), text)
    }
    assert.equal(parseDuration(' .5 s '), 500)
    for (const bad of ['', 's', '5', '5 parsecs', '-5s', '1e3s', '5s5', '٥s']) {
      assert.equal(parseDuration(bad), undefined, bad)
    }
    assert.equal(formatDuration(0.5), '0.5ms')
  })

  it('come back from their text', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e12 }), (ms) => {
        assert.ok(Math.abs(parseDuration(formatDuration(ms))! - ms) < 1e-3)
      }),
    )
  })
})

describe('@timer and @once', () => {
  it('are declared with their options', () => {
    class Clocks {
      static readonly name = 'clocks'
      @timer(5) seconds() {}
      @timer({ every: '1h', eager: true, name: 'hourly' }) hours() {}
      @once start() {}
      @once({ name: 'first' }) begin(_optional = 1) {}
    }
    const declared = methodsOf(Clocks).map(({ kind, name, make }) => [kind, name, typeof make?.()])
    assert.deepEqual(declared, [
      ['timer', 'seconds', 'object'],
      ['timer', 'hourly', 'object'],
      ['once', 'start', 'object'],
      ['once', 'first', 'object'],
    ])
  })

  it('fire, and end when what they fired has ended', async () => {
    class Clocks {
      @timer({ every: 1, eager: true }) tick() {}
      @once start() {}
    }
    for (const { make } of methodsOf(Clocks)) {
      const entrypoint = make!()
      const fired = Promise.withResolvers<void>()
      const gate = Promise.withResolvers<Reply>()
      const fire = () => {
        fired.resolve()
        return gate.promise
      }
      entrypoint.bind({ service: 'clocks', fire } as unknown as ExtensionHost)
      entrypoint.attach({ name: 'tick' } as EntrypointMethod)
      await entrypoint.start()
      await fired.promise
      let isStopped = false
      const stopping = Promise.resolve(entrypoint.stop()).then(() => {
        isStopped = true
      })
      await new Promise((resolve) => setTimeout(resolve, 5))
      assert.equal(isStopped, false)
      gate.resolve(OK)
      await stopping
    }
  })

  it('refuse what is no interval', () => {
    for (const every of [0, -1, Number.NaN, Infinity, '', '5', 'soon', null, {}, undefined]) {
      const declare = () => {
        class Broken {
          @timer({ every } as TimerOptions) tick() {}
        }
        return Broken
      }
      assert.throws(
        declare,
        (error) => error instanceof ConfigError && /interval/.test(error.message),
      )
    }
  })

  it('refuse methods that need arguments', () => {
    const tick = function (this: unknown, _needed: number) {} as () => void
    const context = { kind: 'method', name: 'tick', metadata: {} } as ClassMethodDecoratorContext
    for (const declare of [timer(1), once]) {
      assert.throws(() => declare(tick, context as never), /needs 1 arguments/)
    }
  })
})
