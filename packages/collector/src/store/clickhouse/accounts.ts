import type { RoadName, SenderAccount } from '../accounts.ts'
import { MOST_SENDERS, sumOf } from '../accounts.ts'
import type { StoredBatch } from '../trace-store.ts'
import { literal } from './literal.ts'
import { type Column, countMaps, hexIds, names, numbers, wholeNumbers } from './native-block.ts'
import { DATABASE } from './schema.ts'
import type { SqlEngine } from './sql-engine.ts'

/** Columns of what batches say of their senders; those that say nothing are left out. */
export function accountColumns(batches: readonly StoredBatch[], now: number): readonly Column[] {
  const told = batches.flatMap(({ id, tenant, account }) =>
    account === undefined || tenant === undefined ? [] : [{ id, tenant, ...account }],
  )
  const whole = (name: string, of: (one: (typeof told)[number]) => number) =>
    wholeNumbers(name, 'UInt64', told.map(of))
  return [
    names(
      'tenant',
      told.map(({ tenant }) => tenant),
    ),
    whole('arrived', () => now),
    hexIds(
      'batch',
      16,
      told.map(({ id }) => id),
    ),
    hexIds(
      'instance',
      8,
      told.map(({ instance }) => instance),
    ),
    names(
      'name',
      told.map(({ name }) => name),
    ),
    names(
      'host',
      told.map(({ host }) => host),
    ),
    numbers(
      'pid',
      Uint32Array.from(told, ({ pid }) => pid),
    ),
    names(
      'road',
      told.map(({ road }) => road),
    ),
    whole('taken', ({ taken }) => taken),
    whole('stored', ({ stored }) => stored),
    countMaps(
      'rejected',
      told.map(({ rejected }) => rejected),
    ),
    countMaps(
      'dropped',
      told.map(({ dropped }) => dropped),
    ),
  ]
}

interface Row {
  readonly instance: string
  readonly name: string
  readonly host: string
  readonly pid: number
  readonly road: RoadName
  readonly batches: number
  readonly first: number
  readonly last: number
  readonly most: number
  readonly stored: number
  readonly rejected: Readonly<Record<string, number>>
  readonly dropped: Readonly<Record<string, number>>
}

/** Accounts of all senders; a batch that is there twice counts once. */
export async function accountsOf(
  engine: SqlEngine,
  tenant: string,
): Promise<readonly SenderAccount[]> {
  const rows = await engine.query<Row>(
    `SELECT lower(hex(instance)) AS instance, any(name) AS name, any(host) AS host, any(pid) AS pid, any(road) AS road, count() AS batches, min(arrived) AS first, max(arrived) AS last, max(taken) AS most, sum(stored) AS stored, sumMap(rejected) AS rejected, argMax(dropped, (taken, arrived)) AS dropped FROM (SELECT * FROM ${DATABASE}.accounts WHERE tenant = ${literal(tenant)} LIMIT 1 BY batch) GROUP BY instance ORDER BY last DESC, instance LIMIT ${MOST_SENDERS}`,
  )
  return rows.map(({ first: firstMs, last: lastMs, most, ...row }) => ({
    ...row,
    ...{ firstMs, lastMs },
    // Whoever does not tell what it was given, gave what came.
    taken: row.road === 'otlp' ? row.stored + sumOf(row.rejected) : most,
  }))
}
