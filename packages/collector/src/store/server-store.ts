import { ClickHouseStore, type ClickHouseStoreOptions } from './clickhouse/clickhouse-store.ts'
import { ClusterEngine, clusterSchema } from './clickhouse/cluster.ts'
import { embeddedSchema } from './clickhouse/schema.ts'
import { type ServerOptions, serverEngine } from './clickhouse/server-engine.ts'

export interface ServerStoreOptions extends ServerOptions, Pick<ClickHouseStoreOptions, 'now'> {
  /** As the servers' configuration names it; docs/scaling.md. @default the server stands alone */
  readonly cluster?: string | undefined
}

/** Whoever took a trace has settled it by then, or is gone. */
const REST_MS = 45_000

/**
 * Keeps traces in a ClickHouse server, or a cluster: for more than one machine holds. Its tables are in
 * the database `clew`, and are made where they are not there.
 * @throws StoreError
 */
export async function clickhouseStore(options: ServerStoreOptions): Promise<ClickHouseStore> {
  const { cluster, now } = options
  const schema = cluster === undefined ? embeddedSchema() : clusterSchema(cluster)
  const server = await serverEngine(options)
  const engine = cluster === undefined ? server : new ClusterEngine(server, cluster)
  try {
    return await new ClickHouseStore(engine, { now, schema, restMs: REST_MS }).open()
  } catch (error) {
    await engine.close()
    throw error
  }
}

/** The statements that make a store's tables, for whoever makes them by hand. */
export function storeSchema(cluster?: string): string {
  const statements = cluster === undefined ? embeddedSchema() : clusterSchema(cluster)
  return statements.map((statement) => `${statement};\n`).join('\n')
}
