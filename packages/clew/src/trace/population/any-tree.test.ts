import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { callTree } from '../call-tree.ts'
import { entriesOf, modelTree, T0 } from '../model.test.ts'
import { Baselines } from './baselines.ts'
import { CallPaths } from './call-paths.ts'
import { compareTraces } from './compare-traces.ts'
import { compare, splitBySpeed } from './difference.ts'
import { Statistics } from './statistics.ts'
import { WhatIf } from './what-if.ts'

/** Any entries of any traces, in any order, many of them lost. */
const damaged = fc
  .array(modelTree, { minLength: 1, maxLength: 3 })
  .map((roots) => roots.flatMap((root) => [...entriesOf(root, T0)]))
  .chain((entries) => fc.shuffledSubarray(entries))

test('no analysis of many traces throws on any tree, and what it tells are numbers', () => {
  fc.assert(
    fc.property(fc.array(damaged, { maxLength: 6 }), (lists) => {
      const trees = lists.map((entries) => callTree(entries))
      const halves = [new CallPaths(), new CallPaths()] as const
      const [statistics, baselines] = [new Statistics(), new Baselines()]
      const imagined = new WhatIf({ factor: 0.5 })
      for (const [index, tree] of trees.entries()) {
        halves[index % 2]!.add(tree)
        statistics.add(tree)
        baselines.add(tree)
        imagined.add(tree)
        for (const other of trees) assert.ok(compareTraces(tree, other).sentences.length > 0)
      }
      assert.ok(compare(...halves).sentences.length > 0)
      assert.ok(compare(...splitBySpeed(halves[0], 0.5)).sentences.length > 0)
      assert.ok(Number.isFinite(imagined.answer.p50.afterMs))
      assert.ok(Array.isArray(statistics.slowInstances))
      for (const { criticalMs, share, dragMs } of halves[0].paths) {
        assert.ok(Number.isFinite(criticalMs) && Number.isFinite(share) && dragMs >= 0)
      }
    }),
    { numRuns: 60 },
  )
})
