import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { ApiError } from '../http/api-error.ts'
import type { Role } from '../http/route.ts'
import { AuditLog } from './audit-log.ts'
import { createToken, readTokenFile, revokeToken, TokenFileError } from './token-file.ts'
import { tokenGate } from './token-gate.ts'

async function withFile(work: (file: string, directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'clew-access-'))
  try {
    await work(join(directory, 'tokens.json'), directory)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

const orders = { name: 'orders', roles: ['ingest'], tenant: 'shop', lifeMs: 60_000 } as const

const asking = (authorization?: string, url = 'http://collector/api/traces') =>
  new Request(url, authorization === undefined ? {} : { headers: { authorization } })

const refusalOf = async (work: Promise<unknown>): Promise<ApiError> => {
  const error = await work.then(
    () => assert.fail('it was let in'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof ApiError, String(error))
  return error
}

test('a token lets in who has it, to what its roles allow, as its tenant', () =>
  withFile(async (file) => {
    const { text, token } = await createToken(file, orders)
    const root = await createToken(file, { name: 'root', roles: ['admin'], lifeMs: undefined })
    assert.match(text, /^clew_[0-9a-f]{16}_[\w-]{43}$/)
    const gate = await tokenGate(file)
    const subject = await gate.admit(asking(`Bearer ${text}`), 'ingest', '10.0.0.1')
    const { name, tenant, roles } = subject
    assert.deepEqual([name, tenant, roles], ['orders', 'shop', ['ingest']])
    for (const role of ['ingest', 'read', 'admin'] as const) {
      const { tenant } = await gate.admit(asking(`bearer  ${root.text}`), role, '10.0.0.1')
      assert.equal(tenant, 'default')
    }
    for (const role of ['read', 'admin'] as const) {
      const refusal = await refusalOf(gate.admit(asking(`Bearer ${text}`), role, '10.0.0.1'))
      assert.deepEqual([refusal.status, refusal.code], [403, 'role'])
      assert.match(refusal.toResponse().headers.get('www-authenticate')!, /insufficient_scope/)
    }
    // What is kept cannot be used.
    const kept = await readFile(file, 'utf8')
    assert.ok(!kept.includes(text.slice(22)))
    const stolen = `Bearer clew_${token.id}_${token.hash.slice(0, 43)}`
    assert.equal((await refusalOf(gate.admit(asking(stolen), 'ingest', ''))).status, 401)
  }))

test('whatever is wrong with a token, the answer is the same, and tells nothing', () =>
  withFile(async (file) => {
    const { text } = await createToken(file, orders)
    const gate = await tokenGate(file)
    const [id, secret] = [text.slice(0, 21), text.slice(22)]
    const other = secret[0] === 'A' ? 'B' : 'A'
    const none = Buffer.from('{"alg":"none"}').toString('base64url')
    const wrong = [
      ...[`${id}_${other}${secret.slice(1)}`, `clew_${'0'.repeat(16)}_${secret}`, `${text}A`],
      ...[text.slice(0, -1), text.toUpperCase(), id, secret, `${id}_`, `${none}.e30.`, 'null'],
      ...[`${text}, Bearer ${text}`, `${text} ${text}`, `x${text}`, '__proto__', 'constructor'],
      ...[`clew_constructor_${secret}`, 'x'.repeat(100_000), `${text}%00`],
    ]
    const answers = new Set<string>()
    let number = 0
    for (const tried of wrong) {
      const address = `10.1.${number++}.1`
      const refusal = await refusalOf(gate.admit(asking(`Bearer ${tried}`), 'ingest', address))
      const response = refusal.toResponse()
      answers.add(
        `${response.status} ${response.headers.get('www-authenticate')} ${await response.text()}`,
      )
    }
    assert.equal(answers.size, 1)
    assert.match([...answers][0]!, /^401 Bearer realm="clew", error="invalid_token"/)
    // Other places and schemes are no places.
    for (const request of [
      asking(),
      asking(undefined, `http://collector/api/traces?token=${text}&access_token=${text}`),
      new Request('http://collector/', { headers: { cookie: `token=${text}` } }),
      new Request('http://collector/', { headers: { 'x-clew-token': text } }),
    ]) {
      const refusal = await refusalOf(gate.admit(request, 'ingest', '10.2.0.1'))
      assert.deepEqual([refusal.status, refusal.code], [401, 'no_token'])
    }
    for (const scheme of [`Basic ${text}`, text, `Bearer${text}`]) {
      const refusal = await refusalOf(gate.admit(asking(scheme), 'ingest', '10.2.0.1'))
      assert.equal(refusal.code, 'token_unknown')
    }
  }))

test('a token expires, is revoked within a second, and comes with the file on SIGHUP', () =>
  withFile(async (file) => {
    const { text, token } = await createToken(file, orders)
    let now = token.createdMs
    const gate = await tokenGate(file, { nowMs: () => now })
    const admit = (shown: string, role: Role = 'ingest') =>
      gate.admit(asking(`Bearer ${shown}`), role, '')
    await admit(text)
    now = token.expiresMs!
    const refusal = await refusalOf(admit(text))
    assert.deepEqual([refusal.status, refusal.code], [401, 'token_expired'])
    now = token.createdMs
    await admit(text)
    assert.equal(await revokeToken(file, 'orders'), true)
    assert.equal(await revokeToken(file, 'orders'), false)
    await delay(1050)
    assert.equal((await refusalOf(admit(text))).status, 401)
    const next = await createToken(file, orders)
    await gate.reload()
    await admit(next.text)
    assert.deepEqual(gate.refused, { none: 0, unknown: 1, expired: 1, role: 0 })
  }))

test('what never ends is told when its token is revoked or has expired', () =>
  withFile(async (file) => {
    const { text, token } = await createToken(file, orders)
    const other = await createToken(file, { ...orders, name: 'other', lifeMs: undefined })
    let now = token.createdMs
    const gate = await tokenGate(file, { nowMs: () => now })
    const endOf = async (shown: string) =>
      (await gate.admit(asking(`Bearer ${shown}`), 'ingest', '')).ended!
    const [first, second] = [await endOf(text), await endOf(other.text)]
    assert.equal(await endOf(text), first)
    now = token.expiresMs!
    await once(first, 'abort')
    assert.equal(second.aborted, false)
    await revokeToken(file, 'other')
    await once(second, 'abort')
  }))

test('a damaged file shuts nobody out; one that is gone lets nobody in', () =>
  withFile(async (file) => {
    const { text } = await createToken(file, orders)
    const gate = await tokenGate(file)
    const admit = () => gate.admit(asking(`Bearer ${text}`), 'ingest', '')
    const whole = await readFile(file)
    await writeFile(file, whole.subarray(0, 40))
    await assert.rejects(gate.reload(), TokenFileError)
    assert.match(gate.problem!, /it is no JSON/)
    await admit()
    await rename(file, `${file}.aside`)
    await assert.rejects(gate.reload(), TokenFileError)
    assert.match(gate.problem!, /nobody is let in/)
    assert.equal((await refusalOf(admit())).status, 401)
    await writeFile(file, whole, { mode: 0o600 })
    await gate.reload()
    assert.equal(gate.problem, undefined)
    await admit()
  }))

test('a file that others could change or read is refused, and so is any that is not ours', () =>
  withFile(async (file, directory) => {
    await createToken(file, orders)
    for (const mode of [0o644, 0o604, 0o620, 0o666]) {
      await chmod(file, mode)
      await assert.rejects(tokenGate(file), /others can read or change .* chmod 600/)
      await assert.rejects(createToken(file, { ...orders, name: 'x' }), /chmod 600/)
    }
    for (const mode of [0o600, 0o400, 0o640]) {
      await chmod(file, mode)
      await tokenGate(file)
    }
    await assert.rejects(tokenGate(`${file}.none`), /there is no such file of tokens/)
    await assert.rejects(tokenGate(directory), TokenFileError)
    const good = JSON.parse(await readFile(file, 'utf8'))
    const [entry] = good.tokens
    const bad: readonly unknown[] = [
      ...[null, [], 7, {}, { version: 2, tokens: [] }, { version: 1 }],
      ...[
        { ...entry, id: '../x' },
        { ...entry, sha256: 'x' },
        { ...entry, roles: ['root'] },
      ].map(one),
      ...[
        { ...entry, roles: [] },
        { ...entry, tenant: '' },
        { ...entry, expires: 'soon' },
      ].map(one),
      ...[{ ...entry, created: 5 }, { ...entry, name: 'a\nb' }, null, 'x'].map(one),
      { version: 1, tokens: [entry, { ...entry, id: '0'.repeat(16) }] },
      { version: 1, tokens: [entry, { ...entry, name: 'other' }] },
    ]
    for (const content of bad) {
      const path = join(directory, 'bad.json')
      await writeFile(path, JSON.stringify(content), { mode: 0o600 })
      await assert.rejects(readTokenFile(path), (error: TokenFileError) => error.code === 'damaged')
    }
    await writeFile(file, 'x'.repeat(2 * 1024 * 1024))
    await assert.rejects(readTokenFile(file), /larger than 1 MiB/)
  }))

const one = (token: unknown) => ({ version: 1, tokens: [token] })

test('tokens made at the same time are all there, and a name is given once', () =>
  withFile(async (file) => {
    const names = Array.from({ length: 12 }, (_, index) => `sink-${index}`)
    await Promise.all(names.map((name) => createToken(file, { ...orders, name })))
    const tokens = await readTokenFile(file)
    assert.deepEqual([...tokens.values()].map(({ name }) => name).sort(), [...names].sort())
    await assert.rejects(
      createToken(file, { ...orders, name: names[3]! }),
      /there is a token sink-3/,
    )
    for (const wish of [
      { ...orders, name: '' },
      { ...orders, name: 'a b' },
      { ...orders, tenant: '-x' },
      { ...orders, roles: [] },
      { ...orders, lifeMs: -1 },
      { ...orders, lifeMs: 1e300 },
    ]) {
      await assert.rejects(createToken(file, wish), TypeError)
    }
    assert.equal((await readTokenFile(file)).size, 12)
  }))

test('who fails too often is slowed down, who has a token never is', () =>
  withFile(async (file, directory) => {
    const { text } = await createToken(file, orders)
    await using audit = new AuditLog(directory)
    const gate = await tokenGate(file, { audit })
    const codes: string[] = []
    for (let index = 0; index < 60; index++) {
      // One host has all addresses of its /64.
      const address = `2001:db8::${index.toString(16)}`
      codes.push((await refusalOf(gate.admit(asking('Bearer x'), 'read', address))).code)
    }
    assert.equal(codes.filter((code) => code === 'token_unknown').length, 20)
    assert.equal(codes.at(-1), 'too_many_attempts')
    await gate.admit(asking(`Bearer ${text}`), 'ingest', '2001:db8::1')
    const elsewhere = await refusalOf(gate.admit(asking('Bearer x'), 'read', '2001:db8:0:1::1'))
    assert.equal(elsewhere.code, 'token_unknown')
    assert.equal(gate.refused.unknown, 61)
    await audit.flush()
    const lines = (await readFile(join(directory, 'audit.jsonl'), 'utf8')).trim().split('\n')
    assert.equal(lines.filter((line) => JSON.parse(line).what === 'attempt').length, 21)
    assert.ok(!lines.join().includes(text.slice(22)))
  }))
