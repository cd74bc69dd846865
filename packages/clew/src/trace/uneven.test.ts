import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { stragglers } from './analysis/index.ts'
import { callTree } from './call-tree.ts'
import * as model from './model.test.ts'
import { Assembly } from './read.ts'
import { isUneven } from './uneven.ts'

const root = model.modelCall('00000000000000aa')

function straggling(block: Uint8Array): boolean {
  const assembly = new Assembly(model.TRACE)
  assembly.addRoot(model.recordOf(root, model.T0, 0), model.ROOT_PLACE, block)
  return stragglers(callTree(assembly.finish())).length > 0
}

/** Callees with many calls of few kinds, whose times are alike or not. */
const fanOut = fc
  .tuple(
    model.modelTree,
    fc.array(
      fc.record({
        service: fc.constantFrom('a', 'a', 'a', 'b'),
        method: fc.constantFrom('get', 'get', 'get', 'put'),
        workUs: fc.constantFrom(10_000, 10_000, 10_100, 10_300, 10_400, 10_500, 11_000, 60_000),
        nested: fc.boolean(),
      }),
      { minLength: 5, maxLength: 12 },
    ),
  )
  .map(([tree, calls]) => {
    let id = 0xbb00
    const children = calls.map(({ nested, ...over }) => {
      const leaf = model.modelCall((id++).toString(16).padStart(16, '0'), over)
      if (!nested) return leaf
      return { ...leaf, calls: [model.modelCall((id++).toString(16).padStart(16, '0'))] }
    })
    const workUs = 2_000 + calls.reduce((most, { workUs }) => Math.max(most, workUs), 0)
    return {
      ...root,
      workUs,
      calls: [...children, { ...tree, answered: true, edge: 'next' as const, workUs: 10 }],
    }
  })

test('what has a straggler is found uneven', () => {
  let [found, uneven] = [0, 0]
  fc.assert(
    fc.property(fanOut, (tree) => {
      const block = model.blockOf(tree, model.T0)
      const has = straggling(block)
      if (has) assert.ok(isUneven(block))
      if (has) found++
      if (isUneven(block)) uneven++
    }),
    // The same trees every time: few have one, and there must be some.
    { numRuns: 400, seed: 7 },
  )
  assert.ok(found > 4, `${found} of 400 had stragglers`)
  assert.ok(uneven < 350, `${uneven} of 400 are uneven`)
})

test('even siblings and damaged bytes are not', () => {
  const calls = Array.from({ length: 9 }, (_, n) => model.modelCall(`${n}`.padStart(16, '0')))
  const block = model.blockOf({ ...root, calls }, model.T0)
  assert.equal(isUneven(block), false)
  const slow = { ...calls[3]!, workUs: 90_000 }
  const uneven = model.blockOf({ ...root, calls: calls.with(3, slow) }, model.T0)
  assert.equal(isUneven(uneven), true)
  const change = fc.tuple(fc.nat(), fc.nat({ max: 255 }))
  fc.assert(
    fc.property(fc.array(change, { maxLength: 5 }), (changes) => {
      const bytes = Uint8Array.from(uneven)
      for (const [at, value] of changes) bytes[at % bytes.length] = value
      isUneven(bytes)
      isUneven(bytes.subarray(0, bytes.length - 1))
    }),
  )
})
