import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteReader } from './byte-reader.ts'
import { callTree } from './call-tree.ts'
import type { Trace } from './entry.ts'
import { encodeTrace, parseTraces } from './file.ts'
import { blockCalls, type CallRecord, Log, type OwnRecord } from './log.ts'
import * as model from './model.test.ts'
import { Assembly, pieceTraceId, readPiece } from './read.ts'

const root = model.modelCall('00000000000000aa')
const record = model.recordOf(root, model.T0, 0)

function assembled(block: Uint8Array | undefined, ...pieces: Uint8Array[]): Trace {
  const assembly = new Assembly(model.TRACE)
  assembly.addRoot(record, model.ROOT_PLACE, block)
  for (const piece of pieces) assembly.addPiece(piece)
  return assembly.finish()
}

/** Whatever came of hostile bytes has to be a trace that everything else can work with. */
function assertUsable(trace: Trace): void {
  for (const entry of trace.entries) {
    assert.ok(Number.isFinite(entry.timeMs))
    assert.match(entry.id, /^[0-9a-f]{16}$/)
  }
  for (const { calls } of trace.missing) assert.ok(calls >= 0 && calls <= 1_000_000)
  callTree(trace)
  parseTraces(encodeTrace(trace))
}

const bytes = fc.uint8Array({ maxLength: 300 })
const startsLikeOne = fc
  .tuple(fc.constantFrom(0xc1, 0xd1, 0xc2, 0xd7), bytes)
  .map(([first, rest]) => framed(first, rest))

/** Bytes with the right first byte and length, so that readers go on to what follows. */
function framed(first: number, rest: Uint8Array): Uint8Array {
  const length =
    rest.length < 0x80 ? [rest.length] : [(rest.length & 0x7f) | 0x80, rest.length >> 7]
  return Uint8Array.from([first, ...length, ...rest])
}

/** A block or piece of a real tree with some of its bytes changed, cut off or put in. */
const mutated = (whole: fc.Arbitrary<Uint8Array>) =>
  fc
    .tuple(
      whole,
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 }), fc.constantFrom('set', 'cut', 'add')), {
        maxLength: 4,
      }),
    )
    .map(([block, changes]) => {
      const list = [...block]
      for (const [place, value, change] of changes) {
        const at = place % (list.length + 1)
        if (change === 'set') list[at] = value
        else list.splice(at, change === 'cut' ? 1 : 0, ...(change === 'cut' ? [] : [value]))
      }
      return Uint8Array.from(list)
    })

const block = model.modelTree.map((tree) => model.blockOf({ ...tree, answered: true }, model.T0))
const piece = model.modelTree.map((tree) =>
  model.logOf({ ...tree, answered: true }, model.T0).takePiece(0),
)
const wholePiece = model.modelTree.map((tree) =>
  model.logOf(tree, model.T0).closePiece(model.ownOf(tree, model.T0), {
    parent: root.id,
    relays: [{ service: 'python', method: 'pass' }],
  }),
)
const anyBytes = fc.oneof(bytes, startsLikeOne, mutated(block), mutated(piece), mutated(wholePiece))

test('nothing is read beyond its bounds', () => {
  const reader = new ByteReader(Uint8Array.from([3, 65, 66, 67]), 0, 3)
  assert.deepEqual([reader.text(), reader.bad], ['', true])
  assert.deepEqual([reader.byte(), reader.varint(), reader.id(1), reader.skip(0)], [0, 0, '', 1])
  const long = new ByteReader(new Uint8Array(20).fill(0xff))
  assert.deepEqual([long.varint(), long.bad], [0, true])
})

test('no bytes make a reader throw, and what it reads of them is usable', () => {
  fc.assert(
    fc.property(anyBytes, anyBytes, (a, b) => {
      assertUsable(assembled(a, b))
      pieceTraceId(b)
      const alone = readPiece(b)
      if (alone !== undefined) assertUsable(alone)
    }),
    { numRuns: 1_000 },
  )
})

