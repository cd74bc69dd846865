interface Migration {
  readonly revision: string
  readonly statements: string
}

/** In order. The revisions are alembic's, whose table is used, so that Python's `orders` takes the schema for its own. */
const MIGRATIONS: readonly Migration[] = [
  {
    revision: 'dd33cb03d01f',
    statements: `
      CREATE TABLE orders (
        id serial PRIMARY KEY,
        created_at timestamp NOT NULL,
        updated_at timestamp NOT NULL
      );
      CREATE TABLE order_details (
        id serial PRIMARY KEY,
        created_at timestamp NOT NULL,
        updated_at timestamp NOT NULL,
        order_id integer NOT NULL CONSTRAINT fk_order_details_orders REFERENCES orders (id),
        product_id varchar NOT NULL,
        price numeric(18, 2) NOT NULL,
        quantity integer NOT NULL
      );`,
  },
]

type Run = (
  text: string,
  values?: readonly unknown[],
) => Promise<{ readonly rows: readonly object[] }>

/** Replicas that start together migrate one after the other. */
const LOCK = 3_301_203

/**
 * Brings the schema of `orders` up to date, all of it or nothing.
 * @throws Error when a newer version of the service has been here
 */
export async function migrate(run: Run): Promise<void> {
  await run('BEGIN')
  await run('SELECT pg_advisory_xact_lock($1)', [LOCK])
  await run(
    'CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(32) CONSTRAINT alembic_version_pkc PRIMARY KEY)',
  )
  const { rows } = await run('SELECT version_num FROM alembic_version')
  const [current] = rows as readonly { readonly version_num: string }[]
  const at = MIGRATIONS.findIndex(({ revision }) => revision === current?.version_num)
  if (current !== undefined && at < 0) {
    throw new Error(
      `the database of orders is at revision ${current.version_num}, which this version does not know; run the version that made it`,
    )
  }
  for (const { statements } of MIGRATIONS.slice(at + 1)) await run(statements)
  if (at < MIGRATIONS.length - 1) {
    await run('DELETE FROM alembic_version')
    await run('INSERT INTO alembic_version VALUES ($1)', [MIGRATIONS.at(-1)!.revision])
  }
  await run('COMMIT')
}
