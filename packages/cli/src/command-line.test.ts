import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runClew } from './run-clew.test.ts'

const COMMANDS = [
  'demo',
  'run',
  'call',
  'show',
  'render',
  'analyze',
  'breakdown',
  'critical-path',
  'stragglers',
  'diff',
  'show-config',
  'token',
  'completion',
]

test('help names every command, and leads with examples', async () => {
  const { code, stdout, stderr } = await runClew(['--help'])
  assert.deepEqual([code, stderr], [0, ''])
  assert.ok(stdout.startsWith('EXAMPLES\n  clew demo\n'))
  for (const command of COMMANDS) assert.match(stdout, new RegExp(`^ {2}${command} `, 'm'))
  assert.equal((await runClew([])).stdout, stdout)
  assert.equal((await runClew(['-h'])).stdout, stdout)
})

for (const command of COMMANDS) {
  test(`${command} --help leads with examples and tells every flag`, async () => {
    const { code, stdout, stderr } = await runClew([command, '--help'])
    assert.deepEqual([code, stderr], [0, ''])
    assert.ok(stdout.startsWith(`EXAMPLES\n  clew ${command} `) || command === 'demo')
    assert.match(stdout, new RegExp(`^USAGE\n {2}clew ${command} `, 'm'))
    // What a prompt prints is for people.
    if (command !== 'backdoor') assert.match(stdout, /^ +--json +\S/m)
    for (const line of stdout.split('\n')) assert.ok(line.length <= 100, line)
  })
}

test('--version prints the version of the package', async () => {
  const { code, stdout } = await runClew(['--version'])
  assert.equal(code, 0)
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
})

test('a mistyped command or flag is answered with what was meant', async () => {
  const command = await runClew(['shwo', 'x.jsonl'])
  assert.deepEqual([command.code, command.stdout], [2, ''])
  assert.match(command.stderr, /no command "shwo"\n.*did you mean: clew show\n/)
  const flag = await runClew(['run', 'services.ts', '--max-worker', '3'])
  assert.equal(flag.code, 2)
  assert.match(flag.stderr, /no flag --max-worker\n.*did you mean: --max-workers\n/)
  assert.doesNotMatch((await runClew(['show', 'x', '--list'])).stderr, /did you mean/)
  const top = await runClew(['--versoin'])
  assert.equal(top.code, 2)
  assert.match(top.stderr, /did you mean: --version\n/)
})

test('names that every object has are no commands and no flags', async () => {
  for (const name of ['toString', '__proto__', 'constructor', 'hasOwnProperty']) {
    assert.equal((await runClew([name])).code, 2, name)
    if (name.startsWith('_')) continue
    const flag = await runClew(['show', `--${name}`])
    assert.equal(flag.code, 2)
    assert.match(flag.stderr, /there is no flag/, name)
  }
})

test('a wrong command line is one JSON value on stdout, where JSON was asked for', async () => {
  const { code, stdout } = await runClew(['show', '--json', '--bogus', 'x'])
  assert.equal(code, 2)
  const { schema, error } = JSON.parse(stdout)
  assert.deepEqual([schema, error.code, error.message], [1, 'usage', 'there is no flag --bogus'])
  assert.deepEqual(error.next, ['clew show --help'])
})

test('colours are for terminals, unless asked for or forbidden', async () => {
  const code = '\x1b['
  assert.ok(!(await runClew(['--help'])).stdout.includes(code))
  assert.ok((await runClew(['--help', '--color'])).stdout.includes(code))
  assert.ok((await runClew(['--color', 'show', '--help'])).stdout.includes(code))
  const forbidden = await runClew(['--help', '--no-color'], { env: { FORCE_COLOR: '1' } })
  assert.ok(!forbidden.stdout.includes(code))
  const fault = await runClew(['nope', '--color'])
  assert.ok(fault.stderr.includes(code))
})

test('control characters of the command line are not echoed', async () => {
  for (const args of [
    ['\x1b[2Jx'],
    ['show', '\x1b[2Jx'],
    ['show', '--\x1b[2Jx'],
    ['call', '\x1b[2J'],
  ]) {
    const { stdout, stderr } = await runClew(args)
    assert.ok(!`${stdout}${stderr}`.includes('\x1b'), JSON.stringify(args))
  }
})
