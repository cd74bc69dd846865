import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { callTree } from './call-tree.ts'
import { Log } from './log.ts'
import { Assembly } from './read.ts'
import { blockAsPiece, worstStatus } from './recall-request.ts'
import type { CallRecord, LogOwner, OwnRecord } from './records.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const T0 = 1_795_386_521_000_000

const idOf = (number: number) => number.toString(16).padStart(16, '0')

const ownerOf = (number: number): LogOwner => ({
  ...{ traceId: TRACE, callId: idOf(number), service: `s${number}`, method: 'm' },
  ...{ host: `h${number}`, pid: number },
})

const record = (number: number, more: Partial<CallRecord> = {}): CallRecord => ({
  ...{ id: idOf(number), service: `s${number}`, method: 'm', edge: 'call', seq: 0, attempt: 1 },
  ...{ requestUs: T0 + number * 100, finishUs: T0 + 90_000 - number * 100 },
  ...{ status: 'ok', error: undefined, ...more },
})

const own = (number: number, more: Partial<OwnRecord> = {}): OwnRecord => ({
  ...{
    receiveUs: T0 + number * 100 + 50,
    respondUs: T0 + 90_000 - number * 100 - 50,
    status: 'ok',
  },
  ...{ inFlight: 1, redelivered: false, calls: 1, ...more },
})

const logOf = (number: number) => new Log(ownerOf(number), own(number).receiveUs)

/** Blocks of a chain of calls from the first, each with all that are below it. */
function chain(length: number): Uint8Array[] {
  const blocks: Uint8Array[] = []
  let below: Uint8Array | undefined
  for (let number = length; number >= 1; number--) {
    const log = logOf(number)
    if (below !== undefined) log.append(record(number + 1), below)
    below = log.close(own(number, { calls: number === length ? 0 : 1 }))
    blocks.unshift(below)
  }
  return blocks
}

const pieceOf = (block: Uint8Array, number: number) =>
  blockAsPiece(block, {
    ...{ traceId: TRACE, callId: idOf(number) },
    parent: number === 1 ? undefined : idOf(number - 1),
  })!

const CALLER = { host: 'h0', pid: 7 }

