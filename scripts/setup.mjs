#!/usr/bin/env node
// Makes the checkout ready to run, however it was left: dependencies, the pinned Node, compiled
// code. Quick when there is nothing to do. Plain JavaScript that Node 20 understands, without
// dependencies, because it runs before anything is installed. Talks on stderr only: stdout belongs
// to what runs afterwards.
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { output } from './processes.mjs'
import { removeStaleOutput } from './setup/compiled.mjs'
import { installDependencies } from './setup/dependencies.mjs'
import { exitWith, SetupError } from './setup/error.mjs'
import { withLock } from './setup/lock.mjs'
import { bundlePage } from './setup/page.mjs'

export const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '')

/**
 * @param {boolean} options.compiled false leaves compiling to somebody else. @default true
 * @returns {Promise<{ node: string, env: NodeJS.ProcessEnv }>} the Node that everything compiled is
 *   run with, and an environment in which the checkout's commands are found first
 * @throws SetupError that says what to do
 */
export async function setup({ root = ROOT, say = talk, compiled = true } = {}) {
  return withLock(root, say, async () => {
    const node = await installDependencies(root, say)
    await removeStaleOutput(root)
    if (compiled) await compile(root, node)
    const commands = path.join(root, 'node_modules', '.bin')
    const env = { ...process.env, PATH: `${commands}${path.delimiter}${process.env.PATH ?? ''}` }
    return { node, env }
  })
}

async function compile(root, node) {
  const compiler = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const { code, text } = await output(node, [compiler, '-b', '--pretty', 'false'], { cwd: root })
  if (code !== 0) {
    throw new SetupError(
      `${text.trimEnd()}\nthe code does not compile; "npx tsc -b" shows the same`,
    )
  }
  await bundlePage(root)
}

function talk(line) {
  process.stderr.write(`setup: ${line}\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await setup().catch(exitWith)