test('no bytes make the log throw, and damage stays within the call that brought it', () => {
  fc.assert(
    fc.property(anyBytes, (strange) => {
      const log = new Log(model.ownerOf(root), model.T0)
      const before = model.modelCall('00000000000000b1', { method: 'before' })
      const after = model.modelCall('00000000000000b3', { method: 'after' })
      log.append(model.recordOf(before, model.T0, 0), model.blockOf(before, model.T0))
      log.append({ ...model.recordOf(root, model.T0, 1), id: '00000000000000b2' }, strange)
      log.append(model.recordOf(after, model.T0, 2), model.blockOf(after, model.T0))
      const trace = assembled(
        log.close(model.ownOf({ ...root, calls: [before, root, after] }, model.T0)),
      )
      const own = (method: string) =>
        trace.entries.filter((entry) => entry.method === method && entry.parent === root.id)
      assert.equal(own('before').length, 4)
      assert.equal(own('after').length, 4)
      assert.equal(
        trace.entries.some(({ id }) => id === '00000000000000b2'),
        true,
      )
      assertUsable(trace)
    }),
    { numRuns: 500 },
  )
})

test('no record makes the log throw, and numbers stay within the format', () => {
  const number = fc.oneof(
    fc.double(),
    fc.integer(),
    fc.constantFrom(-0, 1e308, 2 ** 53, -(2 ** 60)),
  )
  const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 400 }), fc.constant('\ud800'))
  const anyRecord: fc.Arbitrary<CallRecord> = fc.record({
    id: fc.oneof(text, fc.constant('00000000000000c1')),
    ...{ service: text, method: text, seq: number, attempt: number, requestUs: number },
    edge: fc.constantFrom('call', 'event', 'down', 'next'),
    finishUs: fc.option(number, { nil: undefined }),
    status: fc.constantFrom('ok', 'error', 'pending', 'lost'),
    error: fc.option(text, { nil: undefined }),
    late: fc.boolean(),
  })
  const anyOwn: fc.Arbitrary<OwnRecord> = fc.record({
    ...{ receiveUs: number, startUs: number, respondUs: number, inFlight: number, calls: number },
    ...{ status: fc.constantFrom('ok', 'error'), error: text, redelivered: fc.boolean() },
  })
  fc.assert(
    fc.property(
      fc.array(anyRecord, { maxLength: 5 }),
      anyOwn,
      text,
      number,
      (records, own, name, pid) => {
        const owner = { traceId: name, callId: name, service: name, method: name, host: name, pid }
        const log = new Log(owner, own.receiveUs)
        for (const each of records) {
          const inner = new Log({ ...owner, callId: each.id }, each.requestUs)
          log.append(each, inner.close(own))
        }
        const calls = records.filter(({ late }) => late !== true).length
        assert.equal(log.calls, calls)
        log.appendPointer({ piece: pid, calls: pid, bytes: pid, worst: 'error' })
        const whole = log.close(own)
        assert.equal(blockCalls(whole), calls)
        const trace = assembled(whole)
        assertUsable(trace)
        const unread = trace.missing.filter(({ reason }) => reason === 'unreadable')
        assert.deepEqual(unread, [])
      },
    ),
    { numRuns: 300 },
  )
})

test('a long text is cut between characters, and one can see it', () => {
  const longs = [
    'x'.repeat(300),
    'é'.repeat(129),
    '訂'.repeat(100),
    '🐘'.repeat(65),
    'x'.repeat(256),
  ]
  const log = new Log(model.ownerOf(root), model.T0)
  for (const [seq, method] of longs.entries()) {
    log.append({ ...model.recordOf(root, model.T0, seq), id: `00000000000000b${seq}`, method })
  }
  const trace = assembled(log.close(model.ownOf(root, model.T0)))
  const methods = trace.entries
    .filter(({ kind, parent }) => kind === 'rpc-request' && parent === root.id)
    .map(({ method }) => method)
  assert.deepEqual(methods, [
    `${'x'.repeat(253)}…`,
    `${'é'.repeat(126)}…`,
    `${'訂'.repeat(84)}…`,
    `${'🐘'.repeat(63)}…`,
    'x'.repeat(256),
  ])
})

