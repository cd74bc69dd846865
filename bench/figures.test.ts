import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { memory } from 'clew'
import { assertWellFormed } from './charts/well-formed.ts'
import type { Launch, Plan } from './figures/measure.ts'
import { readOptions } from './figures/options.ts'
import { makeParticipant } from './figures/participants.ts'
import { drawFigures } from './figures/pictures.ts'
import type { FigureResults, Line, Point } from './figures/results.ts'
import type { Shape } from './figures/services.ts'
import { outcomeOf, runFigures } from './figures/suite.ts'
import { SYSTEMS, type SystemKey } from './figures/systems.ts'
import { writeDocuments } from './harness/outcome.ts'

const EVERY_SYSTEM: readonly SystemKey[] = SYSTEMS.map(({ key }) => key)
const SHAPES: readonly Shape[] = ['depth', 'together', 'inSeries']

/** Everything in this process, over one broker in memory. */
function inMemory(): Launch {
  const broker = memory()
  return (role) => {
    const participant = makeParticipant(role, broker)
    return { ask: participant, stop: () => participant.stop() }
  }
}

function planOf(sizes: readonly number[], shapes: readonly Shape[] = SHAPES): Plan {
  const of = (shape: Shape) => (shapes.includes(shape) ? sizes : [])
  return {
    systems: EVERY_SYSTEM,
    sizes: { depth: of('depth'), together: of('together'), inSeries: of('inSeries') },
    delivery: 'nameko',
    rounds: 2,
    seconds: 60,
    effortMs: 1,
    watchMs: 1,
  }
}

function runInMemory(plan: Plan): Promise<FigureResults> {
  return runFigures(plan, { name: 'memory', version: undefined }, inMemory(), () => {})
}

function assertComplete(
  results: FigureResults,
  sizes: readonly number[],
  systems: readonly SystemKey[] = EVERY_SYSTEM,
): void {
  assert.equal(results.suite, 'figures')
  assert.equal(results.schema, 2)
  assert.ok(results.rounds >= 1)
  assert.match(results.machine.node, /^v\d+\./)
  assert.match(results.machine.clew, /^\d+\./)
  for (const shape of SHAPES) {
    assert.deepEqual(
      results.figures[shape].map(({ system }) => system),
      systems,
    )
    for (const { system, points } of results.figures[shape]) {
      assert.deepEqual(
        points.map(({ size }) => size),
        sizes,
      )
      for (const point of points) assertMeasured(point, system, shape)
    }
    const clew = lineOf(results, shape, 'clew').points
    const medians = clew.map(({ size, measured }) => [size, measured!.ratio!.median])
    assert.deepEqual(results.ratios[shape], Object.fromEntries(medians))
  }
}

/** A point exists only where the result was right and the trace whole. */
function assertMeasured(point: Point, system: SystemKey, shape: Shape): void {
  const where = `${system}, ${shape} ${point.size}`
  assert.equal(point.failure, undefined, where)
  assert.equal(point.calls, shape === 'depth' ? point.size : point.size + 1, where)
  const { ms, ratio, processorUs } = point.measured!
  assert.ok(ms.low > 0 && ms.low <= ms.median && ms.median <= ms.high, where)
  assert.ok(processorUs.median >= 0, where)
  assert.equal(ratio === undefined, system === 'off', where)
  if (ratio !== undefined) assert.ok(ratio.median > 0 && Number.isFinite(ratio.median), where)
  const { reply, largestRequest, all } = point.bytes!
  const traced = system !== 'off' && system !== 'control'
  assert.equal(reply > 0, traced, where)
  assert.ok(all >= reply + largestRequest, where)
}

function lineOf(results: FigureResults, shape: Shape, key: SystemKey): Line {
  return results.figures[shape].find(({ system }) => system === key)!
}

function bytesAt(results: FigureResults, key: SystemKey, size: number) {
  return lineOf(results, 'depth', key).points.find((point) => point.size === size)!.bytes!
}

