import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Log, type Packet } from '../../trace/blocks.ts'
import { Sketch, type Trace } from '../../trace/index.ts'
import type { Sink } from '../sink.ts'
import { type KeepRules, keep } from './keep.ts'
import { packetOf } from './test-packets.ts'

class Kept implements Sink {
  readonly packets: Packet[] = []
  readonly counts = { taken: 0, written: 0, dropped: 0 }
  take(): void {
    assert.fail('it takes packets')
  }
  takePacket(packet: Packet): void {
    this.packets.push(packet)
  }
  async flush() {}
  async close() {}
}

function keeping(rules: KeepRules) {
  const sink = new Kept()
  return { sink, keeper: keep(rules, sink) }
}

const NOTHING = { errors: false, slowest: 0, stragglers: false, share: 0 }

/** As random as a trace's id, the same in every run. */
const idOf = (seed: number, index: number) =>
  createHash('md5').update(`${seed} ${index}`).digest('hex')

/** mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const weightOf = ({ weight = 1 }: Packet) => weight
const sum = (numbers: readonly number[]) => numbers.reduce((all, each) => all + each, 0)
const tookMs = ({ root }: Packet) => (root!.record.finishUs! - root!.record.requestUs) / 1000

/** Requests of two kinds with log-normal times and some failures, fast and slow ones alike. */
function traffic(seed: number, requests: number): Packet[] {
  const random = randomOf(seed)
  return Array.from({ length: requests }, (_, index) => {
    const list = random() < 0.3
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    return packetOf({
      traceId: idOf(seed, index),
      method: list ? 'list' : 'get',
      tookMs: (list ? 80 : 8) * Math.exp(0.6 * normal),
      status: random() < 0.02 ? 'error' : 'ok',
    })
  })
}