describe('what a process still knows of a trace', () => {
  it('makes the trace that its reply would have made, in whatever order it comes', () => {
    const blocks = chain(6)
    const whole = new Assembly(TRACE)
    whole.addRoot(record(1), CALLER, blocks[0])
    const expected = callTree(whole.finish())
    assert.equal(expected.complete, true)
    const pieces = blocks.map((block, index) => pieceOf(block, index + 1))
    fc.assert(
      fc.property(
        fc.shuffledSubarray(pieces, { minLength: 1 }),
        fc.boolean(),
        fc.array(fc.nat(5)),
        (some, replied, twice) => {
          const assembly = new Assembly(TRACE)
          const all = replied ? some : [...some, pieces[0]!]
          for (const piece of all) assembly.addPiece(piece)
          assembly.addRoot(record(1), CALLER, replied ? blocks[0] : undefined)
          for (const index of twice) assembly.addPiece(pieces[index]!)
          const trace = assembly.finish()
          assert.equal(trace.entries.length, 4 * 6)
          assert.deepEqual(callTree(trace), expected)
        },
      ),
    )
  })

  it('leaves a gap where a process died: what it had called hangs below it', () => {
    const blocks = chain(3)
    const assembly = new Assembly(TRACE)
    assembly.addRoot(record(1, { status: 'timeout', error: 'RpcTimeout' }), CALLER)
    const first = logOf(1)
    first.append(record(2, { status: 'timeout', error: 'RpcTimeout' }))
    assembly.addPiece(pieceOf(first.close(own(1, { status: 'error' })), 1))
    assembly.addPiece(pieceOf(blocks[2]!, 3))
    const { root, problems } = callTree(assembly.finish())
    assert.deepEqual(problems, [])
    assert.equal(root.presence, '1111')
    const [died] = root.calls
    assert.equal(died?.presence, '1001')
    assert.deepEqual(
      died?.calls.map(({ presence, service }) => [service, presence]),
      [['s3', '0110']],
    )
  })

  it('shows a worker that is running, until there is its end', () => {
    const running = (afterUs: number) => {
      const log = logOf(1)
      log.append(record(2), chain(2)[1])
      const open = record(3, { finishUs: undefined, status: 'pending', seq: 1 })
      const told = own(1, { status: 'pending', respondUs: own(1).receiveUs + afterUs, calls: 2 })
      const piece = log.peek(told, [open])
      // Looking at it changes nothing.
      assert.equal(log.calls, 1)
      assert.deepEqual(log.peek(told, [open]), piece)
      return { log, piece }
    }
    const early = running(1_000)
    const late = running(9_000)
    for (const order of [
      [early, late],
      [late, early],
    ]) {
      const assembly = new Assembly(TRACE)
      assembly.addRoot(record(1, { status: 'timeout' }), CALLER)
      for (const { piece } of order) assert.ok(assembly.addPiece(piece))
      const { root, problems } = callTree(assembly.finish())
      assert.deepEqual(problems, [])
      assert.equal(root.presence, '1101')
      assert.equal(root.runningMs, 9)
      assert.deepEqual(
        root.calls.map(({ presence }) => presence),
        ['1111', '1000'],
      )
      late.log.append(record(3, { seq: 1 }))
      assembly.addPiece(late.log.closePiece(own(1, { calls: 2 })))
      const ended = callTree(assembly.finish()).root
      assert.equal(ended.presence, '1111')
      assert.equal(ended.runningMs, undefined)
      assert.equal(ended.calls.length, 2)
      late.log.append(record(2), chain(2)[1])
    }
  })

  it('brings what had been cut off from a reply, once', () => {
    const log = logOf(2)
    log.append(record(3), chain(3)[2])
    const lost = log.close(own(2))
    const assembly = new Assembly(TRACE)
    const first = logOf(1)
    first.append(record(2), Uint8Array.of(0xc1, 3, 9, 9))
    assembly.addRoot(record(1), CALLER, first.close(own(1)))
    assert.equal(callTree(assembly.finish()).missingCalls > 0, true)
    assembly.addPiece(pieceOf(lost, 2))
    const tree = callTree(assembly.finish())
    assert.equal(tree.missingCalls, 0)
    assert.equal(tree.calls, 3)
    assert.deepEqual(tree.problems, [])
  })

  it('counts the root once, by the record that tells most', () => {
    const [block] = chain(2)
    const pending = record(1, { finishUs: undefined, status: 'pending' })
    for (const order of [
      [pending, record(1)],
      [record(1), pending],
    ]) {
      const assembly = new Assembly(TRACE)
      for (const one of order) assembly.addRoot(one, CALLER, one === pending ? undefined : block)
      const tree = callTree(assembly.finish())
      assert.deepEqual(tree.problems, [])
      assert.equal(tree.complete, true)
      assert.equal(tree.calls, 2)
    }
  })

  it('is no piece where it was no block, and tells the worst of what it holds', () => {
    const [block] = chain(3)
    const place = { traceId: TRACE, callId: idOf(1), parent: undefined }
    for (let length = 0; length < block!.length; length++) {
      assert.equal(blockAsPiece(block!.subarray(0, length), place), undefined)
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const piece = blockAsPiece(bytes, place)
        if (piece !== undefined) new Assembly(TRACE).addPiece(piece)
        worstStatus(bytes)
      }),
    )
    assert.equal(worstStatus(block!), 'ok')
    const log = logOf(1)
    log.append(record(2, { status: 'timeout' }))
    const failed = log.close(own(1, { status: 'error' }))
    assert.equal(worstStatus(failed), 'timeout')
    assert.equal(worstStatus(pieceOf(failed, 1)), 'timeout')
  })
})
