import { mkdir } from 'node:fs/promises'
import { type ChdbOptions, chdbEngine } from './clickhouse/chdb-engine.ts'
import { ClickHouseStore, type ClickHouseStoreOptions } from './clickhouse/clickhouse-store.ts'

export interface EmbeddedStoreOptions extends ChdbOptions, ClickHouseStoreOptions {}

/**
 * Keeps traces in a folder, by an engine within this process: nothing else to install or run. One
 * process at a time has the folder.
 * @throws StoreError
 */
export async function embeddedStore(
  dir: string,
  options: EmbeddedStoreOptions = {},
): Promise<ClickHouseStore> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const engine = await chdbEngine(dir, options)
  try {
    return await new ClickHouseStore(engine, options).open()
  } catch (error) {
    await engine.close()
    throw error
  }
}
