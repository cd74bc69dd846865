import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { madePackets } from '@clew/collector/testing'
import { encodeOtlpProtobuf, encodeZipkin } from 'clew/formats'
import { Assembly, encodeBatch, readPacket } from 'clew/trace/blocks'
import { assertWellFormed } from './charts/well-formed.ts'
import { writeDocuments } from './harness/outcome.ts'
import { type Cell, cellKey, cellsOf, KINDS } from './peers/kinds.ts'
import type { MeasuredCell, Plan, Sample } from './peers/measure.ts'
import { readOptions } from './peers/options.ts'
import { ratiosOf } from './peers/ratios.ts'
import type { PeerResults } from './peers/results.ts'
import type { RunningPeer } from './peers/running-peer.ts'
import { countIn } from './peers/sink-count.ts'
import { prepareStart, type Start } from './peers/start.ts'
import { outcomeOf, resultsOf, runPeers } from './peers/suite.ts'

const url = process.env.CLEW_AMQP_URL
const skip = url === undefined && 'needs RabbitMQ: set CLEW_AMQP_URL, or run `npm test`'
const PEERS = fileURLToPath(new URL('../peers/', import.meta.url))

function planOf(cells: readonly Cell[]): Plan {
  const windowsMs = { 1: 20, 100: 50, 500: 20 }
  const times = { windowsMs, warmUpMs: 20, arrivalMs: 5000, watchMs: 1 }
  return { cells, rounds: 2, seconds: 60, ...times }
}

function cell(key: string): Cell {
  return cellsOf(['amqplib', 'nestjs', 'moleculer', 'nameko'], 'both').find(
    (one) => cellKey(one) === key,
  )!
}

