/** The PostgreSQL and Redis that tests and the store are given: nothing of them stays. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import path from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { eventually } from 'clew/testing'
import { ROOT } from './tidy/repository.ts'

interface Databases {
  readonly variables: Readonly<Record<string, string>>
  stop(): Promise<void>
}
interface Start {
  startDatabases(options: { readonly environment: NodeJS.ProcessEnv }): Promise<Databases>
}
interface Find {
  waysOut(name: string): string
}

const at = (name: string) => pathToFileURL(path.join(ROOT, 'scripts', name)).href
const { startDatabases }: Start = await import(at('databases.mjs'))
const { waysOut }: Find = await import(at('databases/find.mjs'))

const { CLEW_POSTGRES_URL: database, CLEW_REDIS_URL: cache } = process.env
const missing = database === undefined || cache === undefined
const skip = missing && 'needs PostgreSQL and Redis: run `npm test`'

test('databases that are given are used, and are not ours to stop', async () => {
  const environment = { CLEW_POSTGRES_URL: 'postgres://given', CLEW_REDIS_URL: 'redis://given' }
  const given = await startDatabases({ environment })
  assert.deepEqual(given.variables, environment)
  await given.stop()
})

test('the one that is not given is started, and gone after its stop', { skip }, async () => {
  const { CLEW_REDIS_URL: _, ...environment } = process.env
  const started = await startDatabases({ environment })
  const { CLEW_POSTGRES_URL, CLEW_REDIS_URL } = started.variables
  assert.equal(CLEW_POSTGRES_URL, database)
  assert.notEqual(CLEW_REDIS_URL, cache)
  assert.equal(await answers(CLEW_REDIS_URL!), true)
  await started.stop()
  assert.equal(await answers(CLEW_REDIS_URL!), false)
  assert.equal(await answers(database!), true)
})

test('a run that is killed leaves no database behind', { skip }, async () => {
  const { CLEW_POSTGRES_URL: _, CLEW_REDIS_URL: __, ...environment } = process.env
  const print =
    'console.log(process.env.CLEW_POSTGRES_URL); console.log(process.env.CLEW_REDIS_URL)'
  const keep = 'setInterval(() => {}, 1000); process.stdin.resume().on("end", () => process.exit())'
  const run = spawn(
    process.execPath,
    [path.join(ROOT, 'scripts/databases.mjs'), '--', process.execPath, '-e', `${print}; ${keep}`],
    { env: environment, stdio: ['pipe', 'pipe', 'ignore'] },
  )
  let printed = ''
  while (printed.split('\n').length < 3) printed += String((await once(run.stdout, 'data'))[0])
  const urls = printed.trim().split('\n')
  for (const url of urls) assert.equal(await answers(url), true)
  run.kill('SIGKILL')
  await eventually(async () => {
    for (const url of urls) assert.equal(await answers(url), false)
  }, 30_000)
})

test('where there is no server to be had, the way out is told', () => {
  assert.match(waysOut('postgres'), /apt-get install postgresql.+CLEW_POSTGRES_URL=postgres:/s)
  assert.match(waysOut('redis'), /apt-get install redis-server.+CLEW_REDIS_URL=redis:/s)
})

function answers(address: string): Promise<boolean> {
  const { hostname, port } = new URL(address)
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname)
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
