import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodePacket, type Packet, packetHead, readPacket } from './packet.ts'

const hex = (digits: number) =>
  fc.array(fc.constantFrom(...'0123456789abcdef'), { minLength: digits, maxLength: digits })
const id = (digits: number) => hex(digits).map((list) => list.join(''))
const bytes = fc.uint8Array({ maxLength: 300 })

const record = fc.record(
  {
    id: id(16),
    service: fc.string({ maxLength: 40 }),
    method: fc.string({ maxLength: 40 }),
    edge: fc.constantFrom('call' as const, 'event' as const, 'down' as const, 'next' as const),
    seq: fc.constant(0),
    attempt: fc.integer({ min: 1, max: 9 }),
    requestUs: fc.integer({ min: 0, max: 2 ** 51 }),
    finishUs: fc.option(fc.integer({ min: 0, max: 2 ** 51 }), { nil: undefined }),
    status: fc.constantFrom(
      'ok' as const,
      'error' as const,
      'timeout' as const,
      'pending' as const,
    ),
    error: fc.option(fc.string({ maxLength: 30 }), { nil: undefined }),
  },
  { noNullPrototype: true },
)

const packet: fc.Arbitrary<Packet> = fc.record(
  {
    traceId: id(32),
    root: fc.option(
      fc.record(
        {
          record,
          host: fc.string({ maxLength: 30 }),
          pid: fc.nat({ max: 99_999 }),
          block: fc.option(bytes, { nil: undefined }),
        },
        { noNullPrototype: true },
      ),
      { nil: undefined },
    ),
    pieces: fc.array(bytes, { maxLength: 4 }),
    lines: fc.constant(undefined),
    lineCalls: fc.constant(undefined),
    ended: fc.boolean(),
    weight: fc.constantFrom(1, 2, 12.5),
  },
  { noNullPrototype: true },
)

test('a packet is read as it was written', () => {
  fc.assert(
    fc.property(packet, (written) => {
      const encoded = encodePacket(written)
      const read = readPacket(encoded)!
      assert.deepEqual(
        { ...read, pieces: read.pieces.map((p) => [...p]) },
        {
          ...written,
          pieces: written.pieces.map((p) => [...p]),
        },
      )
      const head = packetHead(encoded)!
      assert.equal(head.traceId, written.traceId)
      assert.equal(head.length, encoded.length)
    }),
  )
})

test('lines travel as they are, with how many calls they tell of', () => {
  const lines = new TextEncoder().encode('{"host":"hübsch"}\n')
  const read = readPacket(
    encodePacket({ traceId: 'ab'.repeat(16), pieces: [], lines, lineCalls: 3, ended: false }),
  )
  assert.deepEqual([...read!.lines!], [...lines])
  assert.equal(read?.lineCalls, 3)
})

test('damaged packets are told as such and never throw', () => {
  fc.assert(
    fc.property(
      packet,
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 }))),
      fc.nat(),
      (written, flips, cut) => {
        const damaged = encodePacket(written).slice()
        for (const [at, value] of flips) damaged[at % damaged.length] = value
        readPacket(damaged)
        readPacket(damaged.subarray(0, cut % damaged.length))
        packetHead(damaged, cut % damaged.length)
      },
    ),
  )
  assert.equal(readPacket(new Uint8Array(0)), undefined)
})
