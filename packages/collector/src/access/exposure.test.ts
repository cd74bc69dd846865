import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError } from '../http/api-error.ts'
import { checkExposure, ExposureError } from './exposure.ts'
import { openGate } from './open-gate.ts'

const bare = { tls: false, tokens: false }

test('without tokens and TLS only this machine can be served', async () => {
  for (const host of ['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1', 'localhost']) {
    assert.equal((await checkExposure({ host, ...bare })).loopback, true, host)
  }
  const beyond = [
    '0.0.0.0',
    '::',
    '10.0.0.1',
    '192.168.1.1',
    'fe80::1',
    '::ffff:0.0.0.0',
    '128.0.0.1',
  ]
  for (const host of beyond) {
    await assert.rejects(checkExposure({ host, ...bare }), /can be reached.*--tokens.*--tls-cert/s)
    await assert.rejects(checkExposure({ host, tls: true, tokens: false }), /--tokens/)
    await assert.rejects(checkExposure({ host, tls: false, tokens: true }), /--behind-tls-proxy/)
    const full = await checkExposure({ host, tls: true, tokens: true })
    assert.deepEqual(full, { address: host, loopback: false })
    await checkExposure({ host, tls: false, tokens: true, behindProxy: true })
  }
})

test('a name counts for all of its addresses, and is not looked up again', async () => {
  const names: Readonly<Record<string, readonly string[]>> = {
    here: ['127.0.0.1', '::1'],
    both: ['127.0.0.1', '10.0.0.1'],
    none: [],
  }
  const resolve = async (name: string) => names[name]!
  const here = await checkExposure({ host: 'here', ...bare }, resolve)
  assert.deepEqual(here, { address: '127.0.0.1', loopback: true })
  await assert.rejects(checkExposure({ host: 'both', ...bare }, resolve), /127.0.0.1, 10.0.0.1/)
  await assert.rejects(checkExposure({ host: 'none', ...bare }, resolve), ExposureError)
  await assert.rejects(checkExposure({ host: 'no.such.invalid', ...bare }), ExposureError)
  // Not an address to us, whatever the system's resolver would make of it.
  await assert.rejects(checkExposure({ host: '0', ...bare }), ExposureError)
})

test('a proxy in front needs tokens, on whatever address', async () => {
  const wish = { host: '127.0.0.1', ...bare, behindProxy: true }
  await assert.rejects(checkExposure(wish), /Behind a proxy .* needs tokens/)
})

test('an open gate is for this machine, and no page or proxy gets through it', async () => {
  const gate = openGate()
  const admit = (url: string, address: string, headers: Record<string, string> = {}) =>
    gate.admit(new Request(url, { headers }), 'admin', address)
  for (const url of [
    'http://localhost:7117/',
    'http://127.0.0.1/',
    'http://[::1]:7117/',
    'http://a.localhost/',
  ]) {
    assert.equal((await admit(url, '::ffff:127.0.0.1')).name, 'local')
  }
  assert.equal((await admit('http://collector/', '')).tenant, 'default')
  const refused: readonly (readonly [string, string, Record<string, string>?])[] = [
    ['http://localhost/', '10.0.0.1'],
    ['http://localhost/', '10.0.0.1', { 'x-forwarded-for': '127.0.0.1' }],
    ['http://localhost/', '127.0.0.1', { 'x-forwarded-for': '127.0.0.1' }],
    ['http://localhost/', '127.0.0.1', { forwarded: 'for=127.0.0.1' }],
    ['http://evil.example:7117/', '127.0.0.1'],
    ['http://localhost.evil.example/', '127.0.0.1'],
    ['http://127.0.0.1.evil.example/', '127.0.0.1'],
  ]
  for (const [url, address, headers] of refused) {
    await assert.rejects(admit(url, address, headers), (error: unknown) => {
      assert.ok(error instanceof ApiError)
      return error.status === 403
    })
  }
})
