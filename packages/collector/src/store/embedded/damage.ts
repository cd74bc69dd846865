import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { literal } from '../clickhouse/literal.ts'
import { DATABASE, TABLES } from '../clickhouse/schema.ts'
import type { SqlEngine } from '../clickhouse/sql-engine.ts'

/** More are counted, not listed. */
const MOST_LISTED = 50
/** A store of many gigabytes is read in this time. */
const CHECK_MS = 600_000

/**
 * What the engine put aside because it could not be read, for people. It stays on the disk, for whoever
 * can make something of it, until traces are deleted.
 */
export async function damageIn(engine: SqlEngine, dir: string): Promise<readonly string[]> {
  const parts = await engine.query<{ table: string; name: string; reason: string; path: string }>(
    `SELECT table, name, reason, path FROM system.detached_parts WHERE database = '${DATABASE}' ORDER BY table, name`,
  )
  const listed = parts.slice(0, MOST_LISTED).map(async ({ table, name, reason, path }) => {
    const rows = Number(await readFile(join(path, 'count.txt'), 'utf8').catch(() => ''))
    const many =
      Number.isSafeInteger(rows) && rows > 0 ? `${rows} rows` : 'an unknown number of rows'
    return `${table}: ${many} could not be read (${reason || 'detached'}); put aside in ${path === '' ? name : relative(dir, path)}`
  })
  const more = parts.length - MOST_LISTED
  return [...(await Promise.all(listed)), ...(more > 0 ? [`and ${more} more`] : [])]
}

/**
 * Reads everything, and puts aside what cannot be read, so that the rest can be.
 * @returns parts put aside
 */
export async function putAsideDamage(engine: SqlEngine): Promise<number> {
  let found = 0
  for (const table of Object.keys(TABLES)) {
    const parts = await engine.query<{ part_path: string; is_passed: number }>(
      `CHECK TABLE ${DATABASE}.${table}`,
      { timeoutMs: CHECK_MS },
    )
    for (const { part_path: part, is_passed: passed } of parts) {
      if (passed === 1) continue
      try {
        await engine.command(`ALTER TABLE ${DATABASE}.${table} DETACH PART ${literal(part)}`)
        found++
      } catch {
        // Gone by itself, deleted or merged; if not, the next question meets it again.
      }
    }
  }
  return found
}
