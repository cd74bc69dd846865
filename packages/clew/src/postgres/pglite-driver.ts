import type { PGlite } from '@electric-sql/pglite'
import type { SqlDriver, SqlSession } from './driver.ts'

/** Instances of this process by address: two on one folder would destroy it. */
const opened = new Map<string, { readonly database: Promise<PGlite>; users: number }>()

/**
 * PostgreSQL compiled to WebAssembly, in this process, for machines without a server: `pglite:` alone
 * or with a name keeps everything in memory, `pglite:./folder` in a folder. The same address is the
 * same database. It has one session, and blocks this process while a statement runs.
 */
export function pgliteDriver(url: string): SqlDriver {
  // Loaded when it is used; whether it is there shows at the start.
  import.meta.resolve('@electric-sql/pglite')
  const place = url.slice('pglite:'.length).replace(/^\/\//, '')
  let database: Promise<PGlite> | undefined
  let last: Promise<unknown> = Promise.resolve()
  return {
    sessions: 1,
    async acquire() {
      database ??= open(place)
      const before = last
      const { promise, resolve: free } = Promise.withResolvers<void>()
      last = promise
      await before
      try {
        return sessionOf(await database, free)
      } catch (error) {
        free()
        database = undefined
        throw error
      }
    },
    async close() {
      if (database === undefined) return
      await last
      const open = opened.get(place)
      if (open === undefined || --open.users > 0) return
      opened.delete(place)
      await (await open.database).close()
    },
  }
}

function open(place: string): Promise<PGlite> {
  const known = opened.get(place)
  if (known !== undefined) {
    known.users++
    return known.database
  }
  const database = load(place)
  opened.set(place, { database, users: 1 })
  database.catch(() => opened.delete(place))
  return database
}

async function load(place: string): Promise<PGlite> {
  // Tens of megabytes that only those pay for who ask for it.
  const { PGlite } = await import('@electric-sql/pglite')
  return PGlite.create(/^[./~]/.test(place) ? place : 'memory://')
}

function sessionOf(database: PGlite, free: () => void): SqlSession {
  return {
    async run(text, values) {
      if (values.length === 0) {
        const { rows, affectedRows } = (await database.exec(text)).at(-1) ?? { rows: [] }
        return { rows: rows as object[], count: affectedRows ?? rows.length }
      }
      const { rows, affectedRows = 0 } = await database.query<object>(text, [...values])
      return { rows, count: affectedRows || rows.length }
    },
    release(broken) {
      if (!broken) return free()
      // Statements queue up behind each other: what runs ends first.
      database.exec('ROLLBACK').then(free, free)
    },
  }
}
