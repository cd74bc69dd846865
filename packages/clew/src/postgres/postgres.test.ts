import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { TcpProxy } from '../broker/contract/tcp-proxy.ts'
import { RemoteError } from '../call/index.ts'
import { traced, traceOf } from '../profile/index.ts'
import { type Rpc, rpc, withOptions } from '../service/index.ts'
import { eventually, type MemoryCluster, memoryCluster, outline } from '../testing/index.ts'
import { ConstraintError, DatabaseTimeout, type PostgresOptions, postgres } from './index.ts'

interface Row {
  readonly id: number
  readonly name: string
}

class Names {
  static readonly name = 'names'
  db = postgres((config) => config.db as PostgresOptions)

  @rpc async add(...names: string[]): Promise<number[]> {
    return await this.db.transaction(async (tx) => {
      const ids: number[] = []
      for (const name of names) {
        const rows = await tx.query<Row>('INSERT INTO names (name) VALUES ($1) RETURNING id', [
          name,
        ])
        ids.push(rows[0]!.id)
      }
      return ids
    })
  }

  @rpc async list(): Promise<string[]> {
    return (await this.db.query<Row>('SELECT name FROM names ORDER BY name')).map(
      ({ name }) => name,
    )
  }

  @rpc async rename(from: string, to: string): Promise<number> {
    return await this.db.execute('UPDATE names SET name = $1 WHERE name = $2', [to, from])
  }

  /** Swallows what a statement of its transaction throws. */
  @rpc async add_carelessly(name: string): Promise<void> {
    await this.db.transaction(async (tx) => {
      await tx.execute('INSERT INTO names (name) VALUES ($1)', [name])
      await tx.execute('INSERT INTO names (name) VALUES (NULL)').catch(() => {})
    })
  }

  /** Tells what it caught. */
  @rpc async add_again(name: string): Promise<string[]> {
    const error = await this.db.execute('INSERT INTO names (name) VALUES ($1)', [name]).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    assert.ok(error instanceof ConstraintError)
    const { code, kind, constraint, table, sqlState } = error
    return [code, kind, constraint ?? '', table ?? '', sqlState ?? '']
  }

  @rpc async wrong(): Promise<void> {
    await this.db.query('SELEKT 1')
  }

  @rpc async wait(seconds: number): Promise<void> {
    await this.db.query('SELECT pg_sleep($1) /* clew_wait */', [seconds])
  }

  @rpc async waiting(): Promise<number> {
    const found = await this.db.query(
      "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%clew_wait%' AND state = 'active' AND pid <> pg_backend_pid()",
    )
    return found.length
  }

  /** Never ends, with a transaction open. */
  @rpc async abandon(name: string): Promise<void> {
    await this.db.transaction(async (tx) => {
      await tx.execute('INSERT INTO names (name) VALUES ($1)', [name])
      await new Promise(() => {})
    })
  }

  @rpc async escape(): Promise<void> {
    const tx = await this.db.transaction(async (inside) => inside)
    await tx.query('SELECT 1')
  }
}

type Options = PostgresOptions

const address = process.env.CLEW_POSTGRES_URL
const SCHEMA = `CREATE TABLE names (id serial PRIMARY KEY, name varchar NOT NULL CONSTRAINT names_name UNIQUE)`

/** A cluster with a table of its own. */
async function withNames(
  options: Options,
  body: (names: Rpc<Names>, cluster: MemoryCluster) => Promise<void>,
): Promise<void> {
  const prepare: Options['prepare'] = async (run) => {
    await run(`DROP TABLE IF EXISTS names; ${SCHEMA}`)
  }
  await using cluster = await memoryCluster(Names, {
    config: { db: { prepare, ...options } },
    log: () => {},
    timeoutMs: 20_000,
    drainTimeoutMs: 500,
  })
  await body(cluster.proxy<Names>('names'), cluster)
}

const skip = address === undefined && 'needs PostgreSQL: set CLEW_POSTGRES_URL, or run `npm test`'
const ROADS = [
  { name: 'pglite', options: { url: 'pglite:names' }, skip: false },
  { name: 'postgres', options: { url: address ?? '' }, skip },
]

/** Kept open for all tests: PGlite takes a second to start. */
class Keeper {
  static readonly name = 'keeper'
  db = postgres({ url: 'pglite:names' })
  @rpc async open(): Promise<void> {
    await this.db.query('SELECT 1')
  }
}
let keeper: MemoryCluster | undefined
before(async () => {
  keeper = await memoryCluster(Keeper)
  await keeper.proxy<Keeper>('keeper').open()
})
after(() => keeper?.close())

