import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { clusterSchema } from '../store/clickhouse/cluster.ts'
import { chdbServer } from './chdb-server.ts'

const path = new URL('../../../../docs/scaling.md', import.meta.url)

test('the documented configuration is read as a cluster, on which the tables can be made', async () => {
  const [, xml] = /```xml\n([\s\S]*?)```/u.exec(await readFile(path, 'utf8'))!
  const dir = await mkdtemp(join(tmpdir(), 'clew-configuration-'))
  const config = join(dir, 'config.xml')
  await writeFile(config, xml!)
  const server = await chdbServer(dir, [`--config-file=${config}`])
  const ask = async (sql: string) => {
    const response = await fetch(server.url, { method: 'POST', body: sql })
    assert.equal(response.status, 200, await response.clone().text())
    return await response.text()
  }
  try {
    assert.equal(
      await ask(
        "SELECT shard_num, replica_num, host_name, port, internal_replication FROM system.clusters WHERE cluster = 'main' ORDER BY 1, 2 FORMAT CSV",
      ),
      '1,1,"ch-1a",9000,1\n1,2,"ch-1b",9000,1\n2,1,"ch-2a",9000,1\n2,2,"ch-2b",9000,1\n',
    )
    assert.equal(
      await ask('SELECT macro FROM system.macros ORDER BY 1 FORMAT CSV'),
      '"replica"\n"shard"\n',
    )
    // Without Keeper and its peers it makes tables of its own, and those that stand for all shards.
    for (const statement of clusterSchema('main')) {
      const own = statement
        .replaceAll(" ON CLUSTER 'main'", '')
        .replace(/Replicated(\w+)\('[^']*', '\{replica\}'(?:, )?/u, '$1(')
      await ask(own)
    }
    const plan = await ask(
      "EXPLAIN SELECT count() FROM clew.calls WHERE trace_id IN (SELECT trace_id FROM clew.traces) SETTINGS distributed_product_mode = 'local'",
    )
    assert.match(plan, /Remote/u)
  } finally {
    await server[Symbol.asyncDispose]()
    await rm(dir, { recursive: true, force: true })
  }
})
