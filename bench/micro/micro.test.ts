import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { callTree } from 'clew/trace'
import { makeTrace, readTrace } from './made-trace.ts'
import { readOptions } from './options.ts'
import { type StepMeasured, sumsOf } from './results.ts'
import { describeSteps, runMicro } from './suite.ts'
import { reportOf } from './tables.ts'

const MEASURE = fileURLToPath(new URL('./measure.js', import.meta.url))

test('a made-up trace comes home whole, in pieces where a reply has no room for it', () => {
  for (const calls of [1, 300, 5_000]) {
    const made = makeTrace(calls)
    assert.equal(made.pieces.length > 0, calls > 1_000)
    const tree = callTree(readTrace(made))
    assert.deepEqual([tree.calls, tree.complete, tree.problems], [calls, true, []])
  }
})

test('steps are measured in time and in bytes, and reported', async () => {
  const plan = {
    rounds: 1,
    counts: 1,
    large: true,
    steps: ['id', 'replyWrite', 'caller', 'callee', 'call'],
  }
  const results = await runMicro(plan, MEASURE, () => {})
  assert.deepEqual(results.steps.map(({ key }) => key).toSorted(), plan.steps.toSorted())
  for (const { key, ns, bytes } of results.steps) {
    assert.ok(Number.isFinite(ns.median), key)
    assert.ok(bytes !== null && bytes > 0, key)
  }
  const call = results.steps.find(({ key }) => key === 'call')!
  const { callNs, callBytes, treeNsPerCall } = results.sums
  assert.deepEqual([callNs, callBytes, treeNsPerCall], [call.ns.median, call.bytes, null])
  assert.match(reportOf(results), /\| both sides, and what they add to messages \| [-\d]/)
})

test('of what was chosen for the hot path, the collection of garbage is told as well', async () => {
  const plan = {
    rounds: 1,
    counts: 1,
    large: true,
    steps: ['underWay', 'underWaySet', 'table', 'id'],
  }
  const results = await runMicro(plan, MEASURE, () => {})
  for (const { key, group, collectingNs } of results.steps) {
    assert.equal(group === 'choices', key !== 'id')
    assert.equal(collectingNs === null, key === 'id')
  }
  assert.match(
    reportOf(results),
    /\| ns \| of it collecting garbage \| bytes \|\n\|---\|---:\|---:\|---:\|\n/,
  )
})

test('what a trace’s tree takes is that of the size that takes longest', () => {
  const step = (key: string, median: number): StepMeasured => {
    const ns = { median, low: median, high: median }
    return { key, title: key, group: 'trace', ns, collectingNs: null, bytes: null }
  }
  const sums = sumsOf([step('tree1000', 900), step('tree100000', 1_100), step('decode1000', 5_000)])
  assert.deepEqual(sums, { callNs: null, callBytes: null, treeNsPerCall: 1_100 })
})

test('options say what is wrong with them', async () => {
  assert.equal(readOptions([]).plan.rounds, 61)
  assert.equal(readOptions(['--quick', '--rounds', '3']).plan.rounds, 3)
  assert.deepEqual(
    [[], ['--quick'], ['--quick', '--steps', 'tree100000']].map(
      (all) => readOptions(all).plan.large,
    ),
    [true, false, true],
  )
  assert.equal(readOptions(['--steps', 'list']).list, true)
  assert.deepEqual(readOptions(['--steps', 'id,caller']).plan.steps, ['id', 'caller'])
  assert.throws(() => readOptions(['--rounds', '0']), /--rounds takes a whole number/)
  assert.throws(() => readOptions(['--write', '--steps', 'id']), /--write writes all steps/)
  await assert.rejects(describeSteps(MEASURE, ['idd']), /no step "idd", only stamp, /)
})
