import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { TcpProxy } from '../broker/contract/tcp-proxy.ts'
import { ConfigError, RemoteError } from '../call/index.ts'
import { traced, traceOf } from '../profile/index.ts'
import { type Rpc, rpc, withOptions } from '../service/index.ts'
import { eventually, memoryCluster, outline } from '../testing/index.ts'
import { RedisError, redis } from './index.ts'

class Stock {
  static readonly name = 'stock'
  cache = redis((config) => config.cache as object)

  @rpc async put(key: string, title: string, amount: number): Promise<Record<string, string>> {
    await this.cache.hset(key, { title, amount })
    await this.cache.hincrby(key, 'amount', -1)
    return await this.cache.hgetall(key)
  }

  @rpc async both(key: string): Promise<unknown[]> {
    return [
      ...(await this.cache.multi((batch) => {
        batch.hincrby(key, 'amount', 2)
        batch.hincrby(key, 'amount', 3)
        batch.hget(key, 'amount')
      })),
      ...(await this.cache.pipeline((batch) => batch.exists(key))),
    ]
  }

  @rpc async keys(pattern: string): Promise<string[]> {
    return await this.cache.keys(pattern)
  }

  @rpc async remove(key: string): Promise<number> {
    return await this.cache.del(key)
  }

  @rpc async mistake(key: string): Promise<void> {
    await this.cache.hincrby(key, 'title', 1)
  }

  @rpc async refused(command: string): Promise<string> {
    const call = (
      this.cache as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
    )[command]!
    const error = await call('key', 'block', 0).catch((thrown: unknown) => thrown)
    assert.ok(error instanceof RedisError)
    return error.message
  }
}

const address = process.env.CLEW_REDIS_URL
const skip = address === undefined && 'needs Redis: set CLEW_REDIS_URL, or run `npm test`'

async function withStock(
  options: object,
  body: (stock: Rpc<Stock>) => Promise<void>,
): Promise<void> {
  await using cluster = await memoryCluster(Stock, { config: { cache: options }, log: () => {} })
  await body(cluster.proxy<Stock>('stock'))
}

const ROADS = [
  { name: 'memory', url: 'memory:', skip: false },
  { name: 'redis', url: address ?? '', skip },
]

for (const { name: road, url, skip } of ROADS) {
  test(`${road}: commands, batches, and their place in the tree`, { skip }, () =>
    withStock({ url }, async (stock) => {
      const key = `stock_${randomUUID().slice(0, 8).replaceAll(/\d/g, 'x')}:1`
      const pattern = `${key.slice(0, key.indexOf(':'))}:?`
      const put = await traced(stock).put(key, 'boots', 7)
      assert.deepEqual({ ...put.result }, { title: 'boots', amount: '6' })
      assert.deepEqual(outline(put.trace), [
        'stock.put',
        [`stock.cache.HSET ${pattern}`],
        [`stock.cache.HINCRBY ${pattern}`],
        [`stock.cache.HGETALL ${pattern}`],
      ])
      const both = await traced(stock).both(key)
      assert.deepEqual(both.result, [8, 11, '11', 1])
      assert.deepEqual(outline(both.trace), [
        'stock.both',
        [`stock.cache.MULTI HINCRBY ${pattern} x2, HGET ${pattern}`],
        [`stock.cache.PIPELINE EXISTS ${pattern}`],
      ])
      const listed = await traced(stock).keys(`${key.slice(0, -1)}*`)
      assert.deepEqual(listed.result, [key])
      assert.deepEqual(outline(listed.trace), ['stock.keys', [`stock.cache.KEYS ${pattern}`]])
      await assert.rejects(
        stock.mistake(key),
        /hash value is not an integer|value is not an integer/,
      )
      assert.equal(await stock.remove(key), 1)
    }),
  )

  test(`${road}: what would disturb others on the connection is refused`, { skip }, () =>
    withStock({ url }, async (stock) => {
      for (const command of ['blpop', 'subscribe', 'watch', 'select', 'xread', 'monitor']) {
        assert.match(await stock.refused(command), /cannot be used here: all workers share/)
      }
      assert.deepEqual(await stock.keys('no such thing'), [])
    }),
  )
}

