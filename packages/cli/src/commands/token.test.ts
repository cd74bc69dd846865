import assert from 'node:assert/strict'
import { chmod, readFile, stat } from 'node:fs/promises'
import { test } from 'node:test'
import { fileIn, runClew, withDirectory } from '../run-clew.test.ts'

/** A directory with a key pair in it. */
const withKeys = (
  work: (files: { directory: string; key: string; pub: string }) => Promise<void>,
) =>
  withDirectory(async (directory) => {
    const key = `${directory}/grants.key.json`
    const made = await runClew(['token', 'key', '-o', key])
    assert.equal(made.code, 0, made.stderr)
    await work({ directory, key, pub: await fileIn(directory, 'pub.json', made.stdout) })
  })

const MAKE = ['token', 'make', '--audience', 'gateway', '--scope', 'own', '--subject', 'acme']

test('a key: the private half only in its file, which only its owner can read', () =>
  withKeys(async ({ key, pub }) => {
    assert.equal((await stat(key)).mode & 0o777, 0o600)
    const secret = JSON.parse(await readFile(key, 'utf8'))
    const open = JSON.parse(await readFile(pub, 'utf8'))
    assert.deepEqual([secret.kty, secret.crv, secret.kid], ['OKP', 'Ed25519', open.kid])
    assert.ok(secret.d.length > 40)
    assert.equal(open.d, undefined)
    const again = await runClew(['token', 'key', '-o', key])
    assert.deepEqual([again.code, again.stdout], [1, ''])
    assert.match(again.stderr, /a file is in its place/)
    assert.deepEqual(JSON.parse(await readFile(key, 'utf8')), secret)
  }))

test('a private key is not printed unasked', async () => {
  const { code, stdout, stderr } = await runClew(['token', 'key'])
  assert.deepEqual([code, stdout], [2, ''])
  assert.match(stderr, /-o grants\.key\.json/)
  const printed = await runClew(['token', 'key', '--print-private', '--kid', 'mine'])
  assert.match(printed.stdout, /"kid":"mine"/)
  await withDirectory(async (directory) => {
    const args = ['token', 'key', '--algorithm', 'hmac', '-o', `${directory}/secret.json`, '--json']
    const hmac = JSON.parse((await runClew(args)).stdout)
    assert.equal(hmac.private, undefined)
  })
})

test('a grant is made, and explained to be believed', () =>
  withKeys(async ({ key, pub }) => {
    const made = await runClew([...MAKE, '--key', key])
    assert.deepEqual([made.code, made.stderr], [0, ''])
    const token = made.stdout.trim()
    assert.match(token, /^[\w-]+\.[\w-]+\.[\w-]+$/)
    const plain = await runClew(['token', 'explain'], { stdin: made.stdout })
    assert.equal(plain.code, 0)
    assert.match(plain.stdout, /^scope +own$/m)
    assert.match(plain.stdout, /^for +gateway$/m)
    assert.match(plain.stdout, /^expires .*\(in (29\d|300) s\)$/m)
    assert.match(plain.stdout, /not verified/)
    const judged = await runClew(['token', 'explain', token, '--key', pub, '--audience', 'gateway'])
    assert.equal(judged.code, 0)
    assert.match(judged.stdout, /^verdict +believed$/m)
    const { schema, believed, claims } = JSON.parse(
      (await runClew(['token', 'explain', token, '--key', pub, '--json'])).stdout,
    )
    assert.deepEqual([schema, believed, claims.sub, claims.uses], [1, true, 'acme', 1])
  }))

