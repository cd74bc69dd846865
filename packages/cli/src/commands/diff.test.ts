import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Entry, encodeTrace } from 'clew/trace'
import { fileIn, runClew, withDirectory } from '../run-clew.test.ts'

const T = 1_795_386_521_000

/** A request to the gateway, whose order asks its database. */
function order(number: number, dbMs: number, failed = false): string {
  const id = number.toString(16).padStart(32, '0')
  const status = failed ? ({ status: 'error', error: 'Down' } as const) : {}
  const at = (name: string, kind: Entry['kind'], ms: number, more: Partial<Entry>): Entry =>
    ({ host: 'h', pid: 1, id: name, trace: id, kind, timeMs: T + ms, ...more }) as Entry
  const root = { service: 'gateway', method: 'GET /orders', parent: null }
  const call = { service: 'orders', method: 'get_order', parent: 'r' }
  const query = { service: 'orders.db', method: 'SELECT', parent: 'c', edge: 'down' } as const
  const wobble = (number * 7) % 5
  const end = 20 + wobble + dbMs
  const entries = [
    at('r', 'rpc-receive', 0, root),
    at('c', 'rpc-request', 5, call),
    at('c', 'rpc-receive', 6, call),
    at('q', 'rpc-request', 10 + wobble, query),
    at('q', 'rpc-finish', 10 + wobble + dbMs, { ...query, ...status }),
    at('c', 'rpc-respond', end - 6, { ...call, ...status }),
    at('c', 'rpc-finish', end - 5, { ...call, ...status }),
    at('r', 'rpc-respond', end, { ...root, ...status }),
  ]
  return encodeTrace({ id, entries, folds: [], missing: [], relays: [], complete: true })
}

const orders = (count: number, dbMs: (index: number) => number, from = 1) =>
  Array.from({ length: count }, (_, index) => order(from + index, dbMs(index))).join('')

test('two populations: the first line answers, and JSON has what explains it', () =>
  withDirectory(async (directory) => {
    const before = await fileIn(
      directory,
      'before.jsonl',
      orders(80, (n) => 40 + (n % 9)),
    )
    const after = await fileIn(
      directory,
      'after.jsonl',
      orders(80, (n) => 80 + (n % 9), 500),
    )
    const { code, stdout, stderr } = await runClew(['diff', before, after])
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(
      stdout,
      /^after is 40\.0 ms \(\d+ %\) slower at the median; \S+(?: %)? of it in orders\.get_order → orders\.db SELECT\.\n/,
    )
    assert.match(stdout, /\nSUSPECTS .*\n {2}orders\.db SELECT /)
    const told = JSON.parse((await runClew(['diff', before, after, '--json'])).stdout)
    assert.deepEqual([told.schema, told.version, told.certain], [1, 1, true])
    assert.equal(told.suspects[0].service, 'orders.db')
    assert.deepEqual(told.explains[0].path.at(-1), 'orders.db SELECT')
    assert.ok(told.explains[0].share > 0.9)
    const ascii = await runClew(['diff', before, after, '--ascii'])
    assert.match(ascii.stdout, /^[\x20-\x7e\n]+$/)
  }))

test('no difference is an answer, and so is what slow requests have in common', () =>
  withDirectory(async (directory) => {
    const one = await fileIn(
      directory,
      'a.jsonl',
      orders(60, (n) => 40 + (n % 9)),
    )
    const other = await fileIn(
      directory,
      'b.jsonl',
      orders(60, (n) => 40 + ((n + 3) % 9), 500),
    )
    const same = await runClew(['diff', one, other])
    assert.match(same.stdout, /^There is no difference between before and after that could not/)
    const file = await fileIn(
      directory,
      'c.jsonl',
      orders(200, (n) => (n % 12 === 0 ? 300 : 40)),
    )
    const { stdout } = await runClew(['diff', file, '--slow', 'p90'])
    assert.match(stdout, /^slow is .* slower .*orders\.db SELECT/)
  }))

test('two traces are compared call by call', () =>
  withDirectory(async (directory) => {
    const before = await fileIn(directory, 'a.jsonl', order(1, 40))
    const after = await fileIn(directory, 'b.jsonl', order(1, 90, true))
    const { stdout } = await runClew(['diff', before, after])
    assert.match(
      stdout,
      /^after took 50\.0 ms \(\d+ %\) longer; 50\.0 ms of it in .*orders\.db SELECT\./,
    )
    assert.match(stdout, /orders\.db SELECT ended with error in after, with ok in before/)
    const told = JSON.parse((await runClew(['diff', before, after, '--json'])).stdout)
    assert.deepEqual([told.compared, told.deltaMs, told.added], ['traces', 50, 0])
  }))

test('a wrong command line is told, as JSON too', async () => {
  const { code, stdout, stderr } = await runClew(['diff', 'a.jsonl', '--json'])
  assert.equal(code, 2)
  assert.match(stderr, /two files or directories are compared; got 1/)
  assert.equal(JSON.parse(stdout).error.code, 'usage')
  const { stderr: percentile } = await runClew(['diff', 'a.jsonl', '--slow', 'often'])
  assert.match(percentile, /"often" is no percentile; write p95/)
})