describe('the peers', () => {
  it('are called over RabbitMQ, each with the right answer and all of its traces', {
    skip,
  }, async () => {
    const fast = ['clew-fast', 'clew-fast-traced', 'amqplib-fast']
    const cells = [...fast, 'clew-confirmed', 'amqplib-confirmed'].map(cell)
    const start = await prepareStart(cells, url!, () => {})
    const options = { url: url!, brokerVersion: undefined, start, say: () => {} }
    const results = await runPeers(planOf(cells), options)
    assert.equal(results.rounds, 2)
    assert.equal(results.peers.length, 5)
    for (const { key, skipped, measured, tracer, arrived } of results.peers) {
      assert.equal(skipped, null, key)
      const { sequentialP50Us, perS, cpuUsPerCall } = measured!
      for (const { median } of [sequentialP50Us, perS[1], perS[100], perS[500], cpuUsPerCall]) {
        assert.ok(median > 0 && Number.isFinite(median), key)
      }
      const traces = tracer === null ? null : { unit: 'traces', perCall: 1, expectedPerCall: 1 }
      assert.deepEqual(arrived, traces, key)
    }
    const { clew, tracing } = results.ratios
    assert.deepEqual(Object.keys(clew.fast), ['amqplib-fast'])
    assert.deepEqual(Object.keys(clew.confirmed), ['amqplib-confirmed'])
    assert.deepEqual(Object.keys(tracing), ['clew-fast'])
  })

  it('are left out, and it is said why, when they fail; the others go on', async () => {
    const stopped: string[] = []
    const answer = async (name: string) => `Hello, ${name}!`
    const figures = { calls: 10, perS: 100, p50Us: 1, p95Us: 1, p99Us: 1 }
    const behaviours: Record<string, Partial<RunningPeer>> = {
      'amqplib-fast': { hello: async () => 'Hello!' },
      'amqplib-direct': { load: () => Promise.reject(new Error('out of gold')) },
    }
    const start: Start = async (one) => {
      const key = cellKey(one)
      if (key === 'amqplib-confirmed') throw new Error('there is none here')
      const processorUs = async () => performance.now()
      const [load, flush] = [async () => figures, async () => {}]
      const stop = async () => void stopped.push(key)
      return { hello: answer, load, processorUs, flush, stop, ...behaviours[key] }
    }
    const cells = cellsOf(['amqplib'], 'off')
    const said: string[] = []
    const results = await runPeers(planOf(cells), {
      url: 'amqp://localhost:9',
      brokerVersion: undefined,
      start,
      say: (line) => said.push(line),
    })
    const skipped = results.peers.map(({ key, skipped: why, measured }) => {
      assert.equal(measured === null, why !== null)
      return [key, why]
    })
    assert.deepEqual(Object.fromEntries(skipped), {
      'clew-fast': null,
      'amqplib-fast': 'it answered "Hello!"',
      'amqplib-direct': 'out of gold',
      'clew-confirmed': null,
      'amqplib-confirmed': 'there is none here',
    })
    assert.ok(said.some((line) => line === 'amqplib-direct is left out: out of gold'))
    assert.equal(stopped.length, 4)
    assert.equal(results.peers[0]!.measured!.brokerCpuUsPerCall, null)
  })

  it('that say they trace are left out when traces do not arrive', { skip }, async () => {
    const traced = cell('clew-fast-traced')
    const cells = [cell('clew-fast'), traced]
    const prepared = await prepareStart(cells, url!, () => {})
    const start: Start = (one, sink) => prepared(one, one === traced ? `${sink}/lost` : sink)
    const options = { url: url!, brokerVersion: undefined, start, say: () => {} }
    const { peers } = await runPeers({ ...planOf(cells), arrivalMs: 100 }, options)
    assert.equal(peers[0]!.skipped, null)
    assert.match(peers[1]!.skipped!, /0 of 50 traces arrived/)
  })

  it('pin every package, in locks that name no host', async () => {
    const folders = ['amqplib', 'nestjs', 'moleculer']
    const used = KINDS.flatMap(({ packages, tracer }) => [packages, tracer?.packages])
    assert.deepEqual([...new Set(used)].filter(Boolean).sort(), folders.toSorted())
    for (const folder of folders) {
      const read = async (file: string) => readFile(join(PEERS, folder, file), 'utf8')
      const { dependencies } = JSON.parse(await read('package.json'))
      const lock = await read('package-lock.json')
      assert.doesNotMatch(lock, /"resolved": "https?:/, folder)
      const { packages } = JSON.parse(lock)
      for (const [name, version] of Object.entries(dependencies)) {
        assert.match(String(version), /^\d+\.\d+\.\d+$/, `${folder}: ${name}`)
        assert.equal(packages[`node_modules/${name}`].version, version, `${folder}: ${name}`)
      }
    }
    // Untraced, amqplib is the one that tests have.
    const own = JSON.parse(await readFile(join(PEERS, '../package.json'), 'utf8'))
    const traced = JSON.parse(await readFile(join(PEERS, 'amqplib/package.json'), 'utf8'))
    assert.equal(own.devDependencies.amqplib, traced.dependencies.amqplib)
  })
})

describe('what arrives at the sink', () => {
  it('is counted in every form that is sent', () => {
    const packets = [...madePackets(3)]
    const traces = packets.map(({ bytes }) => {
      const { traceId, root } = readPacket(bytes)!
      const assembly = new Assembly(traceId)
      assembly.addRoot(root!.record, root!, root!.block)
      return assembly.finish()
    })
    const calls = packets.reduce((sum, packet) => sum + packet.calls, 0)
    const otlp = Buffer.concat([...encodeOtlpProtobuf(traces)])
    assert.equal(countIn('v1/traces', otlp).count, 2 * calls)
    assert.throws(() => countIn('v1/traces', otlp.subarray(0, otlp.length - 1)))
    const zipkin = Buffer.from([...encodeZipkin(traces)].join(''))
    assert.equal(countIn('api/v2/spans', zipkin).count, 2 * calls)
    const batch = encodeBatch({
      id: '0'.repeat(32),
      sender: { name: 'test', host: 'here', pid: 1, instance: '0'.repeat(16) },
      taken: calls,
      dropped: {},
      packets: packets.map(({ bytes }) => bytes),
    })
    const { count, answer } = countIn('v1/batches', Buffer.from(batch))
    assert.equal(count, 3)
    assert.deepEqual(JSON.parse(answer), { stored: 3 })
    assert.throws(() => countIn('elsewhere', otlp), /nothing is taken at elsewhere/)
  })
})

function measured(key: string, figures: readonly (readonly [number, number])[]): MeasuredCell {
  const samples = figures.map(([perS, cpuUs]): Sample => {
    return {
      sequentialP50Us: 500,
      perS: { 1: 1000, 100: perS, 500: 2 * perS },
      cpuUs,
      brokerCpuUs: 100,
    }
  })
  const one = cell(key)
  const arrivedPerCall = one.tracer === undefined ? undefined : 0.5
  return { cell: one, skipped: undefined, samples, arrivedPerCall }
}

describe('the results', () => {
  const cells: readonly MeasuredCell[] = [
    measured('clew-fast', [
      [1000, 50],
      [3000, 60],
      [2000, 40],
    ]),
    measured('clew-fast-traced', [
      [900, 60],
      [1500, 60],
      [1000, 60],
    ]),
    measured('amqplib-fast', [
      [500, 100],
      [1000, 100],
      [4000, 100],
    ]),
    measured('amqplib-fast-traced', [
      [300, 120],
      [500, 120],
      [100, 120],
    ]),
    {
      cell: cell('nameko-confirmed'),
      skipped: 'needs Python',
      samples: [],
      arrivedPerCall: undefined,
    },
  ]

  it('hold Clew against each peer in the same round', () => {
    const { clew, tracing } = ratiosOf(cells)
    const { untraced, traced } = clew.fast['amqplib-fast']!
    // 2, 3 and a half; 0.5, 0.6 and 0.4; with the broker's 150, 160 and 140 of 200.
    assert.equal(untraced!.throughput100.median, 2)
    assert.equal(untraced!.cpuPerCall.median, 0.5)
    assert.equal(untraced!.cpuPerCallWithBroker!.median, 0.75)
    assert.ok(untraced!.throughput100.low >= 0.5 && untraced!.throughput100.high <= 3)
    assert.equal(traced!.throughput100.median, 3)
    assert.equal(tracing['clew-fast']!.throughput100.median, 0.5)
    assert.equal(tracing['amqplib-fast']!.cpuPerCall.median, 1.2)
    assert.deepEqual(clew.confirmed, {})
  })

  it('become a table and a picture on the page', async () => {
    const machine = { processor: 'some', cores: 2, memoryGb: 4, system: 'Linux' }
    const results: PeerResults = resultsOf(cells, {
      startedAt: '2026-11-26T00:00:00.000Z',
      seconds: 60,
      machine: { ...machine, node: 'v24.0.0', clew: '0.1.0' },
      broker: { name: 'rabbitmq', version: '3.10.8' },
      rounds: 3,
      windows: { 1: 3, 100: 12, 500: 3 },
      otherWork: { before: 0, after: 0.01 },
      versions: { amqplib: { amqplib: '2.3.1' } },
    })
    const folder = await mkdtemp(join(tmpdir(), 'clew-bench-'))
    await writeFile(
      join(folder, 'benchmarks.md'),
      '# Ours\n\n<!-- peers:begin -->\n<!-- peers:end -->\n',
    )
    await writeDocuments(outcomeOf(results), folder)
    const page = await readFile(join(folder, 'benchmarks.md'), 'utf8')
    assert.match(page, /^# Ours/)
    assert.match(
      page,
      /\| amqplib by hand \| {2}\| 500 \| 1,000 \| 1,000 \| 2,000 \| 100 \| 100 \|/,
    )
    assert.match(page, /\| OpenTelemetry \|.*\| 0\.50 of 4 spans \|/)
    assert.match(page, /\| amqplib by hand \| `fast` \| 2\.00 \(.*\) \| 0\.50 \(/)
    assert.match(page, /Nameko 2\.14 was left out: needs Python\./)
    const [picture] = await readdir(join(folder, 'figures'))
    assert.ok(page.includes(`(figures/${picture})`))
    const svg = await readFile(join(folder, 'figures', picture!), 'utf8')
    assertWellFormed(svg)
    assert.doesNotMatch(svg, /NaN|undefined|Infinity/)
    for (const label of ['Clew, fast', 'amqplib by hand', 'traced by OpenTelemetry']) {
      assert.ok(svg.includes(`>${label}<`))
    }
    await rm(folder, { recursive: true })
  })
})

describe('the command', () => {
  it('writes the documents only in its full form, or when told to', () => {
    const write = (...parameters: string[]) => readOptions(parameters).write
    assert.equal(write(), true)
    assert.equal(write('--json'), false)
    assert.equal(write('--quick'), false)
    assert.equal(write('--peers', 'amqplib'), false)
    assert.equal(write('--window', '3'), false)
    assert.equal(write('--quick', '--write'), true)
  })

  it('measures whom it is told, Clew always', () => {
    const keys = (...parameters: string[]) => readOptions(parameters).plan.cells.map(cellKey)
    assert.ok(keys().includes('nestjs-fast-traced') && keys().includes('nameko-confirmed'))
    assert.equal(new Set(keys()).size, keys().length)
    const [clew, moleculer] = [keys('--peers', 'moleculer'), keys('--tracing', 'off')]
    assert.ok(clew.every((key) => /^(clew|moleculer)-/.test(key)) && clew.includes('clew-fast'))
    assert.ok(moleculer.every((key) => !key.endsWith('-traced')))
  })

  it('says which option is wrong', () => {
    assert.throws(() => readOptions(['--peers', 'amqplib,other']), /--peers .* "other"/)
    assert.throws(() => readOptions(['--tracing', 'on']), /--tracing .* "on"/)
    assert.throws(() => readOptions(['--window', '0']), /--window .* "0"/)
    assert.throws(() => readOptions(['--window', '']), /--window .* ""/)
    assert.throws(() => readOptions(['--rounds', '1.5']), /--rounds .* "1.5"/)
    assert.throws(() => readOptions(['--nothing']), /--nothing/)
    assert.deepEqual(readOptions(['--window', '2']).plan.windowsMs, { 1: 500, 100: 2000, 500: 500 })
  })

  it('prints one JSON value on stdout, measured over RabbitMQ', { skip }, async () => {
    const program = fileURLToPath(new URL('./peers.js', import.meta.url))
    const short = ['--tracing', 'off', '--rounds', '1', '--window', '0.05']
    const parameters = ['--json', '--peers', 'amqplib', ...short]
    const { stdout } = await promisify(execFile)(process.execPath, [program, ...parameters])
    const results = JSON.parse(stdout) as PeerResults
    assert.equal(results.suite, 'peers')
    assert.equal(results.schema, 1)
    assert.match(results.broker.version!, /^\d+\.\d+/)
    assert.ok(results.peers.every(({ skipped }) => skipped === null))
  })
})
