import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { runClew } from '../run-clew.test.ts'

async function proposed(...words: readonly string[]): Promise<readonly string[]> {
  const { code, stdout } = await runClew(['__complete', '--', ...words])
  assert.equal(code, 0)
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t')[0]!)
}

test('commands, flags and values of flags are proposed', async () => {
  assert.deepEqual((await proposed('re')).toSorted(), ['recall', 'render'])
  assert.deepEqual(await proposed('show', '--w'), ['--width'])
  assert.deepEqual(await proposed('render', 'x', '--view', ''), [
    'tree',
    'waterfall',
    'flame',
    'critical-path',
    'map',
  ])
  assert.deepEqual(await proposed('completion', 'z'), ['zsh'])
  assert.ok((await proposed('')).includes('demo'))
})

test('where a file belongs, or after nonsense, nothing is proposed', async () => {
  assert.deepEqual(await proposed('show', ''), [])
  assert.deepEqual(await proposed('bogus', ''), [])
  assert.deepEqual(await proposed('show', '--bogus', ''), [])
})

const SHELLS = ['bash', 'zsh', 'fish'] as const

for (const shell of SHELLS) {
  const isThere = spawnSync(shell, ['--version']).status === 0
  test(`the script for ${shell} is one that ${shell} understands`, {
    skip: isThere ? false : `${shell} is not installed`,
  }, async () => {
    const { code, stdout } = await runClew(['completion', shell])
    assert.equal(code, 0)
    execFileSync(shell, ['-n'], { input: stdout })
  })
}

test('completion --json carries the script and how to install it', async () => {
  const { stdout } = await runClew(['completion', 'fish', '--json'])
  const { schema, shell, script, install } = JSON.parse(stdout)
  assert.deepEqual([schema, shell], [1, 'fish'])
  assert.match(script, /complete -c clew/)
  assert.match(install, /fish\/completions/)
})

test('an unknown shell, or none, is a usage error', async () => {
  const unknown = await runClew(['completion', 'zhs'])
  assert.equal(unknown.code, 2)
  assert.match(unknown.stderr, /did you mean: zsh/)
  assert.equal((await runClew(['completion'])).code, 2)
})
