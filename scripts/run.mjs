#!/usr/bin/env node
// Sets the checkout up and runs a compiled file with the pinned Node:
//   node scripts/run.mjs bench/dist/figures.js --json
import { fileURLToPath } from 'node:url'
import { passThrough } from './processes.mjs'
import { exitWith } from './setup/error.mjs'
import { setup } from './setup.mjs'

/**
 * @param {NodeJS.ProcessEnv} options.variables over those of this process
 * @param {readonly string[]} options.flags Node's own
 * @returns {Promise<number>} its exit code
 */
export async function runCompiled(file, parameters, { variables = {}, flags = [] } = {}) {
  const { node, env } = await setup()
  const all = { ...env, ...variables }
  return passThrough(node, ['--enable-source-maps', ...flags, file, ...parameters], { env: all })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [file, ...parameters] = process.argv.slice(2)
  if (file === undefined) {
    process.stderr.write('usage: node scripts/run.mjs FILE [ARGUMENT …]\n')
    process.exit(2)
  }
  process.exitCode = await runCompiled(file, parameters).catch(exitWith)
}
