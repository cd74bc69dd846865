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

test('tracing adds bytes to what a call moves, and a message only to its event', {
  skip,
}, async () => {
  const untraced = await measureWire(url ?? '', { delivery: 'fast', traced: false })
  const traced = await measureWire(url ?? '', { delivery: 'fast', traced: true })
  const messages = (all: typeof traced) =>
    all.map(({ errand, client, service }) => [errand, client.messages, service.messages])
  // Each call is a request and a reply, here and there; the event comes and goes once at its services' side.
  assert.deepEqual(messages(untraced), [
    ['one call', 2, 2],
    ['a chain of 5', 2, 18],
    ['a call that makes 10', 2, 42],
    ['a call and its event', 2, 4],
  ])
  // What became of the event is told to the client.
  const plain = messages(untraced).slice(0, 3)
  assert.deepEqual(messages(traced), [...plain, ['a call and its event', 3, 5]])
  traced.forEach(({ client, service }, index) => {
    const { client: without, service: withoutToo } = untraced[index]!
    assert.ok(client.bytes > without.bytes)
    assert.ok(service.bytes > withoutToo.bytes)
    // A method, a header and a body for each message, and what acknowledges them.
    assert.ok(client.frames >= 3 * client.messages)
    assert.ok(service.frames > 3 * service.messages)
    if (client.messages === without.messages) assert.equal(service.frames, withoutToo.frames)
  })
})
