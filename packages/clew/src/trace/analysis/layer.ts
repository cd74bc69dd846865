/**
 * Where time of a request goes, beside the service. `self`: the service's own code. `db` and `cache`:
 * operations one layer below it. `queue`: on the way to the service and back, through network and
 * broker, waiting for a free worker there, and publishing until the broker has the message. `rpc`:
 * waiting for a service of which nothing is known but that it was called.
 */
export type Layer = 'self' | 'db' | 'cache' | 'queue' | 'rpc'

export const LAYERS: readonly Layer[] = ['self', 'db', 'cache', 'queue', 'rpc']

const SQL = new Set(
  (
    'SELECT INSERT UPDATE DELETE MERGE UPSERT REPLACE WITH VALUES TABLE CREATE ALTER DROP TRUNCATE ' +
    'COMMENT GRANT REVOKE REINDEX CLUSTER VACUUM ANALYZE ANALYSE EXPLAIN REFRESH BEGIN START COMMIT ' +
    'END ROLLBACK ABORT SAVEPOINT RELEASE PREPARE EXECUTE DEALLOCATE DECLARE FETCH CLOSE COPY LOCK ' +
    'CALL DO SHOW LISTEN NOTIFY UNLISTEN DISCARD CHECKPOINT USE PRAGMA DESCRIBE'
  ).split(' '),
)
/** Redis sets keys, SQL sets parameters. */
const SQL_SET =
  /^SET\s+(?:(?:LOCAL|SESSION|TRANSACTION|CONSTRAINTS|ROLE|TIME)\s|\S+\s*(?:=|TO\b))/iu

/**
 * Whether an operation one layer down went to a cache or to a database, by how it begins: a command in
 * capitals that is none of SQL's is Redis's (`HGETALL products:*`); all else is a database's.
 */
export function layerOfOperation(statement: string): 'db' | 'cache' {
  const verb = /^\s*([A-Z]+)\b/u.exec(statement)?.[1]
  if (verb === undefined || SQL.has(verb) || SQL_SET.test(statement)) return 'db'
  return 'cache'
}
