import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { EVERYTHING } from '../filter/index.ts'
import { Settler } from '../settle/settler.ts'
import { summarise } from '../settle/summarise.ts'
import { numbers } from '../store/clickhouse/native-block.ts'
import { serverEngine } from '../store/clickhouse/server-engine.ts'
import { clickhouseStore } from '../store/server-store.ts'
import { StoreError } from '../store/store-error.ts'
import { type ChdbServer, chdbServer } from './chdb-server.ts'
import { madePackets } from './made-packets.ts'
import { storeContract } from './store-contract.ts'

let dir: string
let server: ChdbServer

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'clew-server-'))
  server = await chdbServer(dir)
})

after(async () => {
  await server[Symbol.asyncDispose]()
  await rm(dir, { recursive: true, force: true })
})

const openServer = async () => {
  const { url } = server
  const engine = await serverEngine({ url })
  await engine.command('DROP DATABASE IF EXISTS clew')
  await engine.close()
  return { store: await clickhouseStore({ url }), remove: async () => {} }
}
// Figures are asked for by the same statements as in the embedded engine, where all of them are tried.
storeContract('ClickHouse over HTTP', openServer, /^(?!figures)/u)

const isStoreError = (code: StoreError['code'], words: RegExp) => (error: unknown) =>
  error instanceof StoreError && error.code === code && words.test(error.message)

test('a trace that two collectors settled at once is found and counted once again', async () => {
  const { url } = server
  const engine = await serverEngine({ url })
  await engine.command('DROP DATABASE IF EXISTS clew')
  const now = () => Date.now() + 120_000
  const [one, other] = [await clickhouseStore({ url, now }), await clickhouseStore({ url, now })]
  const [made] = madePackets(1, { fromMs: Date.now() - 60_000 })
  const { traceId, bytes } = made!
  const packet = { tenant: 'default', traceId, bytes, arrivedMs: Date.now() }
  await one.append([{ id: 'aa'.repeat(16), packets: [packet] }])
  const summary = summarise({ tenant: 'default', traceId, packets: [bytes], replaces: false })
  await one.settle([summary])
  assert.deepEqual(await other.unsettled(), [])
  await other.settle([summary])
  assert.equal((await one.usage('default')).traces, 2)
  assert.deepEqual(await other.unsettled(), [{ tenant: 'default', traceId }])
  const settler = new Settler({ store: other })
  await settler.recover()
  await settler.drain()
  assert.deepEqual(await one.unsettled(), [])
  const { traces, calls } = await one.usage('default')
  assert.deepEqual([traces, calls], [1, made!.calls])
  const period = { fromMs: Date.now() - 3_600_000, toMs: Date.now() + 3_600_000 }
  const statistics = await one.statistics({ tenant: 'default', period, filter: EVERYTHING })
  assert.equal(
    statistics.reduce((sum, row) => sum + row.calls, 0),
    made!.calls,
  )
  for (const each of [settler, one, other, engine]) await each.close()
})

test('an insert whose answer was lost is sent again, and kept once', async () => {
  const engine = await serverEngine({ url: server.url })
  await engine.command('CREATE DATABASE IF NOT EXISTS clew')
  await engine.command(
    'CREATE TABLE clew.things (n UInt32) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100',
  )
  server.loseAnswers(2)
  await engine.insert('clew.things', [numbers('n', new Uint32Array([1, 2, 3]))], "it's one")
  await engine.insert('clew.things', [numbers('n', new Uint32Array([1, 2, 3]))], 'another')
  const inserts = server.statements.filter((sql) => sql.startsWith('INSERT INTO clew.things'))
  assert.equal(inserts.length, 4)
  assert.deepEqual(await engine.query('SELECT count() AS n FROM clew.things'), [{ n: 6 }])
  await engine.command('DROP TABLE clew.things')
  await engine.close()
})

test('what a server refuses, or cannot do in time, is told by what to do next', async () => {
  const engine = await serverEngine({ url: server.url })
  const cases: [string, StoreError['code'], RegExp][] = [
    ['SELECT * FROM nowhere', 'failed', /UNKNOWN_TABLE/u],
    [
      'SELECT count() AS n FROM numbers(1000000000000) WHERE sipHash64(number) = 1',
      'timeout',
      /TIMEOUT/u,
    ],
  ]
  for (const [sql, code, words] of cases) {
    await assert.rejects(
      () => engine.query(sql, { timeoutMs: 300 }),
      isStoreError(code, words),
      sql,
    )
  }
  const signal = AbortSignal.timeout(50)
  await assert.rejects(
    () => engine.query('SELECT sleep(1) AS n', { signal }),
    isStoreError('cancelled', /went away/u),
  )
  await engine.close()
})

test('a server that cannot be reached is told with its address, and without its password', async () => {
  const silent = createServer()
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as AddressInfo
  await new Promise((resolve) => silent.close(resolve))
  const secret = 'hunter2'
  await assert.rejects(
    () => clickhouseStore({ url: `http://someone:${secret}@127.0.0.1:${port}` }),
    (error) =>
      error instanceof StoreError &&
      error.message.includes(`127.0.0.1:${port}`) &&
      !error.message.includes(secret),
  )
  await assert.rejects(
    () => clickhouseStore({ url: 'localhost:8123' }),
    isStoreError('failed', /write http/u),
  )
  await assert.rejects(
    () => clickhouseStore({ url: server.url, cluster: "x' --" }),
    isStoreError('failed', /no name of a cluster/u),
  )
})