for (const { name: road, options, skip } of ROADS) {
  test(`${road}: statements, transactions, and their place in the tree`, { skip }, () =>
    withNames(options, async (names) => {
      const { result, trace } = await traced(names).add('ada', "o'hara")
      assert.deepEqual(result, [1, 2])
      assert.deepEqual(outline(trace), [
        'names.add',
        ['names.db.BEGIN'],
        ['names.db.INSERT INTO names (name) VALUES (?) RETURNING id'],
        ['names.db.INSERT INTO names (name) VALUES (?) RETURNING id'],
        ['names.db.COMMIT'],
      ])
      assert.deepEqual(await names.list(), ['ada', "o'hara"])
      assert.equal(await names.rename('ada', 'eve'), 1)
      assert.equal(await names.rename('ada', 'eve'), 0)
      assert.deepEqual(await names.list(), ['eve', "o'hara"])
    }),
  )

  test(`${road}: a transaction that fails leaves nothing, and says why`, { skip }, () =>
    withNames(options, async (names) => {
      const failed = await traced(names)
        .add('ada', 'ada')
        .catch((error: unknown) => error)
      assert.ok(failed instanceof RemoteError)
      assert.equal(failed.remoteName, 'ConstraintError')
      assert.deepEqual(outline(traceOf(failed)!), [
        'names.add threw ConstraintError',
        ['names.db.BEGIN'],
        ['names.db.INSERT INTO names (name) VALUES (?) RETURNING id'],
        ['names.db.INSERT INTO names (name) VALUES (?) RETURNING id threw ConstraintError'],
        ['names.db.ROLLBACK'],
      ])
      assert.deepEqual(await names.list(), [])
      await assert.rejects(names.add_carelessly('ada'), /null value in column "name"/)
      assert.deepEqual(await names.list(), [])
      await names.add('ada')
      assert.deepEqual(await names.add_again('ada'), [
        'constraint',
        'unique',
        'names_name',
        'names',
        '23505',
      ])
      await assert.rejects(names.wrong(), /syntax error at or near "SELEKT"/)
      await assert.rejects(names.escape(), /the transaction is over/)
      assert.deepEqual(await names.list(), ['ada'])
    }),
  )

  test(`${road}: a worker that never ends holds no transaction for ever`, { skip }, () =>
    withNames(options, async (names) => {
      await assert.rejects(withOptions(names, { timeoutMs: 300 }).abandon('ada'), /\[timeout\]/)
      await eventually(async () => assert.deepEqual(await names.list(), []))
      await names.add('ada')
    }),
  )
}

const onServer = { skip }

test('what takes longer than the caller waits ends there, and at the server', onServer, () =>
  withNames({ url: address! }, async (names) => {
    await assert.rejects(withOptions(names, { timeoutMs: 500 }).wait(30), /timeout|longer/)
    await eventually(async () => (await names.waiting()) === 0)
  }),
)

test('what takes longer than a statement may is a DatabaseTimeout', onServer, () =>
  withNames({ url: address!, statementTimeoutMs: 300 }, async (names) => {
    const error = await names.wait(30).catch((thrown: unknown) => thrown)
    assert.ok(error instanceof RemoteError)
    assert.equal(error.remoteName, 'DatabaseTimeout')
    assert.match(error.message, /took longer than 300 ms|statement timeout/)
  }),
)

test('when all connections are in use the wait is bounded, and says so', onServer, () =>
  withNames({ url: address!, connections: 1, connectTimeoutMs: 300 }, async (names) => {
    const first = names.wait(1.5)
    await eventually(async () => {
      await assert.rejects(names.list(), /its one connection is in use\?/)
    })
    await first
    assert.deepEqual(await names.list(), [])
  }),
)

