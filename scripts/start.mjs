#!/usr/bin/env node
// `npm start`: the demo, in the terminal and in pictures. What follows `--` goes to `clew demo`.
import path from 'node:path'
import { runCompiled } from './run.mjs'
import { exitWith } from './setup/error.mjs'
import { ROOT } from './setup.mjs'

const command = path.join(ROOT, 'packages', 'cli', 'bin', 'clew.js')
const parameters = ['demo', ...process.argv.slice(2)]
process.exitCode = await runCompiled(command, parameters).catch(exitWith)
