import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Entry, encodeTrace } from 'clew/trace'
import { fileIn, runClew, withDirectory } from '../run-clew.test.ts'
import { wellTrace } from '../sample-traces.test.ts'

const T = 1_795_386_521_000

/** A request of 100 ms to the gateway, of which an order takes 60 and its database 40. */
function order(number: number, parts: readonly ('gateway' | 'orders')[]): string {
  const id = number.toString(16).padStart(32, '0')
  const place = (name: string, at: Partial<Entry>) => ({
    host: 'h',
    pid: 1,
    id: name,
    trace: id,
    ...at,
  })
  const root = { service: 'gateway', method: 'POST /orders', parent: null }
  const call = { service: 'orders', method: 'create', parent: 'r' }
  const query = { service: 'orders.db', method: 'INSERT', parent: 'c', edge: 'down' } as const
  const entries = {
    gateway: [
      place('r', { kind: 'rpc-receive', timeMs: T, ...root }),
      place('c', { kind: 'rpc-request', timeMs: T + 10, ...call }),
      place('c', { kind: 'rpc-finish', timeMs: T + 70, ...call }),
      place('r', { kind: 'rpc-respond', timeMs: T + 100, ...root }),
    ],
    orders: [
      place('c', { kind: 'rpc-receive', timeMs: T + 12, ...call }),
      place('q', { kind: 'rpc-request', timeMs: T + 20, ...query }),
      place('q', { kind: 'rpc-finish', timeMs: T + 60, ...query }),
      place('c', { kind: 'rpc-respond', timeMs: T + 68, ...call }),
    ],
  }
  const lists = { folds: [], missing: [], relays: [], complete: true }
  return encodeTrace({ id, entries: parts.flatMap((part) => entries[part]) as Entry[], ...lists })
}

const whole = (number: number) => order(number, ['gateway', 'orders'])

const ORDERS = [
  ['orders', 'db', 40],
  ['gateway', 'self', 40],
  ['orders', 'self', 16],
  ['orders', 'queue', 4],
].map(([service, layer, ms]) => ({
  request: 'gateway POST /orders',
  ...{ service, layer, p50Ms: ms, p99Ms: ms, share: (ms as number) / 100 },
}))

test('the breakdown is a table, and a JSON value of its schema', () =>
  withDirectory(async (directory) => {
    const file = await fileIn(directory, 'orders.jsonl', whole(1) + whole(2))
    const { code, stdout, stderr } = await runClew(['breakdown', file])
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(stdout, /^gateway POST \/orders takes 100 ms in the median: 40 % in /)
    assert.match(stdout, /\n {2}orders {3}self {4}16\.0 ms {3}16\.0 ms {5}16 % {2}█+/)
    const json = await runClew(['breakdown', '-', '--json'], { stdin: whole(1) + whole(2) })
    const { version, breakdown } = JSON.parse(json.stdout)
    assert.equal(version, 1)
    const byName = (a: { layer?: unknown }, b: { layer?: unknown }) =>
      JSON.stringify(a) < JSON.stringify(b) ? -1 : 1
    assert.deepEqual(breakdown.sort(byName), ORDERS.toSorted(byName))
  }))

test('what several processes wrote of a request is joined', () =>
  withDirectory(async (directory) => {
    const gateway = await fileIn(
      directory,
      'g.jsonl',
      order(1, ['gateway']) + order(2, ['gateway']),
    )
    const orders = await fileIn(directory, 'o.jsonl', order(2, ['orders']) + order(1, ['orders']))
    const { stdout } = await runClew(['breakdown', orders, gateway, '--json'])
    assert.equal(JSON.parse(stdout).breakdown.length, 4)
    const alone = await runClew(['breakdown', gateway, '--json'])
    assert.deepEqual(
      JSON.parse(alone.stdout).breakdown.map(({ layer }: { layer: string }) => layer),
      ['rpc', 'self'],
    )
  }))

test('the picture is drawn as its name asks for', () =>
  withDirectory(async (directory) => {
    const file = await fileIn(directory, 'orders.jsonl', whole(1) + wellTrace())
    for (const kind of ['svg', 'png']) {
      const out = join(directory, `b.${kind}`)
      const { code, stderr } = await runClew(['breakdown', file, '-o', out])
      assert.equal(code, 0)
      assert.match(stderr, /has the breakdown of 2 request types/)
      const bytes = await readFile(out)
      assert.ok(kind === 'png' ? bytes.length > 10_000 : /POST \/orders/.test(bytes.toString()))
    }
  }))

test('what cannot be read, drawn or broken down is told', () =>
  withDirectory(async (directory) => {
    const file = await fileIn(directory, 'orders.jsonl', whole(1))
    const empty = await fileIn(directory, 'empty.jsonl', '')
    const damaged = await fileIn(directory, 'damaged.jsonl', `{"no":"entry"}\n${whole(1)}`)
    const rootless = await fileIn(directory, 'o.jsonl', order(1, ['orders']))
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [[], 2, /FILE is missing/],
      [[join(directory, 'none')], 3, /there is no file/],
      [[directory], 0, /warning: .*empty\.jsonl: no traces, passed over/],
      [[empty], 7, /empty\.jsonl is empty/],
      [[empty, empty], 7, /nothing in 2 files could be read as a trace\n.*why: .*is empty/],
      [[empty, file], 0, /warning: .*empty\.jsonl is empty/],
      [[damaged], 0, /warning: line 1 has no /],
      [[rootless], 7, /no request whose time could be broken down\n.*why: the trace has no root/],
      [[rootless, await fileIn(directory, 'other', whole(2))], 0, /note: 1 trace has no root call/],
      [['-', '-'], 2, /stdin can be read once/],
      [[file, '-o', join(directory, 'x.gif')], 2, /neither in \.png nor in \.svg/],
      [[file, '-o', join(directory, 'no', 'x.svg')], 1, /its directory does not exist/],
    ]
    for (const [args, exit, words] of cases) {
      const { code, stderr, stdout } = await runClew(['breakdown', ...args])
      assert.equal(code, exit, `${args}: ${stderr}`)
      assert.match(stderr, words)
      if (exit !== 0 && !args.includes('-o')) assert.equal(stdout, '')
    }
    const json = await runClew(['breakdown', empty, '--json'])
    assert.equal(JSON.parse(json.stdout).error.code, 'empty_file')
  }))
