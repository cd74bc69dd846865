import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { parseFilter } from '../filter/index.ts'
import { summarise } from '../settle/summarise.ts'
import { ClickHouseStore } from '../store/clickhouse/clickhouse-store.ts'
import { ClusterEngine, clusterSchema } from '../store/clickhouse/cluster.ts'
import type { Column } from '../store/clickhouse/native-block.ts'
import { DATABASE, embeddedSchema, TABLES } from '../store/clickhouse/schema.ts'
import { serverEngine } from '../store/clickhouse/server-engine.ts'
import type { SqlEngine } from '../store/clickhouse/sql-engine.ts'
import type { Effort, TraceStore } from '../store/trace-store.ts'
import { type ChdbServer, chdbServer } from './chdb-server.ts'
import { madePackets } from './made-packets.ts'
import { storeContract } from './store-contract.ts'

const FROM = Date.UTC(2026, 10, 1, 9, 57)

let dir: string
let server: ChdbServer

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'clew-cluster-'))
  server = await chdbServer(dir)
})

after(async () => {
  await server[Symbol.asyncDispose]()
  await rm(dir, { recursive: true, force: true })
})

async function emptied(): Promise<SqlEngine> {
  const engine = await serverEngine({ url: server.url })
  await engine.command(`DROP DATABASE IF EXISTS ${DATABASE}`)
  return engine
}

/**
 * A cluster of one server without Keeper: what only its coordination does is taken out of statements,
 * everything else is as a cluster gets it.
 */
class LoneCluster implements SqlEngine {
  readonly #engine: SqlEngine

  constructor(engine: SqlEngine) {
    this.#engine = engine
  }

  query<Row>(sql: string, effort?: Effort): Promise<Row[]> {
    const alone = sql.replace(/clusterAllReplicas\('lone', (\S+?)\)/gu, '$1')
    return this.#engine.query<Row>(alone, effort)
  }

