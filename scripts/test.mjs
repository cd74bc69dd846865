#!/usr/bin/env node
// `npm test`: sets the checkout up, starts a RabbitMQ (scripts/rabbitmq.mjs), a PostgreSQL and
// a Redis (scripts/databases.mjs) and runs every compiled test beside them with Node's own runner,
// whose closing lines end what is printed on stdout.
//
//   npm test                               all but test/interop, which needs Python
//   npm test -- broker                     test files whose path contains "broker"
//   npm test -- packages/clew/src/call/    or which lie below that folder
//   npm test -- --test-name-pattern=drain  options go to `node --test`
//   npm test -- --interop                  test/interop only
//   npm test -- --not=docs --not=tidy      leaves out files whose path contains a word
//   npm test -- --no-broker                starts no servers, for tests that need none
import os from 'node:os'
import path from 'node:path'
import { provideBrowser } from './browser.mjs'
import { startDatabases } from './databases.mjs'
import { passThrough } from './processes.mjs'
import { startRabbitmq } from './rabbitmq.mjs'
import { filesIn } from './setup/compiled.mjs'
import { exitWith, SetupError } from './setup/error.mjs'
import { ROOT, setup } from './setup.mjs'

const TEST_TIMEOUT_MS = 120_000
const RUN_TIMEOUT_MS = 15 * 60_000
const WORKSPACES = ['packages', 'examples', 'bench', 'test']

/**
 * @returns {Promise<number>} exit code of Node's test runner
 * @throws SetupError where it could not even run
 */
export async function test(parameters) {
  const wanted = parse(parameters)
  // Servers boot for seconds, in which the compiler can work.
  const servers = wanted.broker ? [startRabbitmq(), startDatabases(), provideBrowser()] : []
  // Looked at below; until then a failure must not count as unhandled.
  for (const server of servers) server.catch(() => {})
  try {
    const { node, env } = await setup()
    const files = await testFiles(wanted)
    const started = await Promise.all(servers)
    const variables = Object.assign({}, ...started.map((server) => server.variables))
    return await passThrough(node, [...runnerOptions(), ...wanted.options, ...files], {
      cwd: ROOT,
      env: { ...env, ...variables },
      timeoutMs: RUN_TIMEOUT_MS,
    })
  } finally {
    const started = await Promise.allSettled(servers)
    await Promise.all(started.map((server) => server.value?.stop()))
  }
}

function parse(parameters) {
  const own = (parameter) =>
    parameter === '--interop' || parameter === '--no-broker' || parameter.startsWith('--not=')
  const isOption = (parameter) => parameter.startsWith('-')
  return {
    interop: parameters.includes('--interop'),
    broker: !parameters.includes('--no-broker'),
    without: parameters.filter((one) => one.startsWith('--not=')).map((one) => one.slice(6)),
    options: parameters.filter((one) => isOption(one) && !own(one)),
    words: parameters.filter((one) => !isOption(one)).map(compiledPath),
  }
}

/** People name the source of a test, or the file relative to where they are. */
function compiledPath(word) {
  return word
    .replace(/^\.\//, '')
    .replace(/(^|\/)src(\/|$)/, '$1dist$2')
    .replace(/\.ts$/, '.js')
}

async function testFiles({ interop, words, without }) {
  const found = await Promise.all(
    WORKSPACES.map(async (folder) => {
      const enter = (name) => name !== 'node_modules' && name !== 'src'
      const files = await filesIn(path.join(ROOT, folder), enter)
      return files.map((file) => `${folder}/${file}`)
    }),
  )
  const tests = found
    .flat()
    .filter((file) => /(^|\/)dist\/.*\.test\.js$/.test(file))
    .filter((file) => file.startsWith('test/dist/interop/') === interop)
    .filter((file) => !without.some((word) => isNamed(file, word)))
  const chosen =
    words.length === 0 ? tests : tests.filter((file) => words.some((word) => isNamed(file, word)))
  if (chosen.length === 0) {
    throw new SetupError(
      words.length === 0
        ? 'there are no test files'
        : `no test file has ${words.join(' or ')} in its path; there are\n  ${tests.join('\n  ')}`,
    )
  }
  return chosen
}

/** test/tidy.test.ts is compiled to test/dist/tidy.test.js, which nobody would think of. */
function isNamed(file, word) {
  return file.includes(word) || file.replace('/dist/', '/').includes(word)
}

function runnerOptions() {
  return [
    '--test',
    '--enable-source-maps',
    '--test-reporter=spec',
    `--test-timeout=${TEST_TIMEOUT_MS}`,
    // Much of a test's time is waiting for RabbitMQ, so even one core can run two.
    `--test-concurrency=${Math.max(2, os.availableParallelism())}`,
  ]
}

process.exitCode = await test(process.argv.slice(2)).catch(exitWith)
