import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createToken, revokeToken } from './access/token-file.ts'
import { type TokenGate, tokenGate } from './access/token-gate.ts'
import { type Collector, createCollector } from './collector.ts'
import type { Role, Route } from './http/route.ts'
import { embeddedStore } from './store/embedded-store.ts'

/** What whoever reaches the port may know: that it is well, and what can be asked. */
const OPEN = ['/healthz', '/api/openapi.json']
const ROLES: readonly Role[] = ['ingest', 'read', 'admin']

let directory: string
let collector: Collector
let gate: TokenGate
let tokens: Record<Role | 'expired', string>
let nowMs = Date.now()

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'clew-who-'))
  const file = join(directory, 'tokens.json')
  const make = async (name: string, role: Role, lifeMs?: number) =>
    (await createToken(file, { name, roles: [role], tenant: 'shop', lifeMs })).text
  tokens = {
    ingest: await make('sink', 'ingest'),
    read: await make('ada', 'read'),
    admin: await make('root', 'admin'),
    expired: await make('old', 'admin', 1000),
  }
  nowMs += 10_000
  gate = await tokenGate(file, { nowMs: () => nowMs })
  collector = createCollector({ store: await embeddedStore(join(directory, 'store')), gate })
})

after(async () => {
  await collector.close()
  await rm(directory, { recursive: true, force: true })
})

/** Every request comes from another address: who fails often is slowed down. */
let asked = 0
const address = () => `10.${(asked >> 16) & 255}.${(asked >> 8) & 255}.${asked++ & 255}`

function ask({ method, path }: Route, headers: Record<string, string>, query = '') {
  const url = `http://collector${path.replace(/\{\w+\}/gu, 'ab12')}${query}`
  // Those that would stream for ever are let go at once.
  const signal = AbortSignal.timeout(2000)
  return collector.fetch(new Request(url, { method, headers, signal }), address())
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

test('every route says who may ask it, and only what is meant to is open', () => {
  assert.ok(collector.routes.length > 0)
  const names = new Set(collector.routes.map(({ name }) => name))
  assert.equal(names.size, collector.routes.length)
  for (const { role, path, method } of collector.routes) {
    assert.ok(role === 'open' ? OPEN.includes(path) : ROLES.includes(role), path)
    if (role === 'open') assert.equal(method, 'GET')
    // Counts of all tenants together are nobody's own.
    if (path === '/metrics') assert.equal(role, 'admin')
    // What deletes is for those who may.
    if (method === 'DELETE') assert.equal(role, 'admin', path)
  }
})

test('no route answers anybody without a token that counts', async () => {
  const whole = tokens.admin
  const none = Buffer.from('{"alg":"none"}').toString('base64url')
  const admin = Buffer.from('{"sub":"root","roles":["admin"],"tenant":"shop"}').toString(
    'base64url',
  )
  const tampered = whole.slice(0, -1) + (whole.endsWith('A') ? 'B' : 'A')
  const tries: readonly (readonly [Record<string, string>, string?])[] = [
    [{}],
    [{}, `?token=${whole}&access_token=${whole}&authorization=Bearer%20${whole}`],
    [{ cookie: `token=${whole}; authorization=Bearer ${whole}` }],
    [{ 'x-api-key': whole, 'x-clew-token': whole, 'proxy-authorization': `Bearer ${whole}` }],
    [{ 'x-forwarded-for': '127.0.0.1', 'x-real-ip': '127.0.0.1', forwarded: 'for=127.0.0.1' }],
    [{ 'x-forwarded-user': 'root', 'x-clew-tenant': 'shop', 'x-scope-orgid': 'shop' }],
    [{ authorization: `Basic ${Buffer.from(`root:${whole}`).toString('base64')}` }],
    [bearer(tokens.expired)],
    [bearer(tampered)],
    [bearer(`${none}.${admin}.`)],
    [bearer(`${whole} ${whole}`)],
    [bearer('x'.repeat(64 * 1024))],
    [bearer(whole.slice(0, 21))],
    [{ authorization: `Bearer ${whole}, Bearer ${whole}` }],
  ]
  for (const route of collector.routes) {
    if (route.role === 'open') continue
    for (const [headers, query] of tries) {
      const response = await ask(route, headers, query)
      const text = await response.text()
      const shown = `${route.method} ${route.path} ${JSON.stringify(headers).slice(0, 80)}: ${text}`
      assert.equal(response.status, 401, shown)
      assert.match(response.headers.get('www-authenticate')!, /^Bearer realm="clew"/)
      const all = text + JSON.stringify([...response.headers])
      for (const token of Object.values(tokens)) assert.ok(!all.includes(token.slice(22)), shown)
    }
  }
})

test('no route answers a token of another role', async () => {
  for (const route of collector.routes) {
    for (const role of ROLES) {
      const response = await ask(route, bearer(tokens[role]))
      const may = route.role === 'open' || role === 'admin' || role === route.role
      const refused = response.status === 401 || response.status === 403
      assert.equal(refused, !may, `${role} at ${route.method} ${route.path}: ${response.status}`)
      await response.body?.cancel()
    }
  }
})

test('headers that would smuggle others in are no headers at all', () => {
  for (const evil of [
    `${tokens.ingest}\r\nx-role: admin`,
    `${tokens.ingest}\nx: y`,
    'a\0b',
    'ü€',
  ]) {
    assert.throws(() => new Headers({ authorization: `Bearer ${evil}` }), TypeError)
  }
})

test('a tail ends when the token of its reader is revoked', async () => {
  const url = 'http://collector/api/tail'
  const response = await collector.fetch(new Request(url, { headers: bearer(tokens.read) }), '')
  assert.equal(response.status, 200)
  await revokeToken(join(directory, 'tokens.json'), 'ada')
  // Resolves when the stream is over.
  assert.match(await response.text(), /ready/)
})