test('a database that is down, or never answers, is a clear error and no hang', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await new Promise((resolve) => silent.once('listening', resolve))
  const { port } = silent.address() as { port: number }
  const cases: readonly (readonly [string, RegExp, string])[] = [
    [
      'postgres://clew:secret@secret@127.0.0.1:1/x',
      /names\.db .*cannot be reached.*ECONNREFUSED/,
      'DatabaseUnavailable',
    ],
    [`postgres://clew:secret@127.0.0.1:${port}/x`, /longer than 300 ms|timeout/, 'DatabaseTimeout'],
  ]
  for (const [url, says, remoteName] of cases) {
    await withNames({ url, connectTimeoutMs: 300 }, async (names) => {
      const error = await traced(names)
        .list()
        .catch((thrown: unknown) => thrown)
      assert.ok(error instanceof RemoteError)
      assert.match(error.message, says)
      assert.doesNotMatch(error.message, /secret/)
      assert.equal(error.remoteName, remoteName)
      assert.deepEqual(outline(traceOf(error)!), [
        `names.list threw ${remoteName}`,
        [`names.db.SELECT name FROM names ORDER BY name threw ${remoteName}`],
      ])
    })
  }
  silent.close()
})

test('after an outage it goes on by itself; a frozen one lets nobody hang', onServer, async () => {
  await using proxy = await TcpProxy.open(address!)
  const options = { url: proxy.url, connections: 2, connectTimeoutMs: 500, statementTimeoutMs: 500 }
  await withNames(options, async (names) => {
    await names.add('ada')
    proxy.reset()
    await eventually(async () => assert.deepEqual(await names.list(), ['ada']))
    proxy.silent = true
    for (let at = 0; at < 4; at++) await assert.rejects(names.list(), RemoteError)
    proxy.silent = false
    proxy.reset()
    await eventually(async () => assert.deepEqual(await names.list(), ['ada']))
  })
})

test('a service may start before its database', onServer, async () => {
  const closed = createServer()
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
  const { port } = closed.address() as { port: number }
  await new Promise((resolve) => closed.close(resolve))
  const url = new URL(address!)
  const upstream = Number(url.port)
  url.port = String(port)
  await withNames({ url: url.href, connectTimeoutMs: 500 }, async (names) => {
    await assert.rejects(names.list(), /ECONNREFUSED/)
    const { connect } = await import('node:net')
    const server = createServer((client) => {
      const to = connect(upstream, '127.0.0.1')
      client.pipe(to).pipe(client)
      for (const socket of [client, to]) socket.on('error', () => {})
    })
    server.listen(port, '127.0.0.1')
    await eventually(async () => assert.deepEqual(await names.list(), []))
    server.close()
  })
  await sleep(0)
})

test('the address may come from the configuration; a wrong one is told before any call', async () => {
  class Orders {
    static readonly name = 'orders'
    db = postgres()
    @rpc async one(): Promise<number> {
      const [row] = await this.db.query<{ one: number }>('SELECT 1 AS one')
      return row!.one
    }
  }
  await using cluster = await memoryCluster(Orders, {
    config: { DB_URIS: { 'orders:Base': 'pglite:names' } },
  })
  assert.equal(await cluster.proxy<Orders>('orders').one(), 1)
  const wrong = (config: Readonly<Record<string, unknown>>) => memoryCluster(Orders, { config })
  await assert.rejects(wrong({}), /DB_URIS\["orders:Base"\].*Got nothing/)
  await assert.rejects(
    wrong({ DB_URIS: { 'orders:Base': 'mysql://me:secret@host/x' } }),
    (error: Error) => /Got mysql:\/\/host/.test(error.message) && !error.message.includes('secret'),
  )
  await assert.rejects(
    wrong({ DB_URIS: { 'orders:Base': { pglite: null } } }),
    /needs quotes, as in "pglite:"/,
  )
  class Few {
    static readonly name = 'few'
    db = postgres({ url: 'pglite:names', connections: 0 })
    @rpc one(): void {}
  }
  await assert.rejects(memoryCluster(Few), /few\.db: connections must be a number from 1; got 0/)
})

test('two services with one PGlite address share the database', async () => {
  class First {
    static readonly name = 'first'
    db = postgres({ url: 'pglite:names' })
    @rpc async make(): Promise<void> {
      await this.db.execute('CREATE TABLE one (id int)')
    }
  }
  class Second {
    static readonly name = 'second'
    db = postgres({ url: 'pglite:names' })
    @rpc async count(): Promise<number> {
      return (await this.db.query('SELECT * FROM one')).length
    }
  }
  await using cluster = await memoryCluster([First, Second])
  await cluster.proxy<First>('first').make()
  assert.equal(await cluster.proxy<Second>('second').count(), 0)
  assert.ok(new DatabaseTimeout('x') instanceof Error)
})
