import { listOf, wholeLiteral } from './literal.ts'
import { BUCKET_S, DATABASE, HOUR_S, VIEWS } from './schema.ts'
import type { SqlEngine } from './sql-engine.ts'

const PER_HOUR = HOUR_S / BUCKET_S

/**
 * Makes the figures of these hours anew of what is kept of their traces. May be done again: whatever
 * ended it half way.
 * @throws StoreError
 */
export async function rebuildRollups(engine: SqlEngine, hours: readonly number[]): Promise<void> {
  if (hours.length === 0) return
  const list = listOf(hours.map(wholeLiteral))
  for (const view of Object.values(VIEWS)) {
    const { to, from, select, group } = view
    const join = 'join' in view ? view.join : ''
    await engine.command(
      `ALTER TABLE ${DATABASE}.${to} DELETE WHERE intDiv(bucket, ${PER_HOUR}) IN ${list} SETTINGS mutations_sync = 2`,
    )
    await engine.command(
      `INSERT INTO ${DATABASE}.${to} ${select} FROM (SELECT * FROM ${DATABASE}.${from} FINAL WHERE hour IN ${list}) AS ${from} ${join} GROUP BY ${group} SETTINGS insert_deduplicate = 0`,
    )
  }
}