test('a block of a version nobody here knows is carried on and counted as unread', () => {
  const block = framed(0xc7, Uint8Array.from([6, 1, 2, 3]))
  const log = new Log(model.ownerOf(root), model.T0)
  log.append({ ...record, id: '00000000000000b1' }, block)
  assert.equal(log.calls, 4)
  const closed = log.close(model.ownOf({ ...root, calls: [root] }, model.T0))
  assert.equal(blockCalls(closed), 4)
  assert.ok(Buffer.from(closed).includes(Buffer.from(block)))
  assert.deepEqual(assembled(closed).missing, [
    { parent: '00000000000000b1', trace: model.TRACE, calls: 3, reason: 'unreadable' },
  ])
})

test('a damaged block is left out; its calls are counted where they can be', () => {
  const whole = model.blockOf(
    model.modelCall('00000000000000b1', { calls: [model.modelCall('00000000000000b2')] }),
    model.T0,
  )
  const headDamaged = whole.slice()
  headDamaged.fill(0xff, 4)
  for (const [bytes, calls] of [
    [whole.subarray(1), 1],
    [headDamaged, 1],
    [Uint8Array.from([...whole, 0]), 1],
    [new Uint8Array(0), 1],
    [new Uint8Array(70_000), 1],
  ] as const) {
    const log = new Log(model.ownerOf(root), model.T0)
    log.append({ ...record, id: '00000000000000b1' }, bytes)
    const { missing } = assembled(log.close(model.ownOf(root, model.T0)))
    assert.deepEqual(missing, [
      { parent: '00000000000000b1', trace: model.TRACE, calls, reason: 'unreadable' },
    ])
  }
})

test('a block that is too long is not read, but its calls are counted', () => {
  const many = Array.from({ length: 4_000 }, (_, index) =>
    model.modelCall((index + 0x10000).toString(16).padStart(16, '0')),
  )
  const long = model.blockOf({ ...root, calls: many }, model.T0)
  assert.ok(long.length > 65_536)
  const unread = { trace: model.TRACE, calls: 4_000, reason: 'unreadable' }
  assert.deepEqual(assembled(long).missing, [{ parent: root.id, ...unread }])
  const log = new Log(model.ownerOf(root), model.T0)
  log.append({ ...record, id: '00000000000000b1' }, long)
  const { missing } = assembled(log.close(model.ownOf(root, model.T0)))
  assert.deepEqual(missing, [{ parent: '00000000000000b1', ...unread }])
})

test('damage within a nested block leaves its siblings readable', () => {
  const calls = ['b1', 'b2', 'b3'].map((id) =>
    model.modelCall(`00000000000000${id}`, { host: `host of ${id}`, calls: [] }),
  )
  const log = model.logOf({ ...root, calls }, model.T0)
  const block = log.close(model.ownOf({ ...root, calls }, model.T0))
  // The length of the second one's host: now it reaches beyond its block.
  block[Buffer.from(block).indexOf('host of b2') - 1] = 0x7f
  const trace = assembled(block)
  const entriesOf = (id: string) => trace.entries.filter((entry) => entry.id.endsWith(id)).length
  assert.deepEqual([entriesOf('b1'), entriesOf('b2'), entriesOf('b3')], [4, 2, 4])
  assert.deepEqual(trace.missing, [
    { parent: '00000000000000b2', trace: model.TRACE, calls: 0, reason: 'unreadable' },
  ])
})

