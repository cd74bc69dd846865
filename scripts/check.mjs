#!/usr/bin/env node
// `npm run check`: everything that a change has to pass, the quickest first; stops at the first
// failure and says how to repeat it.
//
//   npm run check                all of it
//   npm run check -- --quick     what needs no RabbitMQ: before a commit
//   npm run check -- --static    what runs nothing: .ci/run goes on with the guard and `npm test`
import { output, passThrough } from './processes.mjs'
import { exitWith } from './setup/error.mjs'
import { ROOT, setup } from './setup.mjs'

const STEP_TIMEOUT_MS = 600_000

/** `not` names the kinds of run that a step is no part of. */
const STEPS = [
  { name: 'format and lint', tool: ['biome', 'ci', '--colors=off', '--error-on-warnings', '.'] },
  { name: 'types', tool: ['tsc', '-b'] },
  {
    name: 'traces need no platform',
    tool: ['tsc', '-p', 'packages/clew/tsconfig.trace.json'],
  },
  {
    name: 'pictures need no platform',
    tool: ['tsc', '-p', 'tsconfig.render.json'],
  },
  {
    name: 'architecture',
    tests: ['--no-broker', 'test/tidy'],
    not: ['--static'],
  },
  {
    name: 'documentation',
    tests: ['--no-broker', 'test/docs'],
    not: ['--static'],
  },
  {
    name: 'what a call costs',
    tool: ['npm', 'run', '-s', 'bench:guard'],
    not: ['--static', '--quick'],
  },
  {
    name: 'tests',
    tests: ['--not=test/tidy', '--not=test/docs'],
    not: ['--static', '--quick'],
  },
]

async function check(parameters) {
  const mode = parameters[0]
  if (parameters.length > 1 || ![undefined, '--quick', '--static'].includes(mode)) {
    process.stderr.write('usage: npm run check [-- --quick | --static]\n')
    return 2
  }
  const { env } = await setup({ compiled: false })
  for (const step of STEPS.filter(({ not = [] }) => !not.includes(mode))) {
    const started = performance.now()
    const { code, text } = await run(step, env)
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    console.log(`${code === 0 ? 'ok    ' : 'FAILED'}  ${step.name} (${seconds} s)`)
    if (code !== 0) {
      console.log(`${text}\nto repeat it: ${asTyped(step)}`)
      return code
    }
  }
  return 0
}

async function run(step, env) {
  if (step.tool !== undefined) {
    const [program, ...parameters] = step.tool
    return output(program, parameters, { cwd: ROOT, env, timeoutMs: STEP_TIMEOUT_MS })
  }
  const parameters = ['scripts/test.mjs', ...step.tests]
  if (step.tests.includes('--no-broker')) {
    return output(process.execPath, parameters, { cwd: ROOT, env, timeoutMs: STEP_TIMEOUT_MS })
  }
  // Minutes long: to be watched.
  return { code: await passThrough(process.execPath, parameters, { cwd: ROOT, env }), text: '' }
}

function asTyped({ tool, tests }) {
  if (tool === undefined) return `npm test -- ${tests.join(' ')}`
  return tool[0] === 'npm' ? tool.join(' ') : `npx ${tool.join(' ')}`
}

process.exitCode = await check(process.argv.slice(2)).catch(exitWith)