describe('keep', () => {
  it('keeps each trace in which something went wrong, however deep', () => {
    const { sink, keeper } = keeping({ ...NOTHING, errors: true })
    for (const status of ['ok', 'error', 'rejected', 'timeout', 'lost', 'cancelled'] as const) {
      keeper.takePacket(packetOf({ status }))
    }
    assert.deepEqual(
      sink.packets.map(({ root }) => root!.record.status),
      ['error', 'rejected', 'timeout', 'lost'],
    )
    const fine = packetOf()
    const log = new Log(
      { traceId: fine.traceId, callId: 'ab', service: 's', method: 'm', host: 'h', pid: 1 },
      5,
    )
    log.append({ ...fine.root!.record, status: 'error' }, undefined)
    keeper.takePacket({ ...fine, pieces: [log.takePiece(0)] })
    assert.equal(sink.packets.length, 5, 'a piece tells of it too')
    assert.deepEqual(
      { ...keeper.decided },
      {
        ...{ errors: 5, slowest: 0, stragglers: 0, share: 0, leftOut: 2 },
      },
    )
  })

  it('keeps the slowest of each kind, against what is usual of late', () => {
    const { sink, keeper } = keeping({ ...NOTHING, slowest: 0.01 })
    const random = randomOf(1)
    const send = (method: string, usualMs: number, requests: number) => {
      const before = sink.packets.length
      for (let n = 0; n < requests; n++) {
        keeper.takePacket(packetOf({ method, tookMs: usualMs * (1 + random()) }))
      }
      return sink.packets.length - before
    }
    send('get', 1, 5_000)
    send('list', 100, 5_000)
    const kept = send('get', 1, 10_000)
    assert.ok(kept > 30 && kept < 300, `${kept} of 10000 are the slowest percent`)
    keeper.takePacket(packetOf({ method: 'get', tookMs: 50 }))
    assert.equal(tookMs(sink.packets.at(-1)!), 50, 'slow for its kind')
    const size = sink.packets.length
    keeper.takePacket(packetOf({ method: 'list', tookMs: 110 }))
    assert.equal(sink.packets.length, size, 'usual for its kind')
    // Everything becomes ten times as slow: that is what is usual then.
    const shifted = send('get', 10, 20_000)
    assert.ok(shifted < 1_000, `${shifted} of 20000 after the shift`)
  })

  it('keeps what has stragglers that the answer waited for', () => {
    const { sink, keeper } = keeping({ ...NOTHING, stragglers: true })
    keeper.takePacket(packetOf({ tookMs: 30, callsMs: [10, 10.2, 9.8, 10.1, 10] }))
    keeper.takePacket(packetOf({ tookMs: 90, callsMs: [10, 10.2, 80, 9.8, 10.1, 10] }))
    // One that made little of the answer's time is none.
    keeper.takePacket(packetOf({ tookMs: 1_500, callsMs: [10, 10.2, 80, 9.8, 10.1, 10] }))
    assert.deepEqual(sink.packets.map(tookMs), [90])
    assert.equal(keeper.decided.stragglers, 1)
  })

  it('lets sums, rates and quantiles be those of all traces', () => {
    const requests = 20_000
    const rounds = process.env.CLEW_NIGHTLY === '1' ? 40 : 3
    for (let seed = 1; seed <= rounds; seed++) {
      const all = traffic(seed, requests)
      const { sink, keeper } = keeping({ slowest: 0.02, share: 0.1 })
      for (const each of all) keeper.takePacket(each)
      const kept = sink.packets
      assert.ok(kept.length < requests / 6, `${kept.length} kept`)
      // Four standard errors of a sum of which each part is kept with a chance of 0.1.
      const within = (whole: number, estimate: number, parts: readonly number[]) => {
        const error = Math.sqrt(9 * sum(parts.map((part) => part ** 2)))
        assert.ok(Math.abs(whole - estimate) < 4 * error, `${estimate} for ${whole}, seed ${seed}`)
      }
      within(
        requests,
        sum(kept.map(weightOf)),
        all.map(() => 1),
      )
      const times = all.map(tookMs)
      within(sum(times), sum(kept.map((each) => weightOf(each) * tookMs(each))), times)
      const failed = (packets: readonly Packet[]) =>
        sum(packets.map((each) => (each.root!.record.status === 'error' ? weightOf(each) : 0)))
      assert.equal(failed(kept), failed(all), 'failures are exact')
      for (const method of ['get', 'list']) {
        const [whole, weighted] = [new Sketch(), new Sketch()]
        for (const each of all) if (each.root!.record.method === method) whole.add(tookMs(each))
        for (const each of kept) {
          if (each.root!.record.method === method) weighted.add(tookMs(each), weightOf(each))
        }
        for (const quantile of [0.25, 0.5, 0.9, 0.99]) {
          const off = weighted.quantile(quantile) / whole.quantile(quantile)
          assert.ok(Math.abs(off - 1) < 0.15, `${method} p${quantile * 100} is off by ${off}`)
        }
      }
    }
  })

  it('draws the same traces in every process, and no more of one than of another', () => {
    const one = keeping({ ...NOTHING, share: 0.25 })
    const other = keeping({ ...NOTHING, share: 0.25 })
    // Ids as a process draws them: the left half is its own.
    const ids = Array.from(
      { length: 8_000 },
      (_, n) => `4bf92f3577b34da6${n.toString(16).padStart(16, '0')}`,
    )
    for (const traceId of ids) one.keeper.takePacket(packetOf({ traceId }))
    for (const traceId of ids.toReversed()) other.keeper.takePacket(packetOf({ traceId }))
    const kept = one.sink.packets.map(({ traceId }) => traceId)
    assert.deepEqual(kept, other.sink.packets.map(({ traceId }) => traceId).toReversed())
    assert.ok(Math.abs(kept.length - 2_000) < 4 * Math.sqrt(8_000 * 0.25 * 0.75))
    assert.ok(one.sink.packets.every(({ weight }) => weight === 4))
  })

  it('lets what comes late follow its trace', () => {
    fc.assert(
      fc.property(fc.nat(), fc.boolean(), (seed, fails) => {
        const { sink, keeper } = keeping({ ...NOTHING, errors: true, share: 0.5 })
        const traceId = idOf(seed, 0)
        const first = packetOf({ traceId, status: fails ? 'error' : 'ok' })
        keeper.takePacket(first)
        const root = { ...first.root!, record: { ...first.root!.record, late: true } }
        keeper.takePacket({ traceId, pieces: [new Uint8Array(40)], ended: false })
        keeper.takePacket({ traceId, root, pieces: [], ended: false })
        assert.ok(sink.packets.length === 0 || sink.packets.length === 3)
        assert.ok(!fails || sink.packets.length === 3)
        assert.equal(new Set(sink.packets.map(weightOf)).size, Math.min(1, sink.packets.length))
        assert.equal(sum(Object.values(keeper.decided)), 1)
      }),
    )
  })

  it('reads what it keeps for sinks that want it read', () => {
    const traces: Trace[] = []
    const sink = {
      take: (trace: Trace) => void traces.push(trace),
      flush: async () => {},
      close: async () => {},
      counts: { taken: 0, written: 0, dropped: 0 },
    }
    const keeper = keep({ ...NOTHING, errors: true }, sink)
    keeper.takePacket(packetOf())
    keeper.takePacket(packetOf({ status: 'error' }))
    assert.equal(traces.length, 1)
    for (const trace of [...traces]) keeper.take(trace)
    assert.equal(traces.length, 2)
    const { sink: sending, keeper: other } = keeping({ ...NOTHING, share: 1 })
    other.take(traces[0]!)
    assert.match(new TextDecoder().decode(sending.packets[0]!.lines), /rpc-request/)
  })

  it('keeps bounded state whatever it is given', () => {
    const { keeper } = keeping({})
    for (let n = 0; n < 30_000; n++) {
      keeper.takePacket(packetOf({ method: `made_up_${n}`, status: 'error' }))
    }
    assert.equal(keeper.decided.errors, 30_000)
    keeper.takePacket({ traceId: 'ff', pieces: [], ended: true })
    keeper.takePacket({ traceId: 'ff', pieces: [Uint8Array.of(0xd1, 3, 1)], ended: false })
    assert.throws(() => keep({ share: 2 }, new Kept()), /share must be a number from 0 to 1/)
  })
})
