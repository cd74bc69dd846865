import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { blockCalls, Log } from './log.ts'
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

/** The trace of a root whose worker's log was filled like this. */
function traceOf(fill: (log: Log) => void, root = model.modelCall('00000000000000a1')) {
  const log = new Log(model.ownerOf(root), model.T0)
  fill(log)
  const block = log.close({ ...model.ownOf(root, model.T0), respondUs: model.T0 - 5 })
  return { block, trace: assembled(root, block).finish() }
}

test('clocks that are set back while a call runs come home as they were', () => {
  const call = model.recordOf(model.modelCall('00000000000000b2'), model.T0 - 3_000, 0)
  const { trace } = traceOf((log) => log.append({ ...call, finishUs: call.requestUs - 70 }))
  const times = trace.entries.map(({ timeMs }) => Math.round(timeMs * 1000) - model.T0)
  assert.deepEqual(times.slice(1, -1), [0, -3_000, -3_070, -5])
})

test('names and places are written once, however many calls go there', () => {
  const fan = (from: number) => (log: Log) => {
    for (let index = from; index < 20; index++) {
      const id = (index + 0xb00).toString(16).padStart(16, '0')
      const call = model.modelCall(id, {
        method: `method ${index % 3}`,
        host: 'another-host',
        pid: 900,
      })
      log.append(model.recordOf(call, model.T0, index - from), model.blockOf(call, model.T0))
    }
  }
  const { block, trace } = traceOf(fan(0))
  const text = Buffer.from(block).toString('latin1')
  assert.equal(text.split('another-host').length, 2)
  assert.equal(text.split('method 1').length, 2)
  assert.equal(
    trace.entries.filter(({ host, pid }) => host === 'another-host' && pid === 900).length,
    40,
  )
  const perCall = (block.length - traceOf(fan(19)).block.length) / 19
  assert.ok(perCall < 26, `${perCall} bytes a call`)
})

test('more than 127 names are told apart, and ids that are not hex are joined all the same', () => {
  const names = Array.from({ length: 300 }, (_, index) => `name-${index}`)
  const { trace } = traceOf((log) => {
    for (const [index, method] of [...names, ...names].entries()) {
      const place = [index % 25, Math.floor(index / 25)].map((n) => String.fromCharCode(97 + n))
      const call = model.modelCall(`no hex, but ..${place.join('')}`, { method })
      log.append(model.recordOf(call, model.T0, index), model.blockOf(call, model.T0))
    }
  })
  const requests = trace.entries.filter(
    ({ kind, parent }) => kind === 'rpc-request' && parent !== null,
  )
  assert.deepEqual(
    requests.map(({ method }) => method),
    [...names, ...names],
  )
  assert.equal(new Set(requests.map(({ id }) => id)).size, 600)
})

test('what a late reply brings to a root follows by itself, without another request', () => {
  const root = model.modelCall('00000000000000a1')
  const late = new Assembly(model.TRACE)
  const record = { ...model.recordOf(root, model.T0, 0), status: 'timeout', late: true } as const
  late.addRoot(record, model.ROOT_PLACE, model.blockOf(root, model.T0))
  const entries = late.finish({ alone: true }).entries
  assert.deepEqual(
    entries.map(({ kind, late }) => [kind, late]),
    [
      ['rpc-receive', undefined],
      ['rpc-respond', true],
    ],
  )
})

test('a call is accounted for when its own block came through the inbox, before or after', () => {
  const silent = model.modelCall('00000000000000b2', { answered: false })
  const root = model.modelCall('00000000000000a1', { calls: [silent] })
  const piece = model.logOf(silent, model.T0).closePiece(model.ownOf(silent, model.T0))
  for (const early of [true, false]) {
    const assembly = new Assembly(model.TRACE)
    if (early) assembly.addPiece(piece)
    assembly.addRoot(
      model.recordOf(root, model.T0, 0),
      model.ROOT_PLACE,
      model.blockOf(root, model.T0),
    )
    assert.equal(assembly.unannounced, !early)
    if (!early) assembly.addPiece(piece)
    assert.equal(assembly.unannounced, false)
  }
})

test('a whole block that came through the inbox takes its place below its call', () => {
  const inner = model.modelCall('00000000000000c3', { service: 'stock' })
  const hidden = model.modelCall('00000000000000b2', { answered: false, calls: [] })
  const root = model.modelCall('00000000000000a1', { calls: [hidden] })
  const block = model.blockOf(root, model.T0)
  const assembly = assembled(root, block)
  assert.equal(assembly.unannounced, true)
  const receiveUs = model.receiveOf(inner, model.T0 + 900)
  const piece = model.logOf(inner, model.T0 + 900).closePiece(model.ownOf(inner, receiveUs), {
    parent: hidden.id,
    relays: [{ service: 'python', method: 'pass_on', id: 'python.pass_on.77' }],
  })
  assert.equal(assembly.addPiece(piece), true)
  // The hop in between stays silent: more may come from below it.
  assert.equal(assembly.unannounced, true)
  const trace = assembly.finish()
  const early = new Assembly(model.TRACE)
  early.addPiece(piece)
  early.addRoot(model.recordOf(root, model.T0, 0), model.ROOT_PLACE, block)
  assert.deepEqual(early.finish(), trace)
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
