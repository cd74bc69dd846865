import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  Assembly,
  encodeRecall,
  Log,
  MAX_RECALL_TRACES,
  pieceTraceId,
  readPacket,
  readRecall,
} from '../../trace/blocks.ts'
import { Answering } from './answering.ts'
import { Recorder } from './recorder.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'

const hex = (number: number, digits = 16) => number.toString(16).padStart(digits, '0')

function recorderWith(calls: number, bytesEach = 0): Recorder {
  const recorder = new Recorder(4 * 1024 * 1024, { pending: () => undefined })
  for (let number = 1; number <= calls; number++) {
    const callId = hex(number)
    const owner = { traceId: TRACE, callId, service: 's', method: 'm', host: 'h', pid: 1 }
    const log = new Log(owner, 1_000_000)
    const call = { service: 's', method: 'n', edge: 'down', attempt: 1, error: undefined } as const
    for (let seq = 0; log.size < bytesEach; seq++) {
      const at = { requestUs: 1_000_000, finishUs: 1_000_001, status: 'ok' } as const
      log.append({ ...call, ...at, id: hex(number * 10_000 + seq), seq })
    }
    const own = { receiveUs: 1_000_000, respondUs: 1_000_010, status: 'ok' } as const
    recorder.piece(
      owner,
      log.closePiece(
        { ...own, inFlight: 1, redelivered: false, calls: 0 },
        { parent: '00000000000000ff' },
      ),
    )
  }
  return recorder
}

function answering(recorder: Recorder) {
  const sent: Uint8Array[] = []
  const post = {
    answer: async (_: string, message: Uint8Array) => {
      sent.push(message.slice())
      return true
    },
  }
  return { answers: new Answering(recorder, post), sent }
}

const request = (nonce: number, traceIds: readonly string[] = [TRACE]) =>
  encodeRecall({ nonce: hex(nonce), inbox: hex(1), traceIds })

describe('recall requests', () => {
  it('come back as they were, at most a hundred traces', () => {
    const id = (digits: number) =>
      fc.string({
        unit: fc.constantFrom(...'0123456789abcdef'),
        minLength: digits,
        maxLength: digits,
      })
    fc.assert(
      fc.property(
        fc.record({
          nonce: id(16),
          inbox: id(16),
          traceIds: fc.array(id(32), { minLength: 1, maxLength: 120 }),
        }),
        (asked) => {
          const traceIds = asked.traceIds.slice(0, MAX_RECALL_TRACES)
          assert.deepEqual(readRecall(encodeRecall(asked)), { ...asked, traceIds })
        },
      ),
    )
  })

  it('are refused where they are none, whatever they are', async () => {
    const { answers, sent } = answering(recorderWith(3))
    const whole = request(7)
    for (let length = 0; length < whole.length; length++) {
      assert.equal(readRecall(whole.subarray(0, length)), undefined)
      await answers.take(whole.subarray(0, length))
    }
    assert.equal(readRecall(Uint8Array.of(...whole, 0)), undefined)
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => answers.take(bytes)),
      { numRuns: 2_000 },
    )
    assert.equal(sent.length, 0)
    assert.equal(answers.counts.answered, 0)
  })
})

describe('Answering', () => {
  it('tells what is known, each question once', async () => {
    const { answers, sent } = answering(recorderWith(3))
    await answers.take(request(1))
    await answers.take(request(1))
    await answers.take(request(2, ['0'.repeat(32)]))
    assert.deepEqual(answers.counts, { answered: 1, unknown: 1, ignored: 1 })
    const assembly = new Assembly(TRACE)
    for (const piece of readPacket(sent[0]!)!.pieces) assert.ok(assembly.addPiece(piece))
    assert.equal(assembly.finish().entries.length, 6)
  })

  it('sends messages of a size, and no more than a mebibyte of them', async () => {
    const { answers, sent } = answering(recorderWith(200, 16_000))
    await answers.take(request(1))
    const bytes = sent.reduce((sum, { length }) => sum + length, 0)
    assert.ok(sent.length > 10)
    assert.ok(sent.every(({ length }) => length <= 64 * 1024))
    assert.ok(bytes <= 1024 * 1024 && bytes > 900 * 1024, `${bytes}`)
    for (const message of sent) {
      assert.ok(readPacket(message) !== undefined || pieceTraceId(message) === TRACE)
    }
  })

  it('answers so many questions and ignores a flood of them', async () => {
    const { answers } = answering(recorderWith(1))
    for (let nonce = 0; nonce < 10_000; nonce++) await answers.take(request(nonce))
    const { answered, ignored } = answers.counts
    assert.ok(answered >= 20 && answered < 200, `${answered}`)
    assert.equal(answered + ignored, 10_000)
  })

  it('stops where nobody takes the answer, and never leaves a place taken', async () => {
    let tries = 0
    const post = {
      answer: async () => {
        tries++
        return false
      },
    }
    const answers = new Answering(recorderWith(200, 16_000), post)
    for (let nonce = 0; nonce < 10; nonce++) await answers.take(request(nonce))
    assert.equal(tries, 10)
  })
})
