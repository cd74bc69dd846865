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
    assert.match(
      told.stdout,
      /^2 answers took 200 ms in all: 70 % of it went to orders\.orders\.create\.\n/,
    )
    assert.match(told.stdout, /\n {2}gateway POST {10}60\.0 ms {3}30 % {2}####\n/)
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
    assert.equal(JSON.parse(none.stdout).version, 1)
    const twins = await fileIn(directory, 'twins.jsonl', lines('a1') + lines('a2'))
    const both = await runClew(['critical-path', twins, '--trace', 'a', '--json'])
    assert.deepEqual([both.code, JSON.parse(both.stdout).error.code], [2, 'ambiguous_trace'])
    const { stdout } = await runClew(['critical-path', file])
    assert.ok(!stdout.includes('\u001b'))
    assert.equal((await runClew(['critical-path'])).code, 2)
  }))

test('the tree of call paths, and what would be if a part took less', () =>
  withDirectory(async (directory) => {
    const file = await fileIn(directory, 'two.jsonl', lines('a1', 'create') + lines('b2', 'create'))
    const { stdout, stderr } = await runClew(['critical-path', file, '--tree', '--ascii'])
    assert.equal(stderr, '')
    assert.match(
      stdout,
      /^70 % of the time of 2 requests was spent in orders\.create itself and on the way there\.\n/,
    )
    assert.match(stdout, /\n {2}gateway POST .*\n {4}orders\.create +70 % +70 % /)
    const half = ['critical-path', file, '--what-if', 'orders.create=0.5']
    const told = (await runClew(half)).stdout
    assert.match(told, /^orders\.create=0\.5 would save 35\.0 ms \(35 %\) at the median/)
    const json = JSON.parse((await runClew([...half, '--tree', '--json'])).stdout)
    assert.deepEqual([json.whatIf.p50.beforeMs, json.whatIf.p50.afterMs], [100, 65])
    assert.deepEqual([json.traces, json.rootMs, json.tree[1].criticalMs], [2, 200, 140])
    const nobody = await runClew(['critical-path', file, '--what-if', 'nobody=1', '--json'])
    assert.equal(nobody.code, 3)
    assert.equal(JSON.parse(nobody.stdout).error.code, 'no_such_call')
    assert.equal((await runClew(['critical-path', file, '--what-if', 'half'])).code, 2)
    const one = await runClew(['critical-path', file, '1', '--tree', '--json'])
    assert.equal(JSON.parse(one.stdout).traces, 1)
  }))
