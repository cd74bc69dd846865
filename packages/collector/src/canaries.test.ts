import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { connect, memory, rpc, run } from 'clew'
import { profile, type Sink } from 'clew/profile'
import { encodeBatch, encodePacket } from 'clew/trace/blocks'
import { AuditLog } from './access/audit-log.ts'
import { createToken } from './access/token-file.ts'
import { tokenGate } from './access/token-gate.ts'
import { createCollector } from './collector.ts'
import { parseFilter } from './filter/index.ts'
import { embeddedStore } from './store/embedded-store.ts'

/** In arguments, results and errors' texts; none of it was allowed out, or it is of a known kind. */
const SECRETS = {
  unlisted: 'canary-4b1d',
  card: '4111 1111 1111 1111',
  mail: 'ada.lovelace@example.org',
  password: 'open-sesame-9',
}

class Orders {
  static readonly name = 'orders'
  @rpc async place(orderId: number, remark: string, password: string, customer: object) {
    return { orderId, remark, password, customer, unlisted: SECRETS.unlisted }
  }
  @rpc async fail(orderId: number, remark: string): Promise<never> {
    throw new RangeError(`${orderId} ${remark} ${SECRETS.unlisted}`)
  }
}

/** Everything in a folder, as bytes one for one. */
async function contentsOf(directory: string): Promise<string> {
  let all = ''
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) all += await readFile(join(entry.parentPath, entry.name), 'latin1')
  }
  return all
}

test('secrets in arguments, results and errors are nowhere: not on the way, nor stored, nor in logs', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'clew-canaries-'))
  const file = join(directory, 'tokens.json')
  const { text: token } = await createToken(file, {
    ...{ name: 'orders', roles: ['admin'], tenant: 'shop', lifeMs: undefined },
  })
  const audit = new AuditLog(join(directory, 'audit'))
  const store = await embeddedStore(join(directory, 'store'))
  const problems: string[] = []
  const collector = createCollector({
    ...{ store, audit, gate: await tokenGate(file, { audit }), quietMs: 0 },
    onProblem: (error) => void problems.push(String(error)),
  })
  const packets: Uint8Array[] = []
  const sink: Sink = {
    take: () => assert.fail('it takes packets'),
    takePacket: (packet) => void packets.push(encodePacket(packet).slice()),
    flush: async () => {},
    close: async () => {},
    counts: { taken: 0, written: 0, dropped: 0 },
  }
  const values = {
    'orders.place': {
      args: ['orderId', 'remark', 'password', 'customer.mail'],
      result: ['orderId', 'remark', 'password', 'customer'],
    },
    'orders.fail': { args: ['orderId'], result: true },
  }
  const broker = memory()
  const running = await run(Orders, {
    ...{ broker, signals: false, use: [profile({ values })] },
    // An error's own text is for the service's log, and nothing of the profiler's.
    log: ({ message, error }) => {
      if (!(error instanceof RangeError)) problems.push(`${message} ${String(error)}`)
    },
  })
  const cluster = await connect(broker, { use: [profile({ sink })] })
  const orders = cluster.proxy<Orders>('orders')
  const { unlisted, card, mail, password } = SECRETS
  await orders.place(4711, `paid by ${card}`, password, { name: unlisted, mail })
  await assert.rejects(orders.fail(4712, unlisted))
  await cluster.close()
  await running.stop()
  assert.equal(packets.length, 2)
  const body = encodeBatch({
    ...{ id: 'ab'.repeat(16), taken: 4, dropped: {}, packets },
    sender: { name: 'orders', host: 'h', pid: 1, instance: 'cd'.repeat(8) },
  })
  const answer = await collector.fetch(
    new Request('http://collector/v1/batches', {
      ...{ method: 'POST', body: body.slice() },
      headers: { authorization: `Bearer ${token}` },
    }),
    '10.0.0.1',
  )
  assert.equal(answer.status, 200)
  await collector.fetch(
    new Request(`http://collector/v1/batches?token=${token}`, { method: 'POST' }),
  )
  const period = { fromMs: 0, toMs: Date.now() + 60_000 }
  const find = (filter: string) =>
    store.find({ tenant: 'shop', period, filter: parseFilter(filter), limit: 9 })
  while ((await find('')).traces.length < 2) await delay(5)
  const wanted = await find('@args.orderId:4711 @result.orderId:4711')
  assert.equal(wanted.traces.length, 1)
  assert.equal((await find('@args.remark:"paid by [redacted: card]"')).traces.length, 1)
  const { traces } = await find('')
  const keys = traces.map(({ traceId }) => ({ tenant: 'shop', traceId }))
  const kept = [...(await store.packets(keys)).values()].flat()
  // What the store has compressed is looked for before it was, and by asking.
  const told = [body, ...kept].map((bytes) => Buffer.from(bytes).toString('latin1'))
  for (const secret of Object.values(SECRETS)) {
    assert.deepEqual((await find(`@args.remark:"*${secret}*"`)).traces, [])
  }
  await collector.close()
  await audit.close()
  const everything = `${told.join()} ${problems.join()} ${JSON.stringify(traces)} ${await contentsOf(directory)}`
  assert.ok(everything.includes('[redacted: e-mail]'))
  for (const secret of [...Object.values(SECRETS), token.slice(22)]) {
    assert.ok(!everything.includes(secret), secret)
  }
  await rm(directory, { recursive: true, force: true })
})
