import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { numbers } from '../store/clickhouse/native-block.ts'
import { serverEngine } from '../store/clickhouse/server-engine.ts'
import { clickhouseStore } from '../store/server-store.ts'
import { StoreError } from '../store/store-error.ts'
import { type ChdbServer, chdbServer } from './chdb-server.ts'
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

storeContract('ClickHouse over HTTP', async () => {
  const { url } = server
  const engine = await serverEngine({ url })
  await engine.command('DROP DATABASE IF EXISTS clew')
  await engine.close()
  return { store: await clickhouseStore({ url }), remove: async () => {} }
})

const isStoreError = (code: StoreError['code'], words: RegExp) => (error: unknown) =>
  error instanceof StoreError && error.code === code && words.test(error.message)

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
