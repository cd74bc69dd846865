import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Entry, encodeTrace } from 'clew/trace'
import { encodeBatch, encodePacket } from 'clew/trace/blocks'
import { type Ended, type RunningClew, runClew, startClew } from '../run-clew.test.ts'

let running: RunningClew
let url: string
let now: number

const id = (number: number, digits: number) => number.toString(16).padStart(digits, '0')

/** A request of a shop whose payments fail now and then, and whose stock is slow. */
function packetOf(number: number, version: string): Uint8Array {
  const trace = `${id(number + 0xabc0000, 16)}${id(number * 7919, 16)}`
  const failed = number % 4 === 0
  const start = now - 600_000 + number * 1_000
  const status = failed ? ({ status: 'error', error: 'CardDeclined' } as const) : {}
  const call = (service: string, method: string, at: number, ms: number, parent: string | null) => {
    const own = id(number * 16 + at, 16)
    const same = { host: `${service}-1`, pid: 7, service, method, id: own, trace }
    const ends = service === 'stock' ? {} : status
    const entries: Entry[] = [
      { kind: 'rpc-request', timeMs: start + at, parent, ...same },
      { kind: 'rpc-receive', timeMs: start + at + 1, inFlight: 2, version, ...same },
      {
        kind: 'rpc-respond',
        timeMs: start + at + ms - 1,
        calls: at === 0 ? 2 : 0,
        ...ends,
        ...same,
      },
      { kind: 'rpc-finish', timeMs: start + at + ms, ...ends, ...same },
    ]
    return { own, entries }
  }
  const root = call('gateway', 'checkout', 0, 100, null)
  const [request, receive, ...rest] = root.entries
  const entries = [
    ...[request!, receive!],
    ...call('stock', 'reserve', 2, version === 'v2' ? 90 : 60, root.own).entries,
    ...call('payments', 'charge', 93, 5, root.own).entries,
    ...rest,
  ]
  const lines = encodeTrace({
    ...{ id: trace, entries, folds: [], missing: [], relays: [], complete: true },
  })
  return encodePacket({
    ...{ traceId: trace, pieces: [], ended: true, lineCalls: 3 },
    lines: new TextEncoder().encode(lines),
  })
}

async function send(packets: readonly Uint8Array[]): Promise<void> {
  const sender = { name: 'shop', host: 'vm-1', pid: 7, instance: 'ab'.repeat(8) }
  const batch = { id: crypto.randomUUID().replaceAll('-', ''), sender, taken: 0, dropped: {} }
  const body = encodeBatch({ ...batch, packets })
  const answer = await fetch(`${url}/v1/batches`, { method: 'POST', body: body.slice() })
  assert.equal(answer.status, 200)
}

const ask = (...args: readonly string[]): Promise<Ended> =>
  runClew([...args], { env: { CLEW_COLLECTOR: url } })

before(async () => {
  running = startClew(['collect', '--memory', '--port', '0'])
  await running.says('is it well?')
  url = /http:\/\/127\.0\.0\.1:\d+/u.exec(running.said())![0]
  now = Date.now()
  const packets = Array.from({ length: 80 }, (_, at) => packetOf(at + 1, at < 40 ? 'v1' : 'v2'))
  await send(packets)
  for (let tries = 0; tries < 100; tries++) {
    const found = JSON.parse((await ask('find', '--json', '--limit', '100')).stdout)
    if (found.traces.length === 80) break
  }
})

after(async () => {
  running.kill('SIGTERM')
  await running.ended
})

test('which service failed: find and analyze say so', async () => {
  const found = await ask('find', 'failed:true', '--limit', '3')
  assert.equal(found.code, 0, found.stderr)
  assert.match(found.stdout, /gateway\.checkout +100 ms +3 +payments\.charge +CardDeclined/u)
  const json = JSON.parse((await ask('find', 'failed:true', '--json')).stdout)
  assert.equal(json.traces.length, 20)
  assert.equal(json.traces[0].failed.service, 'payments')
  const { stdout } = await ask('analyze')
  assert.match(stdout, /20 of 20 failed requests began in payments\.charge with CardDeclined/u)
  const top = await ask('top', '--over', '1h', '--sort', 'failures')
  assert.match(top.stdout, /100 % of all failures begin in payments/u)
  assert.match(top.stdout, /Answers wait most for stock/u)
})

test('where the bottleneck is: by every analysis that reads files', async () => {
  const commands: readonly (readonly [readonly string[], RegExp])[] = [
    [['breakdown'], /gateway\.checkout/u],
    [['critical-path'], /stock\.reserve/u],
    [['stragglers'], /straggler/iu],
    [['map', '--collector', url], /stock/u],
    [['docs'], /## .*stock/su],
    [['diff', '--collector', url, 'version:v1', 'version:v2'], /stock\.reserve/u],
    [['diff', '--collector', url, '--slow', 'p50'], /slow/u],
    [
      ['convert', '--collector', url, 'service:stock', '--to', 'jaeger', '--limit', '2'],
      /"traceID"/u,
    ],
    [['analyze', '--collector', url, 'type:gateway.*', '--limit', '10'], /10 requests/u],
  ]
  for (const [args, words] of commands) {
    const { code, stdout, stderr } = await ask(...args)
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`)
    assert.match(stdout, words, args.join(' '))
  }
  const sampled = await ask('analyze', '--limit', '10')
  assert.match(sampled.stderr, /10 of 80 traces/u)
})

test('a trace is shown by the beginning of its id, and pictured', async () => {
  const json = JSON.parse((await ask('find', '--json', '--limit', '1')).stdout)
  const shown = await ask('show', json.traces[0].id.slice(0, 18))
  assert.match(shown.stdout, /gateway\.checkout/u)
  const missing = await ask('show', 'ffffffff')
  assert.deepEqual([missing.code, /no trace ffffffff/u.test(missing.stderr)], [3, true])
})

test('what comes is told as it comes', async () => {
  const tail = startClew(['tail', 'failed:true', '--limit', '1', '--json', '--collector', url])
  await new Promise((resolve) => setTimeout(resolve, 700))
  await send([packetOf(101, 'v3'), packetOf(104, 'v3')])
  const { code, stdout } = await tail.ended
  assert.equal(code, 0)
  assert.equal(JSON.parse(stdout).failed.service, 'payments')
})

test('what goes wrong is told with what to do', async () => {
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['find', 'servce:a'], 2, /servce:a\n +\^\n.*did you mean service/su],
    [['analyze', '--collector', url, 'service:'], 2, /no value/u],
    [['analyze', '--collector', url, 'service:nobody'], 3, /no trace that matches/u],
    [['find', '--collector', 'http://127.0.0.1:1'], 5, /clew collect/u],
    [['top', '--collector', 'ftp://x'], 2, /no address/u],
    [['find', '--collector', 'http://secret@127.0.0.1:1'], 2, /CLEW_COLLECTOR_TOKEN/u],
    [['analyze', 'some.jsonl', '--since', '1h'], 2, /--since is for what a collector has/u],
    [['find', '--since', 'yesterday'], 2, /no time/u],
  ]
  for (const [args, exit, words] of cases) {
    const { code, stderr } = await ask(...args)
    assert.deepEqual([code, words.test(stderr)], [exit, true], `${args.join(' ')}: ${stderr}`)
    assert.ok(!stderr.includes('secret@'))
  }
  const nothing = await ask('find', 'service:nobody')
  assert.match(nothing.stderr, /gateway/u)
})
