import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { FrameReader, readProperties } from './frame-reader.ts'
import { FrameSplitter } from './frame-splitter.ts'

const MOST = 600

function frameOf(type: number, channel: number, payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(payload.length + 8)
  frame[0] = type
  frame.writeUInt16BE(channel, 1)
  frame.writeUInt32BE(payload.length, 3)
  frame.set(payload, 7)
  frame[frame.length - 1] = 0xce
  return frame
}

/** The frames that come out of these reads. */
function split(reads: readonly Buffer[]): string[] {
  const taken: string[] = []
  const splitter = new FrameSplitter(
    (bytes, start, end) => taken.push(bytes.toString('hex', start, end)),
    () => MOST,
  )
  for (const bytes of reads) {
    // What was read is overwritten afterwards, as a socket may.
    const lent = Buffer.from(bytes)
    splitter.read(lent)
    lent.fill(0)
  }
  return taken
}

describe('FrameSplitter', () => {
  it('gives the same frames wherever the reads are cut', () => {
    const frame = fc
      .tuple(fc.integer({ min: 1, max: 8 }), fc.nat(65_535), fc.uint8Array({ maxLength: MOST - 8 }))
      .map(([type, channel, payload]) => frameOf(type, channel, payload))
    const cuts = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 })
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 12 }), cuts, (frames, sizes) => {
        const stream = Buffer.concat(frames)
        const reads: Buffer[] = []
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const size = sizes[turn % sizes.length]!
          reads.push(stream.subarray(at, at + size))
          at += size
        }
        assert.deepEqual(
          split(reads),
          frames.map((each) => each.toString('hex')),
        )
      }),
    )
  })

  it('refuses a frame larger than agreed as soon as its size is known, and takes no memory for it', () => {
    const huge = Buffer.from([3, 0, 1, 0xff, 0xff, 0xff, 0xff])
    assert.throws(() => split([huge]), /a frame of 4294967303 bytes, more than agreed/)
    assert.throws(() => split([huge.subarray(0, 5), huge.subarray(5)]), RangeError)
    const largest = frameOf(3, 1, Buffer.alloc(MOST - 8, 7))
    assert.equal(split([largest]).length, 1)
  })
})

describe('FrameReader', () => {
  it('reads what is usual by what was last, byte for byte', () => {
    const reader = new FrameReader()
    const read = (text: Buffer) => {
      const bytes = Buffer.concat([Buffer.from([text.length]), text, Buffer.from('rest')])
      return reader.over(bytes, 0, bytes.length).usual(0)
    }
    fc.assert(
      fc.property(fc.array(fc.constantFrom('nameko-rpc', 'nameko-rpd', 'é', 'e', '')), (texts) => {
        for (const text of texts) assert.equal(read(Buffer.from(text)), text)
      }),
    )
    read(Buffer.from('é'))
    assert.equal(read(Buffer.from([0xe9])), '\ufffd')
  })

  it('throws at what leads out of the frame, though more bytes follow it', () => {
    const bytes = Buffer.from([5, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68])
    const reader = new FrameReader()
    assert.equal(reader.over(bytes, 0, 6).short(), 'abcde')
    assert.throws(() => reader.over(bytes, 0, 5).short(), RangeError)
    assert.throws(() => reader.over(bytes, 0, 5).usual(0), RangeError)
    assert.throws(() => reader.over(bytes, 0, 7).tag(), RangeError)
    assert.throws(() => reader.over(bytes, 3, 3).octet(), RangeError)
    assert.throws(() => reader.over(bytes, 0, 2).skipShort(), RangeError)
    // Headers whose length leads out of the frame.
    const table = Buffer.from([0x20, 0x00, 0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    assert.throws(() => readProperties(reader.over(table, 0, 12)), RangeError)
    assert.equal(readProperties(reader.over(table, 0, 15)).headers?.length, 9)
  })
})
