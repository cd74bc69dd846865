import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Entry, encodeTrace } from 'clew/trace'
import { fileIn, runClew, withDirectory } from '../run-clew.test.ts'
import { FAILED, failedTrace, wellTrace } from '../sample-traces.test.ts'

const T = 1_795_386_521_000

/** A search that asks five shards at once, of which the last takes long. */
export function searchTrace(
  number: number,
  names: readonly [string, string] = ['shard', 'fetch'],
): string {
  const trace = number.toString(16).padStart(32, '0')
  const root = { service: 'search', method: 'find', id: 'r', parent: null, host: 'web-1', pid: 1 }
  const entries: Entry[] = [{ kind: 'rpc-receive', timeMs: T, trace, ...root }]
  for (const [index, ms] of [10, 11, 12, 10, 300].entries()) {
    const call = { service: names[0], method: names[1], id: `c${index}`, parent: 'r', trace }
    const at = (kind: Entry['kind'], timeMs: number, host: string): Entry => {
      return { kind, timeMs: T + timeMs, host, pid: index, ...call }
    }
    entries.push(at('rpc-request', 1, 'web-1'), at('rpc-receive', 1.5, `vm-${index}`))
    entries.push(at('rpc-respond', 0.5 + ms, `vm-${index}`), at('rpc-finish', 1 + ms, 'web-1'))
  }
  entries.push({ kind: 'rpc-respond', timeMs: T + 302, trace, ...root })
  const lists = { folds: [], missing: [], relays: [], complete: true }
  return encodeTrace({ id: trace, entries, ...lists })
}

test('one trace: what failed first, who passed it on, and where the time went', () =>
  withDirectory(async (directory) => {
    const file = await fileIn(directory, 'failed.jsonl', failedTrace())
    const { code, stdout, stderr } = await runClew(['analyze', file])
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(
      stdout,
      /\nVERDICT\n {2}bank\.authorize on app-1 failed with BankUnavailable after/,
    )
    assert.match(
      stdout,
      /\nWHO FAILED FIRST .*\n {2}bank\.authorize .* root failed\n {4}passed on by checkout\.pay\n/,
    )
    assert.match(stdout, /\nWHERE THE TIME WENT .*\n {2}bank\.authorize +app-1 +24\.0 ms +80 %/)
    const json = JSON.parse((await runClew(['analyze', file, '--json'])).stdout)
    assert.deepEqual([json.schema, json.version, json.kind], [1, 1, 'trace'])
    const [failure] = json.failures
    assert.deepEqual(
      [failure.service, failure.method, failure.kind, failure.error, failure.masked],
      ['bank', 'authorize', 'error', 'BankUnavailable', false],
    )
    assert.equal(failure.passedOn[0].service, 'checkout')
    assert.deepEqual([json.verdict.unclear, json.bottlenecks[0].ms], [false, 22])
  }))

test('many traces: origins by requests, the time by share, stragglers by instance', () =>
  withDirectory(async (directory) => {
    const text = failedTrace() + wellTrace() + searchTrace(1) + searchTrace(2)
    const file = await fileIn(directory, 'many.jsonl', text)
    const { stdout, code } = await runClew(['analyze', file])
    assert.equal(code, 0)
    assert.match(stdout, /^4 requests {2}16 calls · 1 failed \(25 %\)/)
    assert.match(stdout, /1 of 1 failed request began in bank\.authorize with BankUnavailable;/)
    assert.match(stdout, /\nREQUESTS .*\n {2}search\.find +2 /)
    assert.match(stdout, /\nSTRAGGLERS .*\n {2}shard\.fetch +vm-4:4 +2 +288 ms +the method itself/)
    assert.match(stdout, /clew analyze \S+ c0ffee00 /)
    const json = JSON.parse((await runClew(['analyze', '-', '--json'], { stdin: text })).stdout)
    assert.deepEqual([json.kind, json.traces, json.failed], ['population', 4, 1])
    assert.deepEqual(json.failures[0].examples, [FAILED])
    assert.equal(json.bottlenecks[0].service, 'shard')
    const one = JSON.parse(
      (await runClew(['analyze', file, '--trace', 'c0ffee00', '--json'])).stdout,
    )
    assert.deepEqual([one.kind, one.trace.id], ['trace', FAILED])
  }))

test('stragglers are listed one by one of a trace, and by instance of many', () =>
  withDirectory(async (directory) => {
    const one = await fileIn(directory, 'one.jsonl', searchTrace(1))
    const { stdout } = await runClew(['stragglers', one])
    assert.match(stdout, /^One straggler {2}1 trace\n/)
    assert.match(
      stdout,
      /shard\.fetch +vm-4:4 +300 ms +11\.0 ms +27× +5 +288 ms +the method itself\n$/,
    )
    const json = JSON.parse((await runClew(['stragglers', one, '--json'])).stdout)
    assert.deepEqual(
      json.stragglers.map(({ id, leg, medianMs }: Record<string, unknown>) => [id, leg, medianMs]),
      [['c4', 'self', 11]],
    )
    const two = await fileIn(directory, 'two.jsonl', searchTrace(1) + searchTrace(2))
    assert.match((await runClew(['stragglers', two])).stdout, /^2 stragglers on 1 instance/)
    const many = JSON.parse((await runClew(['stragglers', two, '--json'])).stdout)
    assert.deepEqual([many.traces, many.instances[0].stragglers], [2, 2])
    const none = await fileIn(directory, 'none.jsonl', wellTrace())
    assert.equal((await runClew(['stragglers', none])).stdout, 'No straggler  1 trace\n')
  }))

