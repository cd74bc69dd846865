import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { readBaseline, writeBaseline } from './baseline.ts'
import { advice, compare, isFailure, told } from './compare.ts'
import { readOptions } from './options.ts'
import { measureWire } from './wire.ts'

const kinds = (accepted: Record<string, number>, measured: Record<string, number>) =>
  compare(accepted, measured).map(({ name, kind }) => `${name} ${kind}`)

test('a tenth more or less is as accepted, beyond is not', () => {
  const accepted = { over: 100, under: 100, top: 100, bottom: 100, same: 0 }
  const measured = { over: 110.5, under: 89.5, top: 110, bottom: 90, same: 0 }
  assert.deepEqual(kinds(accepted, measured), ['over more', 'under less'])
  assert.deepEqual(kinds({ none: 0 }, { none: 1 }), ['none more'])
})

test('figures that only one side has are differences', () => {
  assert.deepEqual(kinds({ gone: 5, same: 1 }, { same: 1, added: 2 }), [
    'gone missing',
    'added new',
  ])
})

test('only what got less does not fail', () => {
  const failing = compare({ a: 100, b: 100, c: 1 }, { a: 120, b: 80, d: 1 }).filter(isFailure)
  assert.deepEqual(
    failing.map(({ name }) => name),
    ['a', 'c', 'd'],
  )
})

test('people are told which figure, by how much, and what to do', () => {
  const worse = compare({ 'bytes of it': 2_000 }, { 'bytes of it': 2_500 })
  assert.match(told(worse), /MORE +bytes of it: 2,500, accepted 2,000: 25 % more/)
  assert.match(advice(worse), /fails.*npm run bench:guard -- --accept/)
  const better = compare({ frames: 8 }, { frames: 6 })
  assert.match(told(better), /less +frames: 6, accepted 8: 25 % less/)
  assert.match(advice(better), /Nothing is worse.*--accept/)
  assert.match(told([]), /as accepted/)
  assert.equal(advice([]), '')
})

test('what is accepted is what is compared with next time', async (context) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'clew-guard-'))
  context.after(() => rm(folder, { recursive: true }))
  const file = path.join(folder, 'baseline.json')
  assert.deepEqual((await readBaseline(file)).figures, {})
  await writeBaseline(file, { bytes: 1234.4, frames: 6.125 })
  const { node, figures } = await readBaseline(file)
  assert.deepEqual([node, figures], [process.version, { bytes: 1234, frames: 6.13 }])
  await writeFile(file, '{"schema":1,"node":"v24.0.0","figures":{"bytes":"many"}}')
  await assert.rejects(readBaseline(file), /no baseline of this version/)
})

test('options', () => {
  assert.deepEqual({ ...readOptions(['--json']) }, { accept: false, json: true })
  assert.throws(() => readOptions(['--acept']), /--acept/)
})

const url = process.env.CLEW_AMQP_URL
const skip = url === undefined && 'needs RabbitMQ: set CLEW_AMQP_URL, or run `npm test`'

test('a call is two messages at either side, and tracing adds bytes only', { skip }, async () => {
  const untraced = await measureWire(url ?? '', { delivery: 'fast', traced: false })
  const traced = await measureWire(url ?? '', { delivery: 'fast', traced: true })
  for (const side of ['client', 'service'] as const) {
    assert.equal(untraced[side].messages, 2)
    assert.equal(traced[side].messages, 2)
    // A method, a header and a body for each message, and what acknowledges them.
    assert.ok(untraced[side].frames >= 6)
    assert.equal(traced[side].frames, untraced[side].frames)
    assert.ok(traced[side].bytes > untraced[side].bytes)
  }
})
