#!/usr/bin/env node
// A PostgreSQL and a Redis for tests and the store.
//
//   node scripts/databases.mjs -- COMMAND …   runs COMMAND beside a private one of each
//
// COMMAND's environment gets CLEW_POSTGRES_URL and CLEW_REDIS_URL. Those that are set already are
// used as they are, and none is started in their place. Nothing is left when the command ends, or
// when it or this script is killed.
import { fileURLToPath } from 'node:url'
import { provide } from './databases/find.mjs'
import { passThrough } from './processes.mjs'
import { exitWith, SetupError } from './setup/error.mjs'
import { startKeeper } from './setup/keeper.mjs'

const KEEPER = fileURLToPath(new URL('./databases/keeper.mjs', import.meta.url))
const VARIABLES = { postgres: 'CLEW_POSTGRES_URL', redis: 'CLEW_REDIS_URL' }

/**
 * Uses the databases that the environment names, and starts the others privately.
 * @param {NodeJS.ProcessEnv} options.environment
 * @param {(line: string) => void} options.say talk for people; by default on stderr
 * @returns `variables` for the environment of whatever is to use them; `stop()`, after which nothing
 *   of ours is left
 * @throws SetupError that says what to do
 */
export async function startDatabases({ environment = process.env, say = talk } = {}) {
  const names = Object.keys(VARIABLES)
  const given = names.filter((name) => (environment[VARIABLES[name]] ?? '') !== '')
  const wanted = names.filter((name) => !given.includes(name))
  const variables = Object.fromEntries(
    given.map((name) => [VARIABLES[name], environment[VARIABLES[name]]]),
  )
  if (wanted.length === 0) return { variables, stop: async () => {} }

  const programs = await Promise.all(wanted.map(async (name) => [name, await provide(name, say)]))
  const { started, stop } = await startKeeper(
    KEEPER,
    Object.fromEntries(programs),
    'the keeper of the databases',
  )
  if (started.error !== undefined) throw new SetupError(started.error)
  for (const [name, url] of Object.entries(started.urls)) variables[VARIABLES[name]] = url
  return { variables, stop }
}

function talk(line) {
  process.stderr.write(`databases: ${line}\n`)
}

async function main([separator, command, ...rest]) {
  if (separator !== '--' || command === undefined) {
    process.stderr.write('usage: node scripts/databases.mjs -- COMMAND …\n')
    return 2
  }
  const databases = await startDatabases()
  try {
    return await passThrough(command, rest, { env: { ...process.env, ...databases.variables } })
  } finally {
    await databases.stop()
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2)).catch(exitWith)
}