test('a reply that came too late brings its entries without another request', () => {
  const log = new Log(model.ownerOf(root), model.T0)
  const call = model.modelCall('00000000000000b1')
  const timedOut = { ...model.recordOf(call, model.T0, 0), status: 'timeout' as const }
  log.append(timedOut)
  log.append({ ...timedOut, late: true }, model.blockOf(call, model.T0))
  assert.equal(log.calls, 1)
  const next = model.modelCall('00000000000000b2')
  log.append(model.recordOf(next, model.T0, 1), model.blockOf(next, model.T0))
  const trace = assembled(log.close(model.ownOf({ ...root, calls: [call, next] }, model.T0)))
  assert.equal(trace.entries.find(({ id }) => id === next.id)?.seq, 1)
  const kinds = trace.entries.filter(({ id }) => id === call.id).map(({ kind }) => kind)
  assert.deepEqual(kinds.sort(), ['rpc-finish', 'rpc-receive', 'rpc-request', 'rpc-respond'])
  const tree = callTree(trace)
  assert.deepEqual(tree.problems, [])
  assert.deepEqual([tree.root.calls[0]?.status, tree.root.calls[0]?.late], ['timeout', true])
})

test('depth is bounded where nobody takes pieces, and what was cut is counted', () => {
  let block: Uint8Array | undefined
  const depth = 400
  for (let level = depth; level >= 0; level--) {
    const call = model.modelCall(level.toString(16).padStart(16, '0'), { pid: level })
    const log = new Log(model.ownerOf(call), model.T0)
    const child = { ...call, id: (level + 1).toString(16).padStart(16, '0') }
    if (block !== undefined) log.append(model.recordOf(child, model.T0, 0), block)
    block = log.close(model.ownOf({ ...call, calls: block ? [child] : [] }, model.T0))
  }
  const assembly = new Assembly(model.TRACE)
  assembly.addRoot({ ...record, id: '0'.repeat(16) }, model.ROOT_PLACE, block)
  const tree = callTree(assembly.finish())
  assert.equal(tree.calls + tree.missingCalls, depth + 1)
  assert.ok(tree.calls > 100 && tree.calls < depth)
})

test('a writer that lies about its depth is not followed for ever', () => {
  let block = model.blockOf(root, model.T0)
  for (let level = 0; level < 300; level++) {
    const log = new Log(model.ownerOf(root), model.T0)
    log.append({ ...record, id: level.toString(16).padStart(16, '0') }, block)
    block = log.close(model.ownOf({ ...root, calls: [root] }, model.T0))
    // The depth stands behind the first byte, the length and the count.
    const start = block[1]! < 0x80 ? 2 : 3
    block[start + (block[start]! < 0x80 ? 1 : 2)] = 1
  }
  const { entries, missing } = assembled(block)
  assert.equal(entries.filter(({ kind }) => kind === 'rpc-receive').length, 256)
  assert.deepEqual(
    missing.map(({ calls, reason }) => [calls, reason]),
    [[44, 'cut']],
  )
})

test('a trace in memory is bounded, and the rest of it counted', () => {
  const calls = Array.from({ length: 50 }, (_, index) =>
    model.modelCall((index + 16).toString(16).padStart(16, '0')),
  )
  const wide = { ...root, calls }
  const assembly = new Assembly(model.TRACE, 11)
  assembly.addRoot(record, model.ROOT_PLACE, model.blockOf(wide, model.T0))
  const trace = assembly.finish()
  assert.deepEqual(trace.missing, [
    { parent: root.id, trace: model.TRACE, calls: 40, reason: 'cut' },
  ])
  assert.equal(trace.entries.filter(({ kind }) => kind === 'rpc-request').length, 11)
  for (let piece = 0; piece < 100; piece++) {
    const log = new Log({ ...model.ownerOf(root), callId: String(piece).padStart(16, '0') }, piece)
    assembly.addPiece(log.closePiece(model.ownOf(root, model.T0)))
  }
  assert.equal(assembly.finish().entries.length, trace.entries.length)
})

test('pieces of other traces, and what is none, are refused', () => {
  const assembly = new Assembly('f'.repeat(32))
  const log = () => new Log(model.ownerOf(root), model.T0)
  assert.equal(assembly.addPiece(log().takePiece(0)), false)
  assert.equal(assembly.addPiece(log().close(model.ownOf(root, model.T0))), false)
  assert.equal(assembly.addPiece(new Uint8Array(0)), false)
  assert.equal(pieceTraceId(log().takePiece(0)), model.TRACE)
  assert.equal(pieceTraceId(log().close(model.ownOf(root, model.T0))), undefined)
})
