import assert from 'node:assert/strict'
import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { runClew, withDirectory } from '../run-clew.test.ts'

const CREATE = ['token', 'collector', 'create', '--role', 'ingest', '--tenant', 'shop']

test('tokens of a collector are made, listed and revoked; a secret is printed once, on stdout alone', () =>
  withDirectory(async (directory) => {
    const file = ['--file', `${directory}/tokens.json`]
    const made = await runClew([...CREATE, '--name', 'orders', '--expires', '30d', ...file])
    assert.equal(made.code, 0, made.stderr)
    const token = made.stdout.trim()
    assert.match(token, /^clew_[0-9a-f]{16}_[\w-]{43}$/)
    assert.ok(!made.stderr.includes(token.slice(22)))
    assert.match(made.stderr, /29 d|30 d/)
    const path = `${directory}/tokens.json`
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    assert.ok(!(await readFile(path, 'utf8')).includes(token.slice(22)))
    const asJson = await runClew([
      ...['token', 'collector', 'create', 'grafana', '--role', 'read,admin', '--json'],
      ...['--expires', 'never', ...file],
    ])
    const { token: second, roles, tenant, expires } = JSON.parse(asJson.stdout)
    assert.match(second, /^clew_/)
    assert.deepEqual([roles, tenant, expires], [['read', 'admin'], 'default', 'never'])
    const listed = await runClew(['token', 'collector', 'list', ...file])
    assert.match(
      listed.stdout,
      /orders +ingest +shop +until .*\n.*grafana +read,admin +default +never/,
    )
    for (const secret of [token, second]) assert.ok(!listed.stdout.includes(secret.slice(22)))
    const revoked = await runClew(['token', 'collector', 'revoke', 'orders', ...file])
    assert.deepEqual([revoked.code, revoked.stdout], [0, ''])
    const left = await runClew(['token', 'collector', 'list', '--json', ...file])
    assert.deepEqual(
      JSON.parse(left.stdout).tokens.map(({ name }: { name: string }) => name),
      ['grafana'],
    )
  }))

test('what cannot be a token of a collector is told in words', () =>
  withDirectory(async (directory) => {
    const file = ['--file', `${directory}/tokens.json`]
    await runClew([...CREATE, '--name', 'orders', ...file])
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [['token', 'collector'], 2, /an action is missing of create, list, revoke/],
      [['token', 'collector', 'steal'], 2, /"steal" is none of/],
      [['token', 'collector', 'create', '--name', 'x'], 2, /--role is missing/],
      [CREATE, 2, /--name is missing/],
      [[...CREATE, '--name', 'a b', ...file], 2, /name is 1 to 64/],
      [[...CREATE, '--name', 'x', '--tenant', '-', ...file], 2, /tenant/],
      [[...CREATE, '--name', 'x', '--expires', 'soon', ...file], 2, /no time above zero/],
      [[...CREATE, '--name', 'x', '--role', 'root', ...file], 2, /role/],
      [[...CREATE, '--name', 'orders', ...file], 1, /there is a token orders/],
      [['token', 'collector', 'revoke', ...file], 2, /which token/],
      [['token', 'collector', 'revoke', 'nobody', ...file], 3, /no token "nobody".*orders/s],
      [['token', 'collector', 'list', '--file', `${directory}/none`], 3, /there is no such file/],
      [['token', 'make', 'x', 'y'], 2, /takes no NAME/],
    ]
    for (const [args, exit, says] of cases) {
      const { code, stdout, stderr } = await runClew(args)
      assert.deepEqual([code, stdout], [exit, ''], `${args.join(' ')}: ${stderr}`)
      assert.match(stderr, says)
      assert.doesNotMatch(stderr, /\n {4}at /)
    }
    await chmod(`${directory}/tokens.json`, 0o644)
    const open = await runClew([...CREATE, '--name', 'x', ...file])
    assert.deepEqual([open.code, open.stdout], [1, ''])
    assert.match(open.stderr, /chmod 600/)
    await writeFile(`${directory}/bad.json`, '{"version":1,"tokens":"\u001b[31m"}', { mode: 0o600 })
    const bad = await runClew(['token', 'collector', 'list', '--file', `${directory}/bad.json`])
    assert.match(bad.stderr, /is no file of tokens/)
  }))
