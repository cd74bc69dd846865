import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { callTree } from './call-tree.ts'
import type { Trace } from './entry.ts'
import type { Log } from './log.ts'
import * as model from './model.test.ts'
import { Assembly } from './read.ts'

function traceOf(root: model.ModelCall, log: Log): Trace {
  const assembly = new Assembly(model.TRACE)
  const receiveUs = model.receiveOf(root, model.T0)
  const block = log.close(model.ownOf(root, receiveUs))
  assembly.addRoot(model.recordOf(root, model.T0, 0), model.ROOT_PLACE, block)
  return assembly.finish()
}

/** A root that makes as many calls of one method as there are times. */
function fanOut(
  times: readonly number[],
  over: (index: number) => Partial<model.ModelCall> = () => ({}),
) {
  const calls = times.map((workUs, index) =>
    model.modelCall((index + 0x1000).toString(16).padStart(16, 'c'), {
      ...{ service: 'storage', method: 'fetch', workUs, waitUs: 0 },
      ...over(index),
    }),
  )
  return model.modelCall('00000000000000aa', { calls, workUs: 9_000_000 })
}

test('what is folded fits, and nothing of it is lost from the count', () => {
  fc.assert(
    fc.property(model.modelTree, fc.integer({ min: 0, max: 2_000 }), (any, most) => {
      const root = { ...any, answered: true }
      const log = model.logOf(root, model.T0)
      const calls = log.calls
      const size = log.size
      log.fold(most)
      assert.ok(log.size <= Math.max(12, Math.min(size, most)), `${log.size} of ${most}`)
      const trace = traceOf(root, log)
      const merged = trace.folds.reduce((sum, fold) => sum + fold.calls, 0)
      const missing = trace.missing.reduce((sum, { calls }) => sum + calls, 0)
      const seen = trace.entries.filter(({ kind }) => kind === 'rpc-request').length - 1
      assert.equal(seen + merged + missing, calls)
      const tree = callTree(trace)
      assert.equal(tree.calls - 1 + tree.missingCalls, calls)
      assert.equal(size > most ? tree.complete : false, false)
    }),
    { numRuns: 300 },
  )
})

test('siblings are merged to their times; failed ones, the longest and stragglers stay', () => {
  const times = Array.from({ length: 200 }, (_, index) => 1_000 + index)
  times[50] = 90_000
  times[60] = 80_000
  const root = fanOut(times, (index) =>
    index === 70 ? { status: 'error', error: 'NotFound' } : {},
  )
  const log = model.logOf(root, model.T0)
  log.fold(1_000)
  const trace = traceOf(root, log)
  const kept = trace.entries.filter(
    ({ kind, parent }) => kind === 'rpc-request' && parent === root.id,
  )
  assert.deepEqual(
    kept.map(({ seq }) => seq),
    [50, 60, 70],
  )
  const folded = times.filter((_, index) => ![50, 60, 70].includes(index)).sort((a, b) => a - b)
  const { requestUs } = { requestUs: model.receiveOf(root, model.T0) }
  assert.deepEqual(trace.folds, [
    {
      ...{ parent: root.id, trace: model.TRACE, host: 'vm-1', service: 'storage', method: 'fetch' },
      ...{ count: 197, calls: 197, minMs: 1, medianMs: folded[98]! / 1000, maxMs: 1.199 },
      ...{ sumMs: folded.reduce((sum, time) => sum + time, 0) / 1000, timeMs: requestUs / 1000 },
    },
  ])
})

test('methods are folded one after the other, and no more of them than has to be', () => {
  const root = fanOut(
    Array.from({ length: 90 }, () => 1_000),
    (index) => ({
      method: ['often', 'often', 'seldom'][index % 3]!,
    }),
  )
  const fold = (share: number) => {
    const log = model.logOf(root, model.T0)
    log.fold(log.size * share)
    return traceOf(root, log).folds.map(({ method, count }) => `${method} ${count}`)
  }
  assert.deepEqual(fold(0.7), ['often 59'])
  assert.deepEqual(fold(0.2), ['often 59', 'seldom 30'])
})

test('a log that is folded again and again keeps one fold a method, with all calls counted', () => {
  const root = fanOut(Array.from({ length: 500 }, (_, index) => 1_000 + (index % 7)))
  const log = model.logOf(root, model.T0, (log) => {
    if (log.overflows(400)) log.fold(400)
  })
  log.fold(400)
  const trace = traceOf(root, log)
  assert.equal(trace.folds.length, 1)
  const [fold] = trace.folds
  const kept = trace.entries.filter(({ kind }) => kind === 'rpc-request').length - 1
  assert.equal(fold!.count + kept, 500)
  assert.deepEqual([fold!.minMs, fold!.maxMs], [1, 1.006])
  assert.equal(callTree(trace).missingCalls, fold!.count)
})

test('a single call joins the fold of its method', () => {
  const times = [10, 10, 10, 10, 50]
  const root = fanOut(times)
  const log = model.logOf(root, model.T0)
  log.fold(log.size - 1)
  const call = model.modelCall('00000000000000dd', {
    service: 'storage',
    method: 'fetch',
    waitUs: 0,
    workUs: 9,
  })
  log.append(model.recordOf(call, model.T0, 5), model.blockOf(call, model.T0))
  log.fold(log.size - 1)
  const trace = traceOf({ ...root, calls: [...root.calls, call] }, log)
  assert.deepEqual(
    trace.folds.map(({ count, minMs }) => [count, minMs]),
    [[5, 0.009]],
  )
  assert.deepEqual(trace.missing, [])
})

test('a failure that does not fit is still told by the worst status', () => {
  const log = model.logOf(
    fanOut([5, 6, 7], () => ({ status: 'error' })),
    model.T0,
  )
  log.fold(0)
  assert.deepEqual([log.calls, log.worst], [0, 'error'])
})

test('when merging is not enough, what lies below goes before the calls do', () => {
  const below = model.modelCall('00000000000000bb', {
    calls: fanOut(Array.from({ length: 30 }, () => 50)).calls,
  })
  const root = model.modelCall('00000000000000aa', { calls: [below] })
  const log = model.logOf(root, model.T0)
  log.fold(100)
  const trace = traceOf(root, log)
  assert.deepEqual(trace.missing, [
    { parent: below.id, trace: model.TRACE, calls: 30, reason: 'cut' },
  ])
  const tree = callTree(trace)
  assert.deepEqual([tree.root.calls[0]?.presence, tree.root.calls[0]?.missingCalls], ['1001', 30])
})
