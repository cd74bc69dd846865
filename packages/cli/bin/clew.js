#!/usr/bin/env node
import * as modules from 'node:module'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 15)) {
  process.stderr.write(
    `error: clew needs Node 22.15 or later; this is ${process.version}\n` +
      '  try: npx clew …   where a project has a Node of its own installed\n',
  )
  process.exitCode = 1
} else {
  // The engine of a collector's store takes a thread for each question and each insert, and Node has four
  // for everything; before anything else, or it has no effect.
  if (process.argv[2] === 'collect') process.env.UV_THREADPOOL_SIZE ??= '16'
  // Compiled code is kept between runs: a fifth of the start-up time.
  modules.enableCompileCache()
  const { main } = await import('../dist/main.js')
  await main(process.argv.slice(2))
}
