import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { memory } from 'clew'
import { assertWellFormed } from './charts/well-formed.ts'
import { writeDocuments } from './harness/outcome.ts'
import type { Launch, Plan } from './overhead/measure.ts'
import { readOptions } from './overhead/options.ts'
import { makeParticipant, type Participant } from './overhead/participants.ts'
import type { OverheadResults } from './overhead/results.ts'
import { outcomeOf, runOverhead } from './overhead/suite.ts'
import { SYSTEMS } from './overhead/systems.ts'

const PLAN: Plan = {
  systems: SYSTEMS.map(({ key }) => key),
  concurrencies: [1, 100],
  delivery: 'fast',
  workers: 100,
  rounds: 2,
  seconds: 60,
  windowMs: 10,
  warmUpMs: 5,
  watchMs: 1,
}

/** Everything in this process, over one broker in memory. */
function inMemory(change: (participant: Participant) => Participant = (same) => same): Launch {
  const broker = memory()
  return (role) => {
    const participant = makeParticipant(role, broker)
    return { ask: change(participant), stop: () => participant.stop() }
  }
}

function run(launch: Launch, plan = PLAN): Promise<OverheadResults> {
  let brokerUs = 0
  const clock = async () => {
    brokerUs += 100
    return brokerUs
  }
  const broker = { name: 'memory', version: undefined } as const
  return runOverhead(plan, broker, { launch, clock, say: () => {} })
}

describe('overhead', () => {
  it('measures every system under every load, and holds it against off', async () => {
    const results = await run(inMemory())
    assert.equal(results.rounds, 2)
    assert.deepEqual(
      results.systems.map(({ key }) => key),
      PLAN.systems,
    )
    for (const { key, loads } of results.systems) {
      assert.deepEqual(
        loads.map(({ concurrency }) => concurrency),
        PLAN.concurrencies,
      )
      for (const { perS, p50Us, cpuUs, brokerUs, against } of loads) {
        for (const figure of [perS, p50Us, cpuUs, brokerUs]) assert.ok((figure ?? 0) > 0, key)
        assert.equal(against === undefined, key === 'off')
        if (against === undefined) continue
        for (const bounds of Object.values(against)) {
          const { low, median, high } = bounds!
          assert.ok(low > 0 && low <= median && median <= high, key)
        }
      }
    }
    const { ratios } = results
    for (const ratio of Object.values(ratios)) assert.ok(ratio > 0 && Number.isFinite(ratio))
    const traced = results.systems.find(({ key }) => key === 'traced')!.loads
    assert.equal(ratios.sequentialP50, traced[0]?.against?.p50.median)
    assert.equal(ratios.throughput100, traced[1]?.against?.throughput.median)
    assert.equal(ratios.cpuPerCall, traced[1]?.against?.cpu.median)
  })

  it('writes a section and a picture, and leaves the rest of the page alone', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'clew-overhead-'))
    try {
      const page = join(folder, 'benchmarks.md')
      await writeFile(page, 'before\n<!-- overhead:begin -->\n<!-- overhead:end -->\nafter\n')
      const [picture = ''] = await writeDocuments(outcomeOf(await run(inMemory())), folder)
      const svg = await readFile(picture, 'utf8')
      assertWellFormed(svg)
      // Of both loads: throughput, p50 and processor time.
      assert.equal(svg.match(/class="label middle traced"/gu)?.length, 6)
      assert.match(svg, /The axes go from \d\.\d\d to \d+\.\d\d/u)
      const text = await readFile(page, 'utf8')
      assert.match(
        text,
        /^before\n<!-- overhead:begin -->\nRun on [\s\S]*<!-- overhead:end -->\nafter\n$/u,
      )
      assert.match(text, /\| every call by `traced` \| 100 \| \d+\.\d{3} \(/u)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('measures nothing where a call does not go as it should', async () => {
    const lacking = inMemory((participant) => ({
      start: () => participant.start(),
      processorUs: () => participant.processorUs(),
      check: async () => 'no trace came home',
      load: (load) => participant.load(load),
      stop: () => participant.stop(),
    }))
    await assert.rejects(run(lacking), /off cannot be measured: no trace came home/u)
  })

  it('says which option is wrong', () => {
    assert.throws(() => readOptions(['--rounds', '0']), /--rounds takes a whole number/u)
    assert.throws(() => readOptions(['--concurrency', '1,x']), /--concurrency takes .*"x"/u)
    assert.throws(() => readOptions(['--delivery', 'slow']), /--delivery takes fast or nameko/u)
    assert.equal(readOptions([]).write, true)
    assert.equal(readOptions(['--quick']).write, false)
    assert.equal(readOptions(['--json']).write, false)
    assert.equal(readOptions(['--json', '--write']).write, true)
    assert.deepEqual(readOptions(['--concurrency', '100,1,100']).plan.concurrencies, [1, 100])
  })
})