  command(sql: string): Promise<void> {
    const alone = sql
      .replaceAll(" ON CLUSTER 'lone'", '')
      .replace(/ENGINE = Replicated(\w+)\('[^']*', '\{replica\}'(?:, )?/u, 'ENGINE = $1(')
      .replace(
        /AS \S+ ENGINE = Distributed\('lone', '\w+', '(\w+)', .*\)$/u,
        `AS remote('127.0.0.1', ${DATABASE}, $1)`,
      )
    return this.#engine.command(alone)
  }

  insert(table: string, columns: readonly Column[], token: string): Promise<void> {
    return this.#engine.insert(table, columns, token)
  }

  close(): Promise<void> {
    return this.#engine.close()
  }
}

const openLone = async () => {
  const engine = new ClusterEngine(new LoneCluster(await emptied()), 'lone')
  const store = await new ClickHouseStore(engine, { schema: clusterSchema('lone') }).open()
  return { store, remove: async () => {} }
}
// What is asked is asked alike; what is written and deleted goes other ways.
storeContract('cluster', openLone, /kept|add up|takes the place|tenant|removed|went away/u)

test('two shards answer as one', async () => {
  const engine = await emptied()
  const store = await new ClickHouseStore(engine, { schema: embeddedSchema() }).open()
  const summaries = summariesOf(200)
  await store.settle(summaries)
  await store.settle(summaries.slice(0, 40).map((summary) => ({ ...summary, replaces: true })))
  const alone = await answers(store)
  for (const [name, { columns }] of Object.entries(TABLES)) {
    const table = `${DATABASE}.${name}`
    // Figures are of the shard's own traces: any share of them is as good.
    const key = ['trace_id', 'batch'].find((name) => columns.includes(name)) ?? 'bucket, service'
    await engine.command(`RENAME TABLE ${table} TO ${table}_local`)
    await engine.command(
      `CREATE VIEW ${table}_shard AS SELECT * FROM ${table}_local WHERE cityHash64(${key}) % 2 = shardNum() - 1`,
    )
    await engine.command(
      `CREATE TABLE ${table} AS remote('127.0.0.1,127.0.0.1', ${DATABASE}, ${name}_shard)`,
    )
  }
  const [shards] = await engine.query<{ of: number; least: number }>(
    `SELECT count() AS of, min(rows) AS least FROM (SELECT _shard_num, count() AS rows FROM ${DATABASE}.traces GROUP BY _shard_num)`,
  )
  assert.equal(shards!.of, 2)
  assert.ok(shards!.least > 50)
  assert.deepEqual(await answers(store), alone)
  await store.close()
})

test('what each shard finds and counts of its own traces adds up to the whole', async () => {
  const engine = await emptied()
  const store = await new ClickHouseStore(engine, { schema: embeddedSchema() }).open()
  await store.settle(summariesOf(200))
  const whole = await counts(store)
  assert.ok(whole.every(({ traces }) => traces > 0))
  const kept = Object.entries(TABLES).filter(([, { columns }]) => columns.includes('trace_id'))
  for (const [name] of kept) {
    await engine.command(`RENAME TABLE ${DATABASE}.${name} TO ${DATABASE}.${name}_local`)
  }
  const shards: (typeof whole)[] = []
  for (const shard of [0, 1]) {
    for (const [name] of kept) {
      await engine.command(
        `CREATE OR REPLACE VIEW ${DATABASE}.${name} AS SELECT * FROM ${DATABASE}.${name}_local WHERE cityHash64(trace_id) % 2 = ${shard}`,
      )
    }
    shards.push(await counts(store))
  }
  for (const [index, { traces, calls }] of whole.entries()) {
    const [one, other] = shards.map((found) => found[index]!)
    assert.ok(one!.traces < traces)
    assert.equal(one!.traces + other!.traces, traces)
    assert.equal(one!.calls + other!.calls, calls)
  }
  await store.close()
})

/** Of questions about calls of traces: each looks from one table into another. */
async function counts(store: TraceStore) {
  const found: { readonly traces: number; readonly calls: number }[] = []
  for (const text of ['host:host-7-*', 'total:>5ms status:ok', 'failed:true in-flight:>2']) {
    const period = { fromMs: FROM, toMs: FROM + 3_600_000 }
    const question = { tenant: 'default', period, filter: parseFilter(text) }
    const rows = await store.statistics(question)
    const { traces } = await store.count(question)
    found.push({ traces, calls: rows.reduce((sum, { calls }) => sum + calls, 0) })
  }
  return found
}

const summariesOf = (traces: number) =>
  [...madePackets(traces, { fromMs: FROM, failing: 0.02 })].map(({ traceId, bytes }) =>
    summarise({ tenant: 'default', traceId, packets: [bytes], replaces: false }),
  )

/** Everything that is asked of a store, with conditions about calls, traces and both. */
async function answers(store: TraceStore): Promise<readonly unknown[]> {
  const found: unknown[] = []
  for (const text of ['', 'type:orders_0.* duration:>2ms']) {
    const period = { fromMs: FROM, toMs: FROM + 3_600_000 }
    const question = { tenant: 'default', period, filter: parseFilter(text) }
    const { requests, parts } = await store.breakdown(question)
    found.push(
      await store.find({ ...question, limit: 50 }),
      await store.find({ ...question, limit: 50, order: 'slowest' }),
      await store.count(question),
      sorted(await store.statistics(question)),
      sorted(await store.links(question)),
      sorted(requests),
      sorted(parts),
      await store.timeline(question, 600_000),
      await store.names('default', 'service', period, 50),
    )
  }
  return found
}

/** By their names; sums that were made in another order differ in their last digits. */
const sorted = (rows: readonly object[]) =>
  rows
    .map((row) =>
      JSON.stringify(row, (_, value) =>
        typeof value === 'number' ? Number(value.toPrecision(9)) : (value as unknown),
      ),
    )
    .sort()

test('what a cluster is told can be read by the engine, and is what it should be', async () => {
  const engine = await emptied()
  const statements = clusterSchema('east-1')
  for (const statement of statements) await engine.query(`EXPLAIN AST ${statement}`)
  const whole = statements.join('\n')
  assert.match(
    whole,
    /clew\.calls_local ON CLUSTER 'east-1' .*ReplicatedVersionedCollapsingMergeTree\('\/clickhouse\/tables\/\{shard\}\/clew\/calls', '\{replica\}', sign, version\)/su,
  )
  assert.match(whole, /Distributed\('east-1', 'clew', 'calls_local', cityHash64\(trace_id\)\)/u)
  await engine.close()
})

test('no text in a statement is taken for a table', () => {
  const cluster = new ClusterEngine({} as SqlEngine, 'c')
  assert.equal(
    cluster.told(
      "ALTER TABLE clew.calls DELETE WHERE tenant = 'it\\'s clew.calls' AND trace_id IN (SELECT trace_id FROM clew.traces)",
    ),
    "ALTER TABLE clew.calls_local ON CLUSTER 'c' DELETE WHERE tenant = 'it\\'s clew.calls' AND trace_id IN (SELECT trace_id FROM clew.traces_local)",
  )
  const insert = "INSERT INTO clew.calls SELECT 'ALTER TABLE clew.calls' FROM clew.calls"
  assert.equal(cluster.told(insert), insert)
  const question = "SELECT 'system.parts' AS x FROM system.parts WHERE table = 'calls'"
  assert.equal(
    cluster.asked(question),
    "SELECT 'system.parts' AS x FROM clusterAllReplicas('c', system.parts) WHERE table = 'calls_local'",
  )
})
