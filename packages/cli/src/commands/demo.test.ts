import assert from 'node:assert/strict'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileIn, runClew, startClew, withDirectory } from '../run-clew.test.ts'

const FILES = [
  'straggler.trace.jsonl',
  'straggler.png',
  'straggler.svg',
  'failure.trace.jsonl',
  'failure.png',
  'store.trace.jsonl',
  'breakdown.png',
]

async function filesOf(directory: string): Promise<void> {
  for (const name of FILES) {
    assert.ok((await stat(join(directory, name))).size > 1000, name)
  }
  const png = await readFile(join(directory, 'straggler.png'))
  assert.equal(png.subarray(1, 4).toString(), 'PNG')
}

test('the demo names the straggler and the first failure, and writes its files', () =>
  withDirectory(async (directory) => {
    const out = join(directory, 'deep', 'demo')
    const { code, stdout, stderr } = await runClew(['demo', '--once', '--out', out])
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(stdout, /→ shard_07\.search straggled/)
    assert.match(
      stdout,
      /→ bank\.authorize failed first, with BankUnavailable; payments, checkout and gateway only passed it on\.\n/,
    )
    assert.match(stdout, /npx clew show .*straggler\.trace\.jsonl/)
    await filesOf(out)
    const shown = await runClew(['show', join(out, 'straggler.trace.jsonl'), '--json'])
    const { trace } = JSON.parse(shown.stdout)
    assert.deepEqual([trace.callCount, trace.complete], [14, true])
    const leaves = trace.calls.filter(({ depth }: { depth: number }) => depth === 2)
    assert.equal(leaves.length, 10)
  }))

test('demo --once --json prints exactly one JSON value', () =>
  withDirectory(async (directory) => {
    const { code, stdout } = await runClew(['demo', '--once', '--json', '--out', directory])
    assert.equal(code, 0)
    const found = JSON.parse(stdout)
    assert.deepEqual(Object.keys(found), [
      'schema',
      'version',
      'files',
      'straggler',
      'failure',
      'store',
    ])
    assert.deepEqual(
      found.files,
      FILES.map((name) => join(directory, name)),
    )
    const { service, method, totalMs } = found.straggler
    assert.deepEqual([service, method, typeof totalMs], ['shard_07', 'search', 'number'])
    assert.deepEqual(found.failure, {
      service: 'bank',
      method: 'authorize',
      error: 'BankUnavailable',
    })
    const { breakdown } = found.store
    assert.deepEqual(
      new Set(breakdown.map(({ request }: { request: string }) => request)),
      new Set([
        'POST /orders',
        'GET /orders/{order_id}',
        'POST /products',
        'GET /products/{product_id}',
      ]),
    )
    for (const row of breakdown) {
      assert.deepEqual(Object.keys(row), ['request', 'service', 'layer', 'p50Ms', 'p99Ms', 'share'])
    }
    const layers = breakdown
      .filter(({ request }: { request: string }) => request === 'POST /orders')
      .map(({ service, layer }: { service: string; layer: string }) => `${service} ${layer}`)
    for (const part of ['orders db', 'products cache', 'orders queue', 'gateway self']) {
      assert.ok(layers.includes(part), part)
    }
    const shares = breakdown.reduce((sum: number, { share }: { share: number }) => sum + share, 0)
    assert.ok(Math.abs(shares - 4) < 0.001)
    await filesOf(directory)
  }))

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`without --once the demo goes on, and ends well on ${signal}`, () =>
    withDirectory(async (directory) => {
      const clew = startClew(['demo', '--out', directory])
      await clew.says('interrupt to end')
      const page = /the store is open: (\S+)/.exec(clew.said())?.[1]
      assert.match(await (await fetch(page!)).text(), /"id":"the_odyssey"/)
      clew.kill(signal)
      const { code, stdout } = await clew.ended
      assert.equal(code, 0)
      assert.match(stdout, /Try next/)
      await filesOf(directory)
    }))
}

test('where the files cannot go, or no broker is, the demo says so', () =>
  withDirectory(async (directory) => {
    const file = await fileIn(directory, 'file', '')
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [['--out', file], 1, /cannot write .*a file is in its place/],
      [['--out', join(file, 'x')], 1, /a part of its path is a file/],
      [
        ['--broker', 'amqp://127.0.0.1:1', '--out', directory],
        5,
        /cannot be reached.*\n.*clew demo/,
      ],
      [['--broker', 'http://127.0.0.1', '--out', directory], 2, /amqp/],
      [['--delay', 'long', '--out', directory], 2, /--delay: "long" is no whole number/],
      [['extra'], 2, /one argument too many/],
    ]
    for (const [args, exit, says] of cases) {
      const { code, stdout, stderr } = await runClew(['demo', '--once', ...args])
      assert.deepEqual([code, stdout], [exit, ''], args.join(' '))
      assert.match(stderr, says)
    }
    const json = await runClew(['demo', '--once', '--json', '--out', file])
    assert.equal(JSON.parse(json.stdout).error.code, 'unwritable_file')
  }))

const address = process.env.CLEW_AMQP_URL

test(
  'the demo runs over RabbitMQ, under names of its own',
  { skip: address === undefined ? 'CLEW_AMQP_URL names no RabbitMQ' : false },
  () =>
    withDirectory(async (directory) => {
      const args = ['demo', '--once', '--json', '--broker', address!, '--out', directory]
      const { code, stdout } = await runClew(args)
      assert.equal(code, 0)
      const { straggler, failure } = JSON.parse(stdout)
      assert.equal(straggler.service, 'demo_shard_07')
      assert.deepEqual(failure, {
        service: 'demo_bank',
        method: 'authorize',
        error: 'BankUnavailable',
      })
      await filesOf(directory)
    }),
)

test('--real without the addresses of its servers says which, and what starts them', () =>
  withDirectory(async (directory) => {
    const { code, stdout, stderr } = await runClew(
      ['demo', '--once', '--real', '--out', directory],
      {
        env: { CLEW_AMQP_URL: 'amqp://127.0.0.1:1', CLEW_POSTGRES_URL: '' },
      },
    )
    assert.deepEqual([code, stdout], [2, ''])
    assert.match(stderr, /--real needs CLEW_POSTGRES_URL.*npm start -- --real/s)
  }))

const {
  CLEW_RABBITMQ_CONTROL: control,
  CLEW_POSTGRES_URL: database,
  CLEW_REDIS_URL: cache,
} = process.env
const missing = [address, control, database, cache].includes(undefined)

test(
  'the store runs on RabbitMQ, PostgreSQL and Redis',
  { skip: missing && 'needs private servers: run `npm test`' },
  () =>
    withDirectory(async (directory) => {
      // Its services have names that other tests use as well.
      const vhost = `demo-${process.pid}`
      for (const parameters of [
        ['add_vhost', vhost],
        ['set_permissions', '-p', vhost, 'guest', '.*', '.*', '.*'],
      ]) {
        await fetch(`${control}/ctl`, { method: 'POST', body: JSON.stringify(parameters) })
      }
      const url = new URL(address!)
      url.pathname = `/${vhost}`
      const args = ['demo', '--once', '--json', '--real', '--out', directory]
      const { code, stdout, stderr } = await runClew(args, { env: { CLEW_AMQP_URL: url.href } })
      assert.equal(code, 0, stderr)
      const { breakdown } = JSON.parse(stdout).store
      assert.ok(breakdown.some(({ layer }: { layer: string }) => layer === 'db'))
      await filesOf(directory)
    }),
)
