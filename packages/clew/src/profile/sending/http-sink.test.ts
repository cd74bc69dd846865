import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, it, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { eventually } from '../../testing/eventually.ts'
import { type Packet, readPacket } from '../../trace/blocks.ts'
import { type HttpSinkOptions, httpSink } from './http-sink.ts'
import type { SendingSink } from './sending-sink.ts'
import { type Behaviour, json, TestCollector } from './test-collector.ts'
import { packetOf } from './test-packets.ts'

/** A packet of so many calls. */
const packet = (calls = 1): Packet => packetOf({ callsMs: Array<number>(calls - 1).fill(1) })

function assertExact({ counts }: SendingSink): void {
  const { taken, written, rejected, dropped, buffered, reasons } = counts
  assert.equal(taken, written + rejected + dropped + buffered, JSON.stringify(counts))
  assert.equal(
    dropped,
    Object.values(reasons).reduce((sum, calls) => sum + calls, 0),
  )
}

function sinkTo(
  t: TestContext,
  url: string,
  options: Partial<HttpSinkOptions> = {},
): { readonly sink: SendingSink; readonly told: string[] } {
  const told: string[] = []
  const sink = httpSink({
    ...{ url, batchMs: 5, flushMs: 200, onProblem: (message) => told.push(message) },
    ...options,
  })
  t.after(() => sink.close())
  return { sink, told }
}

