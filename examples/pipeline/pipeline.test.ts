import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEachBroker, wholeTree } from '../on-each-broker.ts'
import { type Outline, outline, went } from '../outline.ts'
import { pipeline, type Stage, stageName } from './services.ts'

function chain(position: number, length: number): Outline {
  const below = position === length ? [] : [chain(position + 1, length)]
  return went(`${stageName(position)}.process_item`, below)
}

for (const length of [1, 10, 200]) {
  onEachBroker(
    `a pipeline of ${length} services`,
    () => pipeline(length),
    async (cluster) => {
      const { result, trace } = await cluster.traced<Stage>(stageName(1)).process_item(21)
      assert.equal(result, 42)
      const tree = wholeTree(trace)
      assert.equal(tree.calls, length)
      assert.deepEqual(outline(tree.root), chain(1, length))
    },
  )
}

test('names of stages and of their method have twelve characters', () => {
  assert.deepEqual([stageName(17), stageName(17).length], ['pipeline_017', 12])
  assert.equal('process_item'.length, 12)
})
