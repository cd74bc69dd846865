import { StoreError } from '../store-error.ts'
import type { Effort } from '../trace-store.ts'
import type { Column } from './native-block.ts'
import { DATABASE, schemaOf, TABLES } from './schema.ts'
import type { SqlEngine } from './sql-engine.ts'

/** What tables that hold rows are called on the servers of a cluster. */
const LOCAL = '_local'
const TABLE_NAMES = Object.keys(TABLES).join('|')
const OWN_TABLES = new RegExp(`\\b${DATABASE}\\.(${TABLE_NAMES})\\b`, 'gu')
const OWN_LITERALS = new RegExp(`\\btable = '(${TABLE_NAMES})'`, 'gu')

/**
 * Statements that make a store's tables on a cluster: on each server one of its shard's rows, replicated,
 * and one that stands for those of all shards. Everything of a trace is on one shard; figures are of the
 * shard's own traces, and summed over shards when they are asked for. Servers need the macros `{shard}`
 * and `{replica}`.
 * @param cluster as the servers' configuration names it
 * @throws StoreError for what cannot be a cluster's name
 */
export function clusterSchema(cluster: string): readonly string[] {
  const on = onCluster(cluster)
  const rows = schemaOf({ on, suffix: LOCAL, engineOf: replicated })
  const all = Object.entries(TABLES).map(([name, { columns }]) => {
    // Figures are made by each shard of its own rows; what is made anew, and accounts, may lie anywhere.
    const key = columns.includes('trace_id') ? 'cityHash64(trace_id)' : 'rand()'
    return `CREATE TABLE IF NOT EXISTS ${DATABASE}.${name}${on} AS ${DATABASE}.${name}${LOCAL} ENGINE = Distributed('${cluster}', '${DATABASE}', '${name}${LOCAL}', ${key})`
  })
  return [...rows, ...all]
}

/**
 * An engine whose tables are on a cluster. Questions and inserts go to the tables that stand for all
 * shards; what changes rows that are there has to be told to every server.
 */
export class ClusterEngine implements SqlEngine {
  readonly #engine: SqlEngine
  readonly #cluster: string
  readonly #on: string

  /** @throws StoreError for what cannot be a cluster's name */
  constructor(engine: SqlEngine, cluster: string) {
    this.#engine = engine
    this.#cluster = cluster
    this.#on = onCluster(cluster)
  }

  query<Row>(sql: string, effort?: Effort): Promise<Row[]> {
    return this.#engine.query<Row>(this.asked(sql), effort)
  }

  command(sql: string): Promise<void> {
    return this.#engine.command(this.told(sql))
  }

  insert(table: string, columns: readonly Column[], token: string): Promise<void> {
    return this.#engine.insert(table, columns, token)
  }

  close(): Promise<void> {
    return this.#engine.close()
  }

  /** A question as the cluster is asked it: what lies on the disks is known to each server only. */
  asked(sql: string): string {
    const system = /\bsystem\.(?:parts|detached_parts)\b/gu
    if (!system.test(sql)) return sql
    return outsideLiterals(sql, (part) =>
      part.replace(system, (table) => `clusterAllReplicas('${this.#cluster}', ${table})`),
    ).replace(OWN_LITERALS, `table = '$1${LOCAL}'`)
  }

  /** A statement as the cluster is told it. A trace's rows are on one shard: each looks at its own. */
  told(sql: string): string {
    if (!/^\s*ALTER TABLE /u.test(sql)) return sql
    const local = outsideLiterals(sql, (part) => part.replace(OWN_TABLES, `${DATABASE}.$1${LOCAL}`))
    return local.replace(/^\s*ALTER TABLE \S+/u, (start) => start + this.#on)
  }
}

/** Changes a statement, but nothing in the texts that stand in it: they are others'. */
function outsideLiterals(sql: string, change: (part: string) => string): string {
  return sql.replace(/'(?:[^'\\]|\\[\s\S])*'|[^']+/gu, (part) =>
    part.startsWith("'") ? part : change(part),
  )
}

function onCluster(cluster: string): string {
  if (/^[\w.-]{1,64}$/u.test(cluster)) return ` ON CLUSTER '${cluster}'`
  throw new StoreError('failed', `${JSON.stringify(cluster)} is no name of a cluster`)
}

/** As Keeper knows the table, and its copy on this server. */
function replicated(engine: string, table: string): string {
  const [, kind, rest = ''] = /^(\w+)(?:\((.*)\))?$/u.exec(engine)!
  const path = `'/clickhouse/tables/{shard}/${DATABASE}/${table}', '{replica}'`
  return `Replicated${kind}(${path}${rest === '' ? '' : `, ${rest}`})`
}