describe('httpSink', () => {
  it('sends what it is given in batches that say who sends', async (t) => {
    const collector = await TestCollector.open(t)
    const { sink, told } = sinkTo(t, collector.url, { name: 'shop', token: 'clew_a_b' })
    const packets = [packet(3), packet(), packet(5)]
    for (const each of packets) sink.takePacket(each)
    assertExact(sink)
    assert.equal(sink.counts.buffered, 9)
    await sink.flush()
    assert.deepEqual(
      { ...sink.counts, reasons: 0 },
      {
        ...{ taken: 9, written: 9, rejected: 0, dropped: 0, buffered: 0, reasons: 0 },
      },
    )
    assert.equal(collector.came.length, 1)
    const [{ batch, request }] = collector.came as [(typeof collector.came)[0]]
    assert.deepEqual(
      batch.packets.map((bytes) => readPacket(bytes)!.traceId),
      packets.map(({ traceId }) => traceId),
    )
    assert.equal(batch.taken, 9)
    assert.equal(batch.sender.name, 'shop')
    assert.equal(batch.sender.pid, process.pid)
    assert.equal(request.url, '/v1/batches')
    assert.equal(request.headers.authorization, 'Bearer clew_a_b')
    assert.deepEqual(told, [])
  })

  it('sends a batch when it is large, or when it has waited', async (t) => {
    const collector = await TestCollector.open(t)
    const { sink } = sinkTo(t, collector.url, { batchBytes: 2_000, batchMs: 60_000 })
    for (let index = 0; index < 100; index++) sink.takePacket(packet())
    await eventually(() => assert.ok(collector.came.length > 3))
    for (const { batch } of collector.came) {
      assert.ok(batch.packets.reduce((sum, { length }) => sum + length, 0) <= 2_000)
    }
    const { sink: patient } = sinkTo(t, collector.url)
    patient.takePacket(packet(2))
    await eventually(() => assert.equal(patient.counts.written, 2))
  })

  it('takes traces that were read already, and keeps what stands before its route', async (t) => {
    const collector = await TestCollector.open(t)
    const { sink } = sinkTo(t, `${collector.url}/clew/`, { gzip: true })
    const entry = { host: 'h', service: 's', method: 'm', id: 'aa', trace: 'ff'.repeat(16) }
    const entries = [{ ...entry, kind: 'rpc-request' as const, timeMs: 1 }]
    sink.take({ id: entry.trace, entries, folds: [], missing: [], relays: [], complete: true })
    await sink.flush()
    assert.equal(collector.came[0]!.request.url, '/clew/v1/batches')
    const read = readPacket(collector.came[0]!.batch.packets[0]!)!
    assert.match(new TextDecoder().decode(read.lines), /"rpc-request":/)
    assert.equal(read.lineCalls, 1)
    assert.equal(sink.counts.written, 1)
  })

  it('sends a batch again, the same one, until somebody takes it', async (t) => {
    const collector = await TestCollector.open(t)
    const { sink, told } = sinkTo(t, collector.url, { timeoutMs: 100, flushMs: 20_000 })
    collector.next(...FAILURES)
    sink.takePacket(packet(4))
    await sink.flush()
    assert.equal(collector.came.length, FAILURES.length + 1)
    assert.equal(new Set(collector.came.map(({ batch }) => batch.id)).size, 1)
    assert.equal(collector.calls, 4)
    assert.equal(sink.counts.written, 4)
    assert.equal(told.length, 1, 'a run of failures is told once')
    assert.match(told[0]!, /takes nothing: .*No call is affected/)
  })

  it('finds a collector that comes, or comes back, by itself', async (t) => {
    const first = await TestCollector.open(t)
    const { port } = first
    const { sink, told } = sinkTo(t, first.url)
    sink.takePacket(packet())
    await eventually(() => assert.equal(sink.counts.written, 1))
    await first.close()
    sink.takePacket(packet(2))
    await eventually(() => assert.equal(told.length, 1))
    assertExact(sink)
    const second = await TestCollector.open(t, port)
    await eventually(() => assert.equal(sink.counts.written, 3), 10_000)
    assert.equal(second.calls, 2)
  })

  it('says nothing of a connection that was closed because it was idle', async (t) => {
    const collector = await TestCollector.open(t)
    const { sink, told } = sinkTo(t, collector.url)
    for (const _ of [1, 2, 3]) {
      sink.takePacket(packet())
      await sink.flush()
      collector.next((response) => response.destroy())
    }
    assert.equal(sink.counts.written, 3)
    assert.deepEqual(told, [])
  })

  it('drops what is refused, with the reason, and tells it once', async (t) => {
    const collector = await TestCollector.open(t)
    collector.usually = (response) =>
      json(response, 401, { error: { code: 'bad_token', message: 'expired\u001b[31m' } })
    const { sink, told } = sinkTo(t, collector.url)
    for (let round = 1; round <= 3; round++) {
      sink.takePacket(packet(2))
      await eventually(() => assert.equal(sink.counts.reasons.refused, round * 2))
    }
    assertExact(sink)
    assert.equal(told.length, 1)
    assert.match(told[0]!, /answered 401 bad_token: expired \[31m/)
    assert.equal(collector.came.length, 3, 'what is refused is not sent again')
  })

  it('makes batches smaller for those who take less', async (t) => {
    const collector = await TestCollector.open(t)
    collector.usually = (response, batch) => {
      if (batch.packets.length <= 2) collector.takes(response, batch)
      else json(response, 413, {})
    }
    const { sink } = sinkTo(t, collector.url)
    for (let index = 0; index < 9; index++) sink.takePacket(packet(2))
    await sink.flush()
    assert.equal(collector.calls, 18)
    assert.deepEqual([sink.counts.written, sink.counts.dropped], [18, 0])
    collector.usually = (response) => json(response, 413, {})
    sink.takePacket(packet(3))
    await eventually(() => assert.equal(sink.counts.reasons.too_large, 3))
    assertExact(sink)
  })

  it('keeps as much as it may, the newest, and tells the collector what it dropped', async (t) => {
    const collector = await TestCollector.open(t)
    collector.usually = (response) => json(response, 503, {}, { 'retry-after': '0' })
    const { sink } = sinkTo(t, collector.url, { maxBufferBytes: 20_000, batchBytes: 4_000 })
    const packets = Array.from({ length: 2_000 }, () => packet())
    for (const [index, each] of packets.entries()) {
      sink.takePacket(each)
      if (index % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
      assertExact(sink)
    }
    const { dropped } = sink.counts
    assert.ok(dropped > 1_000, `${dropped} of 2000 calls dropped`)
    assert.equal(sink.counts.reasons.buffer_full, dropped)
    collector.usually = (response, batch) => collector.takes(response, batch)
    await eventually(() => assert.equal(sink.counts.buffered, 0), 10_000)
    assert.equal(collector.calls + dropped, 2_000)
    const last = collector.came.at(-1)!.batch
    assert.deepEqual({ ...last.dropped }, { buffer_full: dropped })
    assert.equal(last.taken, 2_000)
    const kept = [...collector.kept.values()].flatMap(({ packets: bytes }) => bytes)
    assert.equal(readPacket(kept.at(-1)!)!.traceId, packets.at(-1)!.traceId, 'the newest is kept')
  })

  it('counts what came to nothing when it is closed', async (t) => {
    const collector = await TestCollector.open(t)
    collector.usually = () => {}
    const { sink } = sinkTo(t, collector.url, { flushMs: 50 })
    sink.takePacket(packet(7))
    await sink.close()
    sink.takePacket(packet(2))
    assertExact(sink)
    assert.deepEqual([sink.counts.buffered, sink.counts.reasons.closed], [0, 9])
  })

  it('counts calls that the collector could not read', async (t) => {
    const collector = await TestCollector.open(t)
    collector.next((response) => json(response, 200, { stored: 1, rejected: { unreadable: 3 } }))
    const { sink } = sinkTo(t, collector.url)
    sink.takePacket(packet(4))
    await sink.flush()
    assert.deepEqual([sink.counts.written, sink.counts.rejected], [1, 3])
    assertExact(sink)
  })

  it('is exact whatever a server does', async (t) => {
    const behaviour = fc.constantFrom(...FAILURES, REFUSES, ...Array(6).fill(undefined))
    await fc.assert(
      fc.asyncProperty(
        fc.array(behaviour, { maxLength: 6 }),
        fc.array(fc.nat(6)),
        async (script, sizes) => {
          const collector = await TestCollector.open(t)
          const takes: Behaviour = (response, batch) => collector.takes(response, batch)
          collector.next(...script.map((each) => each ?? takes))
          const { sink } = sinkTo(t, collector.url, {
            batchBytes: 1_024,
            timeoutMs: 50,
            flushMs: 20_000,
          })
          for (const size of sizes) {
            sink.takePacket(packet(1 + size * 4))
            assertExact(sink)
          }
          await sink.close()
          assertExact(sink)
          const { taken, written, dropped, buffered } = sink.counts
          assert.deepEqual([buffered, collector.calls, written + dropped], [0, written, taken])
          await collector.close()
        },
      ),
      { numRuns: process.env.CLEW_NIGHTLY === '1' ? 500 : 15 },
    )
  })

  it('keeps no process alive', async (t) => {
    const collector = await TestCollector.open(t)
    collector.usually = () => {}
    const script = `
      const { httpSink } = await import(${moduleAt('./http-sink.js')})
      const sink = httpSink({ url: ${JSON.stringify(collector.url)}, batchMs: 1 })
      sink.take({ id: '', entries: [], folds: [], missing: [], relays: [], complete: true })
      sink.takePacket({ traceId: 'ab', pieces: [], lines: new Uint8Array(3), lineCalls: 3, ended: true })
      setTimeout(() => console.log(sink.counts.buffered), 300)`
    const run = promisify(execFile)
    const arguments_ = ['--input-type=module', '--eval', script]
    const { stdout } = await run(process.execPath, arguments_, { timeout: 9_000 })
    assert.equal(stdout.trim(), '3')
    assert.equal(collector.came.length, 1)
  })

  it('holds no more memory than it says, whatever else the process does', async () => {
    const script = `
      const { httpSink } = await import(${moduleAt('./http-sink.js')})
      const { packetOf } = await import(${moduleAt('./test-packets.js')})
      const sink = httpSink({ url: 'http://127.0.0.1:1', maxBufferBytes: 1e6, onProblem() {} })
      for (let n = 0; n < 20_000; n++) {
        sink.takePacket(packetOf())
        // Blocks of calls that begin no trace here, gone as soon as they are sent.
        for (let other = 0; other < 30; other++) packetOf()
        if (n % 1_000 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
      }
      gc()
      console.log(process.memoryUsage().arrayBuffers, sink.counts.reasons.buffer_full)`
    const flags = ['--expose-gc', '--input-type=module', '--eval', script]
    const { stdout } = await promisify(execFile)(process.execPath, flags, { timeout: 30_000 })
    const [bytes, dropped] = stdout.trim().split(' ').map(Number) as [number, number]
    assert.ok(dropped > 5_000, `${dropped} dropped`)
    assert.ok(bytes < 4e6, `${bytes} bytes held for a buffer of 1000000`)
  })

  it('refuses addresses that are none, and tokens that could be read', () => {
    for (const url of ['collector:7117', '', 'ftp://collector', 'http://name:secret@collector']) {
      assert.throws(
        () => httpSink({ url }),
        (error: Error) => {
          assert.match(error.message, /httpSink: /)
          assert.doesNotMatch(error.message, /secret/)
          return true
        },
      )
    }
    const token = 'clew_a_b'
    assert.throws(() => httpSink({ url: 'http://collector:7117', token }), /readable by everybody/)
    assert.throws(() => httpSink({ url: 'http://127.0.0.1:1', token: 'a\r\nb' }), /token must be/)
    for (const url of ['https://collector', 'http://localhost:1', 'http://[::1]:1']) {
      httpSink({ url, token })
    }
    httpSink({ url: 'http://collector:7117', token, insecure: true })
    assert.throws(() => httpSink({ url: 'http://a', batchBytes: 1 }), /batchBytes must be/)
  })
})

const moduleAt = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)

/** All the ways in which a batch may not be taken this time. */
const FAILURES: readonly Behaviour[] = [
  (response) => json(response, 503, { error: { code: 'store_full' } }, { 'retry-after': '0' }),
  (response) => json(response, 429, {}),
  (response) => json(response, 500, {}),
  // Hangs.
  () => {},
  // Trickles.
  (response) => {
    response.writeHead(200)
    const timer = setInterval(() => response.write(' '), 10)
    response.on('close', () => clearInterval(timer))
  },
  // No collector.
  (response) => response.end('<html>'),
  (response) => json(response, 200, { stored: 'many' }),
  (response) => response.end('x'.repeat(200_000)),
  // Closes in the middle of its answer, and before it.
  (response) => {
    response.writeHead(200, { 'content-length': 100 })
    response.write('{"stored":')
    setImmediate(() => response.destroy())
  },
  (response) => response.destroy(),
]

const REFUSES: Behaviour = (response) => json(response, 400, {})