test('a Redis that is down or never answers is a clear error and no hang', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await new Promise((resolve) => silent.once('listening', resolve))
  const { port } = silent.address() as { port: number }
  const cases: readonly (readonly [string, RegExp, string])[] = [
    [
      'redis://:secret@127.0.0.1:1/0',
      /stock\.cache .*cannot be used.*ECONNREFUSED/,
      'RedisUnavailable',
    ],
    [`redis://:secret@127.0.0.1:${port}/0`, /took longer than 200 ms/, 'RedisTimeout'],
  ]
  for (const [url, says, remoteName] of cases) {
    const options = {
      url,
      commandTimeoutMs: remoteName === 'RedisTimeout' ? 200 : 5000,
      connectTimeoutMs: 1000,
    }
    await withStock(options, async (stock) => {
      const error = await traced(stock)
        .keys('stock:*')
        .catch((thrown: unknown) => thrown)
      assert.ok(error instanceof RemoteError)
      assert.match(error.message, says)
      assert.doesNotMatch(error.message, /secret/)
      assert.deepEqual(outline(traceOf(error)!), [
        `stock.keys threw ${remoteName}`,
        [`stock.cache.KEYS stock:? threw ${remoteName}`],
      ])
    })
  }
  silent.close()
})

test('after an outage it goes on by itself; a frozen one lets nobody hang', { skip }, async () => {
  await using proxy = await TcpProxy.open(address!)
  await withStock({ url: proxy.url, commandTimeoutMs: 300 }, async (stock) => {
    assert.deepEqual(await stock.keys('no such thing'), [])
    proxy.reset()
    await eventually(async () => assert.deepEqual(await stock.keys('no such thing'), []))
    proxy.silent = true
    await assert.rejects(stock.keys('stock:*'), /took longer than 300 ms/)
    await assert.rejects(withOptions(stock, { timeoutMs: 100 }).keys('stock:*'), /timeout|longer/)
    proxy.silent = false
    proxy.reset()
    await eventually(async () => assert.deepEqual(await stock.keys('no such thing'), []))
  })
})

test('many may wait for a Redis that is down without a warning that they leak', async () => {
  const warnings: Error[] = []
  const warned = (warning: Error) => warnings.push(warning)
  process.on('warning', warned)
  const config = { cache: { url: 'redis://127.0.0.1:1/0' } }
  await using cluster = await memoryCluster(Stock, { config, maxWorkers: 50, log: () => {} })
  const stock = cluster.proxy<Stock>('stock')
  const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => stock.keys('*')))
  await setImmediate()
  process.off('warning', warned)
  assert.ok(outcomes.every(({ status }) => status === 'rejected'))
  assert.deepEqual(warnings, [])
})

test('what goes on after its service has stopped opens no connection again', { skip }, async () => {
  await using proxy = await TcpProxy.open(address!)
  let late: (() => Promise<unknown>) | undefined
  class Forgetful {
    static readonly name = 'forgetful'
    cache = redis({ url: proxy.url })
    @rpc async leave(): Promise<void> {
      const { cache } = this
      late = () => cache.ping()
      assert.equal(await late(), 'PONG')
    }
  }
  {
    await using cluster = await memoryCluster(Forgetful)
    await cluster.proxy<Forgetful>('forgetful').leave()
  }
  await assert.rejects(late!(), /the connection is closed/)
  assert.equal(proxy.accepted, 1)
})

test('answers that are owed are bounded', { skip }, async () => {
  await using proxy = await TcpProxy.open(address!)
  await withStock({ url: proxy.url, commandTimeoutMs: 200, pending: 2 }, async (stock) => {
    await stock.keys('no such thing')
    proxy.silent = true
    const outcomes = await Promise.allSettled([1, 2, 3, 4].map(() => stock.keys('stock:*')))
    const said = outcomes.map((one) => String((one as PromiseRejectedResult).reason))
    assert.equal(said.filter((text) => /owes 2 answers already/.test(text)).length, 2)
  })
})

test('the address may come from the configuration; a wrong one is told before any call', async () => {
  class Cached {
    static readonly name = 'cached'
    cache = redis()
    @rpc async ping(): Promise<string> {
      return await this.cache.ping()
    }
  }
  await using cluster = await memoryCluster(Cached, { config: { REDIS_URI: 'memory:' } })
  assert.equal(await cluster.proxy<Cached>('cached').ping(), 'PONG')
  await assert.rejects(memoryCluster(Cached), /REDIS_URI.*Got nothing/)
  await assert.rejects(memoryCluster(Cached, { config: { REDIS_URI: 'http://x' } }), /Got http/)
  await assert.rejects(
    memoryCluster(Cached, { config: { REDIS_URI: 'redis://me:sec/ret@host' } }),
    (error: Error) => error instanceof ConfigError && !/sec/.test(error.message),
  )
  // What YAML makes of `memory:` without quotes.
  const unquoted = { REDIS_URI: { memory: null } }
  await assert.rejects(memoryCluster(Cached, { config: unquoted }), /needs quotes, as in "memory:"/)
})