test('why a grant would be refused is told, with exit code 1', () =>
  withKeys(async ({ key, pub, directory }) => {
    const { stdout } = await runClew([...MAKE, '--key', key, '--json'])
    const { token } = JSON.parse(stdout)
    const [header, claims, signature] = token.split('.')
    const none = Buffer.from('{"alg":"none"}').toString('base64url')
    const otherKey = `${directory}/other.json`
    await runClew(['token', 'key', '-o', otherKey])
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [[token, '--key', pub, '--audience', 'orders'], /refused \(audience\).*gateway/],
      [[token, '--key', pub, '--issuer', 'somebody'], /refused \(issuer\)/],
      [[token, '--key', otherKey], /refused \(unknown_key\)/],
      [[`${none}.${claims}.`, '--key', pub], /refused \(algorithm\).*none/],
      [[`${header}.${claims}.${signature.slice(4)}AAAA`, '--key', pub], /refused \(signature\)/],
    ]
    for (const [args, says] of cases) {
      const judged = await runClew(['token', 'explain', ...args])
      assert.equal(judged.code, 1, judged.stderr)
      assert.match(judged.stdout, says)
    }
    const long = await runClew([...MAKE, '--key', key, '--expires', '1h'])
    assert.match(long.stderr, /longer than 5m/)
    const judged = await runClew(['token', 'explain', long.stdout.trim(), '--key', pub])
    assert.match(judged.stdout, /refused \(too_long\)/)
  }))

test('bad input gets words and exit codes, never a stack or a secret', () =>
  withKeys(async ({ directory, key, pub }) => {
    const broken = await fileIn(directory, 'broken.json', '{"kty":"OKP","d":"sesame"')
    const bare = await fileIn(directory, 'bare', 'sesame')
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [['token'], 2, /ACTION is missing/],
      [['token', 'mint'], 2, /none of make, explain, key/],
      [['token', 'make', '--scope', 'own', '--key', key], 2, /--audience is missing/],
      [['token', 'make', '--audience', 'x', '--key', key], 2, /--scope is missing/],
      [[...MAKE], 2, /--key is missing/],
      [[...MAKE, '--key', pub], 1, /this is a public key/],
      [[...MAKE, '--key', key, '--kid', 'nobody'], 1, /there is no key "nobody"/],
      [[...MAKE, '--key', `${directory}/none`], 3, /there is no file/],
      [[...MAKE, '--key', directory], 1, /directory/],
      [[...MAKE, '--key', broken], 1, /begins like JSON/],
      [[...MAKE, '--key', bare], 1, /neither JSON .* nor PEM/],
      [[...MAKE, '--key', 'env:CLEW_NO_SUCH'], 1, /not set/],
      [[...MAKE, '--key', key, '--uses', '0'], 2, /whole number/],
      [[...MAKE, '--key', key, '--scope', 'all'], 2, /scope/],
      [['token', 'make', 'x', '--key', key], 2, /takes no TOKEN/],
      [['token', 'explain', 'garbage'], 7, /this is no token/],
      [['token', 'explain'], 7, /no token on stdin/],
      [['token', 'explain', `${'x'.repeat(9000)}.e30.e30`], 7, /this is no token/],
      [['token', 'key', '-o', `${directory}/no/such/key`], 1, /directory does not exist/],
    ]
    for (const [args, exit, says] of cases) {
      const { code, stdout, stderr } = await runClew(args)
      assert.deepEqual([code, stdout], [exit, ''], `${args.join(' ')}: ${stderr}`)
      assert.match(stderr, says)
      assert.doesNotMatch(stderr, /\n {4}at |sesame/)
    }
    await chmod(key, 0o644)
    const open = await runClew([...MAKE, '--key', key])
    assert.equal(open.code, 0)
    assert.match(open.stderr, /chmod 600/)
  }))

test('claims cannot steer the terminal', async () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const evil = '\x1b]0;owned\x07\u202e'
  const token = `${part({ alg: evil, kid: evil })}.${part({ sub: evil, aud: evil, exp: evil })}.x`
  for (const extra of [[], ['--json']]) {
    const { stdout } = await runClew(['token', 'explain', token, ...extra])
    assert.doesNotMatch(stdout.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u)
  }
})
