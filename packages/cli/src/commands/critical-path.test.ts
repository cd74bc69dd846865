import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileIn, runClew, withDirectory } from '../run-clew.test.ts'

const T = 1_795_386_521_000

function lines(trace: string, name = 'orders.create'): string {
  const root = { host: 'h', service: 'gateway', method: 'POST', id: 'r', trace, parent: null }
  const call = { host: 'h', service: 'orders', method: name, id: 'c', trace, parent: 'r' }
  const entries = [
    { ...root, 'rpc-receive': T },
    { ...call, 'rpc-request': T + 10 },
    { ...call, 'rpc-receive': T + 10 },
    { ...call, 'rpc-respond': T + 80 },
    { ...call, 'rpc-finish': T + 80 },
    { ...root, 'rpc-respond': T + 100 },
  ]
  return entries.map((entry) => `${JSON.stringify(entry)}\n`).join('')
}

test('credits of one trace and of several, as a table and as JSON', () =>
  withDirectory(async (directory) => {
    const file = await fileIn(directory, 'two.jsonl', lines('a1') + lines('b2'))
    const told = await runClew(['critical-path', file, '--ascii'])
    assert.deepEqual([told.code, told.stderr], [0, ''])
    assert.match(told.stdout, /^2 answers took, in all, 200 ms: 70 % of it orders orders\.create /)
    assert.match(told.stdout, /\n {2}gateway POST {11}60\.0 ms {5}30 % {2}######\n$/)
    const all = JSON.parse((await runClew(['critical-path', file, '--json'])).stdout)
    assert.deepEqual(all, {
      ...{ schema: 1, version: 1, traces: 2, rootMs: 200 },
      credits: [
        { service: 'orders', operation: 'orders.create', ms: 140 },
        { service: 'gateway', operation: 'POST', ms: 60 },
      ],
    })
    for (const which of ['2', 'B2']) {
      const { stdout } = await runClew(['critical-path', file, '--trace', which, '--json'])
      const { traces, rootMs, segments } = JSON.parse(stdout)
      assert.deepEqual([traces, rootMs], [1, 100])
      assert.deepEqual(segments[1], {
        ...{ id: 'c', service: 'orders', operation: 'orders.create' },
        ...{ startMs: 10, endMs: 80 },
      })
    }
  }))

test('a trace that is not there is a fault; names cannot do harm, and lines fit', () =>
  withDirectory(async (directory) => {
    const file = await fileIn(directory, 'one.jsonl', lines('a1', `\u001b[31m${'訂單'.repeat(40)}`))
    const none = await runClew(['critical-path', file, '--trace', '7', '--json'])
    assert.equal(none.code, 3)
    assert.equal(JSON.parse(none.stdout).error.code, 'no_such_trace')
    const { stdout } = await runClew(['critical-path', file])
    assert.ok(!stdout.includes('\u001b'))
    assert.equal((await runClew(['critical-path'])).code, 2)
  }))