/** A request to one of three replicas, of which the last takes longer; one takes much longer than ever. */
function replicaTrace(number: number): string {
  const trace = (number + 1).toString(16).padStart(32, '0')
  const pid = number % 3
  const ms = (pid === 2 ? 14 : 9) + (number % 5) / 5 + (number === 80 ? 400 : 0)
  const root = { service: 'gateway', method: 'get', id: 'r', parent: null, host: 'web-1', pid: 9 }
  const call = { service: 'orders', method: 'get', id: 'c', parent: 'r' }
  const at = (kind: Entry['kind'], timeMs: number, more: object): Entry => {
    return { ...({ kind, timeMs: T + number * 1000 + timeMs, trace, ...more } as Entry) }
  }
  const [caller, callee] = [
    { ...call, host: 'web-1', pid: 9 },
    { ...call, host: 'vm-1', pid },
  ]
  const entries = [
    ...[at('rpc-receive', 0, root), at('rpc-request', 1, caller), at('rpc-receive', 1.5, callee)],
    ...[
      at('rpc-respond', 1.5 + ms, callee),
      at('rpc-finish', 2 + ms, caller),
      at('rpc-respond', 3 + ms, root),
    ],
  ]
  const lists = { folds: [], missing: [], relays: [], complete: true }
  return encodeTrace({ id: trace, entries, ...lists })
}

test('of many traces instances are held against their replicas, and single calls against what is usual', () =>
  withDirectory(async (directory) => {
    const text = Array.from({ length: 90 }, (_, number) => replicaTrace(number)).join('')
    const file = await fileIn(directory, 'replicas.jsonl', text)
    const { stdout } = await runClew(['stragglers', file])
    assert.match(
      stdout,
      /\nSLOW INSTANCES .*\n {2}orders\.get +vm-1:2 +1\d\.\d ms +\S+ ms +1\.\d× .*the method itself\n/,
    )
    assert.match(stdout, /\nSTRAGGLERS .*\n {2}orders\.get +vm-1:2 +1 +40\d ms +the method itself/)
    const json = JSON.parse((await runClew(['analyze', file, '--json'])).stdout)
    assert.deepEqual(
      json.slowInstances.map(({ service, instance, leg }: Record<string, unknown>) => [
        service,
        instance,
        leg,
      ]),
      [['orders', 'vm-1:2', 'self']],
    )
  }))

test('names of others can neither steer the terminal nor widen the page', () =>
  withDirectory(async (directory) => {
    const names = ['\x1b[2J\u202e訂單'.repeat(30), '</script>'.repeat(40)] as const
    const file = await fileIn(directory, 'odd.jsonl', searchTrace(1, names) + searchTrace(2, names))
    const asked = [
      ['analyze'],
      ['analyze', '--trace', '1'],
      ['stragglers'],
      ['stragglers', '--trace', '1'],
    ]
    for (const args of asked) {
      for (const ascii of [[], ['--ascii']]) {
        const { code, stdout } = await runClew([...args, file, ...ascii])
        assert.equal(code, 0, stdout)
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
        assert.doesNotMatch(stdout, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/)
        if (ascii.length > 0) assert.match(stdout, /^[\x20-\x7e\n]*$/)
        for (const line of stdout.split('\n')) {
          if (!line.includes('clew ')) assert.ok(line.length <= 110, line)
        }
      }
    }
  }))

test('what cannot be analysed is told', () =>
  withDirectory(async (directory) => {
    const file = await fileIn(directory, 'two.jsonl', wellTrace() + failedTrace())
    const empty = await fileIn(directory, 'empty.jsonl', '')
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [['analyze'], 2, /FILE is missing/],
      [['stragglers'], 2, /FILE is missing/],
      [['analyze', empty], 7, /empty\.jsonl is empty/],
      [['analyze', file, '--trace', 'bad0bad0bad0'], 3, /has no trace|there is no trace/],
      [['analyze', file, '--trace', '9'], 3, /has no trace|there is no trace/],
      [['analyze', file, '--trace', '4bf92f35'], 2, /traces have 4bf92f35 in their id/],
    ]
    for (const [args, exit, words] of cases) {
      const { code, stderr, stdout } = await runClew(args)
      assert.deepEqual([code, stdout], [exit, ''], `${args}: ${stderr}`)
      assert.match(stderr, words)
    }
    const { stdout } = await runClew(['analyze', empty, '--json'])
    assert.equal(JSON.parse(stdout).error.code, 'empty_file')
  }))

test('pauses of a process are told with the calls that they fell into, and that this is inferred', () =>
  withDirectory(async (directory) => {
    const host = { host: 'vm-4', pid: 4 }
    const pause = {
      pause: 'event-loop',
      ...host,
      from: T + 20,
      ms: 200,
      trace: '1'.padStart(32, '0'),
    }
    const file = await fileIn(directory, 'p.jsonl', `${searchTrace(1)}${JSON.stringify(pause)}\n`)
    const { code, stdout } = await runClew(['analyze', file])
    assert.equal(code, 0)
    assert.match(stdout, /200 ms of it the event loop of the process of shard on vm-4 stood still/)
    assert.match(
      stdout,
      /\nPAUSES \(INFERRED\) .*\n {2}vm-4:4 +event loop stood still .* shard\.fetch\n/,
    )
    const json = JSON.parse((await runClew(['analyze', file, '--json'])).stdout)
    const [told] = json.pauses
    assert.deepEqual(
      [told.kind, told.inferred, told.criticalMs, told.overlapped],
      ['event-loop', true, 200, 1],
    )
    assert.equal(told.calls[0].method, 'fetch')
  }))
