import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { formatReader } from 'clew/formats'
import { callTree } from 'clew/trace'
import { startRemote } from '../harness/remote.ts'
import { FORMATS, writeDocument } from './documents.ts'
import { SHAPES } from './made-calls.ts'
import type { Measuring } from './measuring.ts'
import { readOptions } from './options.ts'
import { runAnalysis } from './suite.ts'
import { reportOf } from './tables.ts'

const MEASURE = new URL('./measure.js', import.meta.url).pathname

test('the same calls come out of every format, whole and of the shape that is asked for', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'clew-bench-'))
  const file = path.join(folder, 'trace')
  for (const shape of SHAPES) {
    for (const format of FORMATS) {
      await writeDocument({ path: file, format, shape, calls: 100, traces: 1 })
      const reader = formatReader(format)
      const traces = [...reader.push(await readFile(file)), ...reader.end()]
      assert.deepEqual(reader.problems, [])
      assert.equal(traces.length, 1)
      const tree = callTree(traces[0]!)
      assert.deepEqual([tree.calls, tree.complete, tree.problems], [100, true, []])
      const most = { deep: 1, wide: 99, mixed: tree.root.calls.length }[shape]
      assert.equal(tree.root.calls.length, most)
    }
  }
  await rm(folder, { recursive: true })
})

test('each step is measured in a process of its own, and reported', async () => {
  const { plan } = readOptions(['--calls', '50', '--formats', 'clew,otlp', '--traces', '20'])
  const start = () => startRemote<Measuring>(MEASURE, [])
  const results = await runAnalysis({ ...plan, rounds: 1 }, start, () => {})
  assert.deepEqual(
    results.traces.map(({ format, shape, failure }) => [format, shape, failure]),
    [
      ['clew', 'deep', undefined],
      ['clew', 'wide', undefined],
      ['clew', 'mixed', undefined],
      ['otlp', 'mixed', undefined],
    ],
  )
  assert.ok(results.traces.every(({ parse, steps }) => parse!.ms > 0 && steps!.credits.ms > 0))
  assert.deepEqual(
    results.populations.map(({ traces, calls }) => [traces, calls]),
    [[20, 160]],
  )
  assert.match(reportOf(results), /\| clew \| wide \| 50 \|/)
})
