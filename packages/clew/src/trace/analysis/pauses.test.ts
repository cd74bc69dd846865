import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { callTree } from '../call-tree.ts'
import type { Entry, Pause } from '../entry.ts'
import { pauseEffects } from './pauses.ts'

const T0 = 1_795_386_521_000

interface Made {
  readonly id: string
  readonly parent: string | null
  /** Milliseconds of request, receive, respond and finish. */
  readonly at: readonly [number, number, number, number]
  readonly pid?: number
}

const KINDS = ['rpc-request', 'rpc-receive', 'rpc-respond', 'rpc-finish'] as const

function entriesOf({ id, parent, at, pid = 1 }: Made): Entry[] {
  return KINDS.map((kind, index) => ({
    ...{ kind, timeMs: T0 + at[index]!, service: 's', method: id, id, parent },
    ...(index === 1 || index === 2 ? { host: 'callee', pid } : { host: 'caller', pid: 7 }),
  }))
}

const treeOf = (calls: readonly Made[], pauses: readonly Pause[]) =>
  callTree({
    ...{ id: 't', entries: calls.flatMap(entriesOf), folds: [], missing: [], relays: [] },
    ...{ pauses, complete: true },
  })

const pause = (fromMs: number, ms: number, more: Partial<Pause> = {}): Pause => ({
  ...{ kind: 'event-loop', host: 'callee', pid: 1, timeMs: T0 + fromMs, ms },
  ...more,
})

const ROOT: Made = { id: 'root', parent: null, at: [0, 10, 90, 100] }
const INNER: Made = { id: 'inner', parent: 'root', at: [20, 30, 70, 80], pid: 2 }

test('a pause is joined to the calls of its process that it fell into', () => {
  const tree = treeOf(
    [ROOT, INNER],
    [
      pause(15, 10),
      pause(35, 10, { kind: 'gc', pid: 2 }),
      pause(200, 5),
      pause(35, 10, { pid: 3 }),
    ],
  )
  const told = pauseEffects(tree).map(({ pause: { kind }, calls, overlapped, criticalMs }) => [
    ...[kind, overlapped, criticalMs],
    calls.map(({ call, overlapMs }) => [call.method, overlapMs]),
  ])
  assert.deepEqual(told, [
    ['gc', 1, 10, [['inner', 10]]],
    // From 20 on the answer waited for the inner call, not for the work of this one.
    ['event-loop', 1, 5, [['root', 10]]],
    ['event-loop', 0, 0, []],
    ['event-loop', 0, 0, []],
  ])
})

test('the join is that of comparing every pause with every call', () => {
  const time = fc.integer({ min: 0, max: 100 })
  const call = fc.tuple(time, time, fc.integer({ min: 1, max: 2 }))
  const stop = fc.tuple(time, fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 2 }))
  fc.assert(
    fc.property(fc.array(call, { maxLength: 12 }), fc.array(stop), (calls, stops) => {
      const made = calls.map(([from, length, pid], index): Made => {
        const at = [from, from, from + length, from + length] as const
        return { id: `c${index}`, parent: 'root', at, pid }
      })
      const pauses = stops.map(([from, ms, pid]) => pause(from, ms, { pid }))
      const effects = pauseEffects(treeOf([{ ...ROOT, pid: 9 }, ...made], pauses))
      for (const {
        pause: { timeMs, ms, pid },
        overlapped,
        calls: found,
      } of effects) {
        const expected = made.filter(({ at, pid: own }) => {
          const overlap = Math.min(at[2] + T0, timeMs + ms) - Math.max(at[1] + T0, timeMs)
          return own === pid && overlap > 0
        })
        assert.equal(overlapped, expected.length)
        assert.deepEqual(
          new Set(found.map(({ call }) => call.method)),
          new Set(expected.map(({ id }) => id)),
        )
      }
    }),
  )
})

test('a pause into which very many calls fell tells the longest overlaps, and how many there are', () => {
  const calls = Array.from({ length: 1_000 }, (_, index): Made => {
    return { id: `c${index}`, parent: 'root', at: [10, 10, 11 + index / 100, 30] }
  })
  const [effect] = pauseEffects(treeOf([ROOT, ...calls], [pause(10, 50)]))
  assert.equal(effect?.overlapped, 1_001)
  assert.equal(effect.calls.length, 100)
  assert.deepEqual(
    effect.calls.slice(0, 2).map(({ call }) => call.method),
    ['root', 'c999'],
  )
})
