import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MAX_MESSAGE_BYTES } from './format.ts'
import * as model from './model.test.ts'
import { Assembly } from './read.ts'
import { isSelfContained } from './self-contained.ts'

/** What an Assembly, which reads everything, says of the same block. */
function expectsNothing(block: Uint8Array): boolean {
  const assembly = new Assembly(model.TRACE)
  const root = model.modelCall('00000000000000aa')
  assembly.addRoot(model.recordOf(root, model.T0, 0), model.ROOT_PLACE, block)
  return assembly.waiting === 0 && !assembly.unannounced
}

const answered = model.modelTree.map((tree) => ({ ...tree, answered: true }))

test('a look at a block tells what reading it tells', () => {
  let contained = 0
  fc.assert(
    fc.property(answered, (tree) => {
      const block = model.blockOf(tree, model.T0)
      assert.equal(isSelfContained(block), expectsNothing(block))
      if (isSelfContained(block)) contained++
    }),
    { numRuns: 500 },
  )
  assert.ok(contained > 50, `${contained} of 500 blocks were self-contained`)
})

test('a block that points to a piece is not self-contained', () => {
  const leaf = model.modelCall('bb', { calls: [] })
  const tree = model.modelCall('aa', { calls: [leaf, { ...leaf, id: 'cc' }] })
  const log = model.logOf(tree, model.T0, (log, index) => {
    if (index !== 0) return
    const bytes = log.takePiece(0).length
    log.appendPointer({ piece: 0, calls: 1, bytes, worst: 'ok' })
  })
  const block = log.close(model.ownOf(tree, model.receiveOf(tree, model.T0)))
  assert.equal(isSelfContained(model.blockOf(tree, model.T0)), true)
  assert.equal(isSelfContained(block), false)
  assert.equal(expectsNothing(block), false)
})

test('a piece that is the whole of a root is, one that belongs to something is not', () => {
  const tree = model.modelCall('aa', { calls: [model.modelCall('bb')] })
  const own = model.ownOf(tree, model.receiveOf(tree, model.T0))
  const root = model.logOf(tree, model.T0).closePiece(own, { parent: null })
  assert.equal(isSelfContained(root), true)
  const below = model.logOf(tree, model.T0).closePiece(own, { parent: '00000000000000dd' })
  assert.equal(isSelfContained(below), false)
  assert.equal(isSelfContained(model.logOf(tree, model.T0).takePiece(0)), false)
})

test('damaged and hostile bytes are looked at without harm', () => {
  const block = answered.map((tree) => model.blockOf(tree, model.T0))
  const change = fc.tuple(fc.nat(), fc.nat({ max: 255 }))
  fc.assert(
    fc.property(block, fc.array(change, { maxLength: 5 }), (whole, changes) => {
      const bytes = Uint8Array.from(whole)
      for (const [at, value] of changes) bytes[at % bytes.length] = value
      isSelfContained(bytes)
      isSelfContained(bytes.subarray(0, bytes.length - 1))
    }),
  )
  assert.equal(isSelfContained(new Uint8Array(0)), false)
  assert.equal(isSelfContained(new Uint8Array(MAX_MESSAGE_BYTES + 1).fill(0xc1)), false)
})
