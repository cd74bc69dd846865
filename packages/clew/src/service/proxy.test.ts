import assert from 'node:assert/strict'
import { it } from 'node:test'
import { inspect } from 'node:util'
import { clusterOf, proxyOf } from './proxy.ts'

it('a proxy is looked at, printed and awaited without a call', async () => {
  const called: string[] = []
  const caller = {
    invoke: async (service: string, method: string) => void called.push(`${service}.${method}`),
    publish: async () => {},
  }
  const proxy = proxyOf<{ sell(): void }>(caller, 'shop') as object
  const cluster = clusterOf(caller) as object
  assert.equal(JSON.stringify({ proxy, cluster }), '{"proxy":{},"cluster":{}}')
  assert.equal(`${proxy}`, '[proxy of shop]')
  assert.equal(await proxy, proxy)
  assert.equal(await cluster, cluster)
  inspect(proxy, { depth: 5 })
  assert.deepEqual(called, [])
  await (proxy as { sell(): Promise<void> }).sell()
  assert.deepEqual(called, ['shop.sell'])
})