describe('the figures', () => {
  it('measure every system at every size, each with a right result and a whole trace', async () => {
    const results = await runInMemory(planOf([1, 4]))
    assertComplete(results, [1, 4])
    assert.deepEqual(JSON.parse(JSON.stringify(results)).systems, results.systems)
    // Four entries a call for the paper; requests grow only where traces are handed down.
    const paper = bytesAt(results, 'paper', 4)
    assert.ok(paper.reply > 2 * bytesAt(results, 'clew', 4).reply)
    assert.equal(paper.largestRequest, 0)
    assert.ok(bytesAt(results, 'paperFirst', 4).largestRequest > 3 * 2 * 100)
    assert.equal(
      bytesAt(results, 'clew', 4).largestRequest,
      bytesAt(results, 'clew', 1).largestRequest,
    )
  })

  it('show as a gap where a format fails, and say why', async () => {
    const results = await runInMemory({ ...planOf([2, 200], ['depth']), rounds: 1 })
    for (const key of ['paper', 'paperFirst'] as const) {
      const [small, large] = lineOf(results, 'depth', key).points
      assert.equal(small!.failure, undefined)
      // The reply's headers outgrow what the codec sends, 100 KiB, and are dropped on the way.
      assert.match(large!.failure!, /has \d+ of 200 calls; the headers of a reply were dropped/)
      assert.equal(large!.measured, undefined)
    }
    for (const key of ['off', 'clew', 'spilling'] as const) {
      assert.equal(lineOf(results, 'depth', key).points[1]!.failure, undefined, key)
    }
    const [depth] = drawFigures(results)
    assert.match(depth!.svg, />paper’s format<\/text><text [^>]*>ends at 2</)
  })

  it('become pictures and tables', async () => {
    const results = await runInMemory({ ...planOf([1, 3]), rounds: 1 })
    const folder = await mkdtemp(join(tmpdir(), 'clew-bench-'))
    await writeFile(
      join(folder, 'benchmarks.md'),
      '# Ours\n\n<!-- figures:begin -->\n<!-- figures:end -->\n',
    )
    await writeDocuments(outcomeOf(results), folder)
    const page = await readFile(join(folder, 'benchmarks.md'), 'utf8')
    assert.match(page, /^# Ours/)
    for (const file of await readdir(join(folder, 'figures'))) {
      assert.ok(page.includes(`(figures/${file})`), `${file} is on the page`)
      const svg = await readFile(join(folder, 'figures', file), 'utf8')
      assertWellFormed(svg)
      assert.doesNotMatch(svg, /NaN|undefined|Infinity/)
      for (const { title } of SYSTEMS) assert.ok(svg.includes(`>${title}<`), `${title} in ${file}`)
    }
    const rows = page.split('\n').filter((line) => /^\| [13] \|/.test(line))
    assert.equal(
      rows.length,
      2 * 5,
      'two sizes in three tables of times, one of bytes, one of processor time',
    )
    await rm(folder, { recursive: true })
  })

  it('take turns, all systems in each, those of the paper in every third round', async () => {
    const rounds: SystemKey[][] = [[]]
    const launch = inMemory()
    const watched: Launch = (role) => {
      const participant = launch(role)
      const measure = participant.ask.measure.bind(participant.ask)
      participant.ask.measure = (task) => {
        rounds.at(-1)!.push(role.system)
        return measure(task)
      }
      return participant
    }
    const plan = { ...planOf([2], ['depth']), rounds: 3, effortMs: 8 }
    await runFigures(plan, { name: 'memory', version: undefined }, watched, (line) => {
      if (/^(warm-up|round)/.test(line)) rounds.push([])
    })
    assert.equal(rounds[0]!.length, 2 * EVERY_SYSTEM.length, 'two turns of three calls')
    const sparse: readonly SystemKey[] = ['paper', 'paperFirst']
    rounds.slice(0, 4).forEach((asked, round) => {
      const part = EVERY_SYSTEM.filter((key) => round < 2 || !sparse.includes(key)).sort()
      assert.ok(asked.length > 0)
      for (let turn = 0; turn < asked.length; turn += part.length) {
        assert.deepEqual(asked.slice(turn, turn + part.length).sort(), part)
      }
    })
  })

  it('let every process go when something fails', async () => {
    const gone: string[] = []
    const launch = inMemory()
    const failing: Launch = (role) => {
      const { ask, stop } = launch(role)
      const fails = role.system === 'clew' && role.host === 1
      const start = () => (fails ? Promise.reject(new Error('no room')) : ask.start())
      const leaving = async () => {
        gone.push(`${role.system} ${role.host}`)
        await stop()
      }
      return { ask: Object.assign(Object.create(ask), { start }), stop: leaving }
    }
    const broker = { name: 'memory', version: undefined } as const
    await assert.rejects(
      runFigures(planOf([1]), broker, failing, () => {}),
      /no room/,
    )
    assert.equal(gone.length, 3 * SYSTEMS.length)
  })
})

describe('the command', () => {
  it('writes the documents only in its full form, or when told to', () => {
    const write = (...parameters: string[]) => readOptions(parameters).write
    assert.equal(write(), true)
    assert.equal(write('--json'), false)
    assert.equal(write('--quick'), false)
    assert.equal(write('--depths', '1'), false)
    assert.equal(write('--fan-outs', '1'), false)
    assert.equal(write('--systems', 'clew'), false)
    assert.equal(write('--quick', '--write'), true)
  })

  it('says which option is wrong', () => {
    assert.throws(() => readOptions(['--depths', '1,x']), /--depths .* "x"/)
    assert.throws(() => readOptions(['--fan-outs', '0']), /--fan-outs .* "0"/)
    assert.throws(() => readOptions(['--delivery', 'slow']), /--delivery .* "slow"/)
    assert.throws(() => readOptions(['--systems', 'clew,other']), /--systems .* "other"/)
    assert.throws(() => readOptions(['--nothing']), /--nothing/)
  })

  it('measures each figure at sizes of its own, up to those of the paper', () => {
    const { depth, together, inSeries } = readOptions([]).plan.sizes
    assert.deepEqual([depth.at(0), depth.at(-1)], [1, 200])
    assert.deepEqual([together.at(0), together.at(-1)], [1, 500])
    assert.deepEqual(inSeries, together)
    const chosen = readOptions(['--depths', '5,1,5', '--fan-outs', '7']).plan.sizes
    assert.deepEqual(chosen, { depth: [1, 5], together: [7], inSeries: [7] })
  })

  const skip =
    process.env.CLEW_AMQP_URL === undefined &&
    'needs RabbitMQ: set CLEW_AMQP_URL, or run `npm test`'
  it('prints one JSON value on stdout, measured over RabbitMQ', { skip }, async () => {
    const program = fileURLToPath(new URL('./figures.js', import.meta.url))
    const parameters = [
      '--json',
      '--depths',
      '1,3',
      '--fan-outs',
      '1,3',
      '--rounds',
      '1',
      '--systems',
      'clew,paper',
    ]
    const { stdout } = await promisify(execFile)(process.execPath, [program, ...parameters])
    const results = JSON.parse(stdout) as FigureResults
    assertComplete(results, [1, 3], ['off', 'paper', 'clew'])
    assert.match(results.broker.version!, /^\d+\.\d+/)
  })
})
