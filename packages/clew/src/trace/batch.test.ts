import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Batch, encodeBatch, readBatch } from './batch.ts'
import { encodePacket } from './packet.ts'

const id = (digits: number) =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'), { minLength: digits, maxLength: digits })
    .map((list) => list.join(''))

const packet = fc
  .tuple(id(32), fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 3 }))
  .map(([traceId, pieces]) => encodePacket({ traceId, pieces, ended: true }))

const batch: fc.Arbitrary<Batch> = fc.record(
  {
    id: id(32),
    sender: fc.record(
      {
        name: fc.string({ maxLength: 60 }),
        host: fc.string({ maxLength: 60 }),
        pid: fc.nat(),
        instance: id(16),
      },
      { noNullPrototype: true },
    ),
    taken: fc.maxSafeNat(),
    dropped: fc.dictionary(fc.string({ maxLength: 20 }), fc.maxSafeNat(), { maxKeys: 5 }),
    packets: fc.array(packet, { maxLength: 6 }),
  },
  { noNullPrototype: true },
)

const plain = ({ packets, dropped, ...rest }: Batch) => ({
  ...rest,
  dropped: Object.entries(dropped),
  packets: packets.map((bytes) => [...bytes]),
})

test('a batch is read as it was written', () => {
  fc.assert(
    fc.property(batch, (written) => {
      const read = readBatch(encodeBatch(written))!
      assert.deepEqual(plain(read), { ...plain(written), damaged: false })
    }),
  )
})

test('a batch that is cut or damaged is told as such, and never throws', () => {
  fc.assert(
    fc.property(batch, fc.nat(), fc.nat({ max: 255 }), (written, place, value) => {
      const bytes = encodeBatch(written).slice()
      const cut = readBatch(bytes.subarray(0, place % bytes.length))
      assert.ok(cut === undefined || cut.damaged || cut.packets.length === written.packets.length)
      bytes[place % bytes.length] = value
      readBatch(bytes)
    }),
  )
  assert.equal(readBatch(new Uint8Array(0)), undefined)
})

test('packets whose end is missing are not told, the others are', () => {
  const packets = [1, 2, 3].map((n) =>
    encodePacket({ traceId: `${n}`.repeat(32), pieces: [new Uint8Array(50)], ended: true }),
  )
  const sender = { name: 'shop', host: 'vm-1', pid: 7, instance: 'ab'.repeat(8) }
  const bytes = encodeBatch({ id: 'cd'.repeat(16), sender, taken: 3, dropped: {}, packets })
  const read = readBatch(bytes.subarray(0, bytes.length - 10))
  assert.equal(read?.packets.length, 2)
  assert.equal(read?.damaged, true)
})
