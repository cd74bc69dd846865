import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { blockCalls, type Log } from './log.ts'
import * as model from './model.test.ts'
import { Assembly, pieceTraceId, readPiece } from './read.ts'

function assembled(
  root: model.ModelCall,
  block: Uint8Array | undefined,
  pieces: Uint8Array[] = [],
) {
  const assembly = new Assembly(model.TRACE)
  assembly.addRoot(model.recordOf(root, model.T0, 0), model.ROOT_PLACE, block)
  for (const piece of pieces) assert.equal(assembly.addPiece(piece), true)
  return assembly
}

test('a block brings every field of every call home, in bracket order', () => {
  fc.assert(
    fc.property(model.modelTree, (root) => {
      root = { ...root, answered: true }
      const block = model.blockOf(root, model.T0)
      assert.equal(blockCalls(block), model.allCalls(root).length - 1)
      const trace = assembled(root, block).finish()
      assert.deepEqual(trace.entries, model.entriesOf(root, model.T0))
      assert.deepEqual([trace.id, trace.missing, trace.folds], [model.TRACE, [], []])
      assert.equal(trace.complete, true)
    }),
  )
})

test('pieces that come in any order, and twice, give the same entries as one block', () => {
  const when = fc.infiniteStream(fc.boolean())
  fc.assert(
    fc.property(model.modelTree, when, fc.nat(), (root, send, shuffle) => {
      root = { ...root, answered: true }
      const pieces: Uint8Array[] = []
      const counts = new Map<Log, number>()
      const block = model.blockOf(root, model.T0, (log) => {
        if (!send.next().value) return
        const number = counts.get(log) ?? 0
        counts.set(log, number + 1)
        const { calls } = log
        const piece = log.takePiece(number)
        assert.deepEqual([log.size, log.calls], [0, 0])
        assert.equal(pieceTraceId(piece), model.TRACE)
        log.appendPointer({ piece: number, calls, bytes: piece.length, worst: 'ok' })
        pieces.splice(shuffle % (pieces.length + 1), 0, piece)
      })
      const assembly = assembled(root, block)
      assert.equal(assembly.waiting > 0, pieces.length > 0)
      assert.equal(assembly.finish().complete, pieces.length === 0)
      for (const piece of [...pieces, ...pieces]) assembly.addPiece(piece)
      assert.equal(assembly.waiting, 0)
      const trace = assembly.finish()
      assert.deepEqual(trace.entries, model.entriesOf(root, model.T0))
      assert.deepEqual(trace.missing, [])
    }),
  )
})

test('a whole block that came through the inbox takes its place below its call', () => {
  const inner = model.modelCall('00000000000000c3', { service: 'stock' })
  const hidden = model.modelCall('00000000000000b2', { answered: false, calls: [] })
  const root = model.modelCall('00000000000000a1', { calls: [hidden] })
  const assembly = assembled(root, model.blockOf(root, model.T0))
  assert.equal(assembly.unannounced, true)
  const receiveUs = model.receiveOf(inner, model.T0 + 900)
  const piece = model.logOf(inner, model.T0 + 900).closePiece(model.ownOf(inner, receiveUs), {
    parent: hidden.id,
    relays: [{ service: 'python', method: 'pass_on', id: 'python.pass_on.77' }],
  })
  assert.equal(assembly.addPiece(piece), true)
  const trace = assembly.finish()
  assert.deepEqual(
    trace.entries.map(({ kind, id }) => `${kind} ${id.slice(-2)}`),
    [
      'rpc-request a1',
      'rpc-receive a1',
      'rpc-request b2',
      'rpc-receive c3',
      'rpc-respond c3',
      'rpc-finish b2',
      'rpc-respond a1',
      'rpc-finish a1',
    ],
  )
  assert.deepEqual(trace.relays, [
    {
      below: inner.id,
      trace: model.TRACE,
      path: [{ service: 'python', method: 'pass_on', id: 'python.pass_on.77' }],
    },
  ])
  const alone = readPiece(piece)
  assert.deepEqual(
    alone?.entries.map(({ parent }) => parent),
    [hidden.id, hidden.id],
  )
})
