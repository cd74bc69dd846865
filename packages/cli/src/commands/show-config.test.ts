import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileIn, runClew, withDirectory } from '../run-clew.test.ts'

test('the configuration as services see it, with stars for secrets', () =>
  withDirectory(async (directory) => {
    await fileIn(
      directory,
      'clew.config.yaml',
      'AMQP_URI: amqp://ada:${PASS}@h/v\nmax_workers: ${WORKERS:12}\ndb: { password: x, host: z }\n',
    )
    const at = { cwd: directory, env: { PASS: 'hidden' } }
    const plain = await runClew(['show-config', '-d', 'extra=[1, two]'], at)
    assert.equal(plain.code, 0, plain.stderr)
    assert.equal(
      plain.stdout,
      `AMQP_URI: amqp://ada:********@h/v
max_workers: 12
db:
  password: "********"
  host: z
extra:
  - 1
  - two
`,
    )
    const json = await runClew(['show-config', '--json'], at)
    const { schema, file, config } = JSON.parse(json.stdout)
    assert.deepEqual([schema, file, config.max_workers], [1, 'clew.config.yaml', 12])
    assert.doesNotMatch(`${plain.stdout}${json.stdout}`, /hidden|: x$/m)
  }))

test('no configuration, and ones that are wrong', () =>
  withDirectory(async (cwd) => {
    const none = await runClew(['show-config'], { cwd })
    assert.deepEqual([none.code, none.stdout], [0, ''])
    assert.match(none.stderr, /no clew\.config\.yaml here/)
    const empty = await runClew(['show-config', '--json'], { cwd })
    assert.deepEqual(JSON.parse(empty.stdout).config, {})
    const cases: readonly (readonly [string, readonly string[], number, RegExp])[] = [
      ['a: [1', [], 2, /error: clew\.config\.yaml:\d: /],
      ['a: 1', ['-d', 'x'], 2, /"x" defines nothing; write KEY=VALUE/],
      ['a: 1', ['-c', 'b.yaml'], 3, /b\.yaml cannot be used: there is no such file/],
      ['HEARTBEAT: soon', [], 2, /clew\.config\.yaml:1: HEARTBEAT must be a whole number/],
      ['a: 1', ['extra'], 2, /one argument too many/],
    ]
    for (const [text, flags, exit, says] of cases) {
      await fileIn(cwd, 'clew.config.yaml', text)
      const { code, stdout, stderr } = await runClew(['show-config', ...flags], { cwd })
      assert.deepEqual([code, stdout], [exit, ''], text)
      assert.match(stderr, says)
      assert.ok(!stderr.includes('\x1b'), text)
      assert.doesNotMatch(stderr, /clew broke/)
    }
  }))
