import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Entry, encodeTrace } from 'clew/trace'
import { fileIn, runClew, startClew, withDirectory } from '../run-clew.test.ts'

const T = 1_795_386_521_000

/** An order of 20 ms that begins then. */
function order(number: number, atMs: number): string {
  const id = number.toString(16).padStart(32, '0')
  const own = {
    host: 'h',
    pid: 1,
    service: 'orders',
    method: 'create',
    id: 'c',
    trace: id,
    parent: null,
  }
  const entries: readonly Entry[] = [
    { ...own, kind: 'rpc-receive', timeMs: T + atMs, inFlight: 1 },
    { ...own, kind: 'rpc-respond', timeMs: T + atMs + 20 },
  ]
  return encodeTrace({ id, entries, folds: [], missing: [], relays: [], complete: true })
}

const orders = Array.from({ length: 300 }, (_, number) => order(number + 1, number * 33)).join('')

test('files alone tell the bottleneck: as text, JSON and picture', () =>
  withDirectory(async (directory) => {
    const file = await fileIn(directory, 'orders.jsonl', orders)
    const picture = join(directory, 'load.svg')
    const { code, stdout, stderr } = await runClew(['load', '--from', file, '--picture', picture])
    assert.deepEqual([code, stderr], [0, `${picture} has the picture\n`])
    assert.match(stdout, /^At 30\/s 100 % of the time is spent in the code of orders\./)
    assert.match(stdout, /No limit can be told/)
    const json = await runClew(['load', '--json', '--from', '-'], { stdin: orders })
    const { schema, version, requests, bands } = JSON.parse(json.stdout)
    assert.deepEqual([schema, version, requests, bands.length], [1, 1, 300, 1])
    assert.deepEqual(bands[0].bottleneck.service, 'orders')
  }))

async function withServer(listener: RequestListener, body: (url: string) => Promise<void>) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    await body(`http://127.0.0.1:${(server.address() as { readonly port: number }).port}/orders`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

test('a route is asked as often as the plan says, with body and headers, and counted by status', () => {
  let asked = 0
  const listener: RequestListener = (request, response) => {
    assert.equal(request.method, 'POST')
    assert.equal(request.headers['x-shop'], 'one')
    response.statusCode = ++asked % 4 === 0 ? 503 : 200
    request.resume().on('end', () => response.end('{}'))
  }
  return withServer(listener, async (url) => {
    const { code, stdout } = await runClew([
      ...['load', url, '--rate', '100', '--for', '1s', '--arrivals', 'even', '--json'],
      ...['--body', '{}', '--header', 'x-shop: one'],
    ])
    const { sent, requests, bands } = JSON.parse(stdout)
    assert.deepEqual([code, asked, sent.asked, requests, sent.failed], [0, 100, 100, 100, 25])
    const told = sent.outcomes.map(({ outcome, count }: Record<string, unknown>) => [
      outcome,
      count,
    ])
    assert.deepEqual(told, [
      ['HTTP 200', 75],
      ['HTTP 503', 25],
    ])
    assert.ok(Math.abs(bands[0].failed - 0.25) < 0.05)
  })
})

test('where every request fails, and no tree comes home, that is what is said', () =>
  withServer(
    (_, response) => void Object.assign(response, { statusCode: 404 }).end('?'),
    async (url) => {
      const told = await runClew(['load', url, '--rate', '30', '--for', '1s', '--ascii'])
      assert.equal(told.code, 1)
      assert.match(told.stdout, /Every request failed/)
      assert.doesNotMatch(told.stdout, /SERVICES/)
      assert.match(told.stderr, /note: no response brought its call tree: .*--traces FILE/)
    },
  ))

test('Ctrl-C ends the load and what was sent is told', () =>
  withServer(
    (_, response) => void response.end('ok'),
    async (url) => {
      const command = startClew(['load', url, '--rate', '50', '--for', '1m', '--json'])
      await command.says('s of 60 s')
      command.kill('SIGINT')
      const { code, stdout } = await command.ended
      const { sent, requests } = JSON.parse(stdout)
      assert.equal(code, 130)
      assert.deepEqual([sent.end, sent.answered, requests], ['stopped', sent.asked, sent.asked])
      assert.ok(requests > 50)
    },
  ))

test('it stops when nothing is answered, and never asks another machine unasked', async () => {
  const closed = await runClew(['load', 'http://127.0.0.1:1/', '--rate', '200', '--json'])
  const { sent, notes } = JSON.parse(closed.stdout)
  assert.deepEqual([closed.code, sent.end], [1, 'failures'])
  assert.match(notes[0], /one request after the other failed/)
  for (const target of ['http://shop.example/', 'orders.create']) {
    const broker = ['--broker', 'amqp://shop.example']
    const { code, stdout, stderr } = await runClew(['load', target, ...broker, '--json'])
    assert.deepEqual([code, JSON.parse(stdout).error.code], [2, 'usage'])
    assert.match(stderr, /shop\.example, which is not this machine[\s\S]*--yes/)
  }
})

test('what cannot be a plan or a file is refused', async () => {
  for (const [args, code] of [
    [['load'], 2],
    [['load', 'orders.create', '--rate', '5000'], 2],
    [['load', 'orders.create', '--steps', '1..2/1', '--rate', '5'], 2],
    [['load', 'orders'], 2],
    [['load', '--from', '/nowhere.jsonl'], 3],
  ] as const) {
    const { code: exit, stdout } = await runClew([...args, '--json'])
    assert.equal(exit, code, args.join(' '))
    assert.equal(typeof JSON.parse(stdout).error.message, 'string')
  }
})
