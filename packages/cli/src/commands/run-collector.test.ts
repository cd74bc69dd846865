import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { packetHead, type ReadBatch, readBatch } from 'clew/trace/blocks'
import { fileIn, runClew, startClew, withProject } from '../run-clew.test.ts'

const TICKING = `import { timer } from 'clew'
export class Ticking {
  static readonly name = 'cli_run_ticking'
  @timer({ every: '20ms' }) tick(): void {}
}
export class Other {
  static readonly name = 'cli_run_other'
  @timer({ every: '1h' }) tick(): void {}
}`

const address = process.env.CLEW_AMQP_URL
const onRabbitmq = {
  skip: address === undefined && 'needs RabbitMQ: set CLEW_AMQP_URL, or run `npm test`',
}

/** What a process in which something happens all the time sends, and how it was allowed to. */
async function sent(
  flags: (url: string) => readonly string[],
  env: Readonly<Record<string, string>> = {},
  configured = false,
) {
  const batches: ReadBatch[] = []
  const tokens = new Set<string | undefined>()
  const came = Promise.withResolvers<void>()
  const server = createServer(async (request, response) => {
    tokens.add(request.headers.authorization)
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const batch = readBatch(Buffer.concat(parts))!
    batches.push(batch)
    const stored = batch.packets.reduce((sum, packet) => sum + packetHead(packet)!.calls, 0)
    response.end(JSON.stringify({ stored, duplicates: 0, rejected: {} }))
    if (batch.packets.length > 0) came.resolve()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const running = withProject(async (project) => {
    const path = await fileIn(project, 'ticking.ts', TICKING)
    const collector = `COLLECTOR:\n  to: http://127.0.0.1:${port}\n  token: \${TOKEN}\n`
    const keep = '  keep:\n    share: 0.5\n    slowest: 0\n'
    if (configured) await fileIn(project, 'clew.config.yaml', collector + keep)
    const args = ['run', path, '--broker', address!, ...flags(`http://127.0.0.1:${port}`)]
    const clew = startClew(args, { cwd: project, env })
    await clew.says('Ctrl-C lets running calls end')
    await came.promise
    clew.kill('SIGTERM')
    const { code, stderr } = await clew.ended
    assert.equal(code, 0, stderr)
    assert.match(stderr, new RegExp(`profiled to the collector at http://127.0.0.1:${port}`))
  })
  await running.finally(() => {
    server.close()
    server.closeAllConnections()
  })
  return { batches, tokens: [...tokens] }
}

test('services send what begins in them to a collector', onRabbitmq, async () => {
  const { batches, tokens } = await sent((url) => ['--collector', url], {
    CLEW_COLLECTOR_TOKEN: 'clew_a_b',
  })
  assert.deepEqual(tokens, ['Bearer clew_a_b'])
  assert.equal(batches[0]!.sender.name, 'cli_run_other, cli_run_ticking')
  // All of it, the end included.
  const { packets, taken } = batches.at(-1)!
  assert.ok(packets.length > 0)
  const calls = batches.flatMap((batch) => batch.packets).length
  assert.equal(calls, taken)
})

test('a configuration names the collector, and what is worth sending', onRabbitmq, async () => {
  const { batches, tokens } = await sent(() => [], { TOKEN: 'clew_c_d' }, true)
  assert.deepEqual(tokens, ['Bearer clew_c_d'])
  const weights = batches.flatMap(({ packets }) => packets.map((one) => packetHead(one)!.weight))
  assert.deepEqual(new Set(weights), new Set([2]))
})

test('a collector that cannot be one is told before anything runs', () =>
  withProject(async (project) => {
    const path = await fileIn(project, 'ticking.ts', TICKING)
    const args = ['run', path, '--broker', 'amqp://127.0.0.1:1']
    for (const [flags, says] of [
      [['--collector', 'collector:7117'], /url must be a collector's address/],
      [['--collector', 'http://elsewhere:7117'], /readable by everybody on its way/],
      [
        ['-d', 'COLLECTOR={to: broker, keep: {share: 2}}'],
        /COLLECTOR\.keep\.share must be a number/,
      ],
      [['-d', 'COLLECTOR=7117'], /COLLECTOR must be a collector’s address/],
    ] as const) {
      const env = { CLEW_COLLECTOR_TOKEN: 'clew_a_b' }
      const { code, stderr } = await runClew([...args, ...flags], { env })
      assert.equal(code, 2, stderr)
      assert.match(stderr, says)
      assert.doesNotMatch(stderr, /clew_a_b/)
    }
  }))
