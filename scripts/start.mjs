#!/usr/bin/env node
// `npm start`: the demo, in the terminal and in pictures. What follows `--` goes to `clew demo`.
// With `--real` its store runs on RabbitMQ, PostgreSQL and Redis: those that CLEW_AMQP_URL,
// CLEW_POSTGRES_URL and CLEW_REDIS_URL name, else private ones, which are gone afterwards.
import path from 'node:path'
import { startDatabases } from './databases.mjs'
import { startRabbitmq } from './rabbitmq.mjs'
import { runCompiled } from './run.mjs'
import { exitWith } from './setup/error.mjs'
import { ROOT } from './setup.mjs'

const command = path.join(ROOT, 'packages', 'cli', 'bin', 'clew.js')

// PGlite's WebAssembly would be optimised for longer than the demo lasts. Measured for the whole of
// it: 2.1 s of work and 730 MB at the peak with this, 3.0 s and 1,140 MB without.
const FLAGS = ['--liftoff-only']

async function start(parameters) {
  const servers = parameters.includes('--real') ? [startRabbitmq(), startDatabases()] : []
  // Looked at below; until then a failure must not count as unhandled.
  for (const server of servers) server.catch(() => {})
  try {
    const started = await Promise.all(servers)
    const variables = Object.assign({}, ...started.map((server) => server.variables))
    return await runCompiled(command, ['demo', ...parameters], { variables, flags: FLAGS })
  } finally {
    const started = await Promise.allSettled(servers)
    await Promise.all(started.map((server) => server.value?.stop()))
  }
}

process.exitCode = await start(process.argv.slice(2)).catch(exitWith)
