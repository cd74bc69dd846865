import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Trace } from './entry.ts'
import * as model from './model.test.ts'
import { Assembly } from './read.ts'
import { unreadTrace } from './unread.ts'

const record = model.recordOf(model.modelCall('00000000000000aa'), model.T0, 0)

function unread(block: Uint8Array): Trace | undefined {
  const root = { record, ...model.ROOT_PLACE, block }
  return unreadTrace({ traceId: model.TRACE, root, pieces: [], ended: true }, block)
}

function read(block: Uint8Array): Trace {
  const assembly = new Assembly(model.TRACE)
  assembly.addRoot(record, model.ROOT_PLACE, block)
  return assembly.finish()
}

const blocks = model.modelTree
  .map((tree) => ({ ...tree, answered: true }))
  .map((tree) => model.blockOf(tree, model.T0))

test('a trace that is read when it is looked at is the one that is read at once', () => {
  let put = 0
  fc.assert(
    fc.property(blocks, (block) => {
      const trace = unread(block)
      if (trace === undefined) return
      put++
      assert.deepEqual({ ...trace }, read(block))
      assert.deepEqual(trace.entries, trace.entries)
    }),
    { numRuns: 500 },
  )
  assert.ok(put > 50, `${put} of 500 traces were put off`)
})

test('copies of it, and what is made of it, have all that is in it', () => {
  const block = model.blockOf({ ...model.modelCall('aa'), answered: true }, model.T0)
  const fresh = () => unread(block)!
  const whole = read(block)
  assert.deepEqual({ ...fresh() }, whole)
  assert.deepEqual(structuredClone(fresh()), whole)
  assert.deepEqual(JSON.parse(JSON.stringify(fresh())), JSON.parse(JSON.stringify(whole)))
  assert.deepEqual(Object.keys(fresh()).sort(), Object.keys(whole).sort())
})

test('of damaged bytes it tells, once read, what reading them at once tells', () => {
  const change = fc.tuple(fc.nat(), fc.nat({ max: 255 }))
  fc.assert(
    fc.property(blocks, fc.array(change, { minLength: 1, maxLength: 4 }), (whole, changes) => {
      const bytes = Uint8Array.from(whole)
      for (const [at, value] of changes) bytes[at % bytes.length] = value
      const trace = unread(bytes)
      if (trace === undefined) return
      assert.ok(trace.entries.length > 0)
      assert.deepEqual({ ...trace }, read(bytes))
    }),
    { numRuns: 2_000 },
  )
})
