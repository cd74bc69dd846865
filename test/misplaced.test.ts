import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  ConfigError,
  config,
  connect,
  consume,
  event,
  eventDispatcher,
  memory,
  proxy,
  publisher,
  rpc,
  run,
  timer,
  workerContext,
} from 'clew'
import { http } from 'clew/http'
import { grantIssuer, grantVerifier } from 'clew/profile'
import { memoryCluster } from 'clew/testing'

class Shop {
  static readonly name = 'shop'
  itself = proxy<Shop>('shop')
  letters = publisher()

  @rpc hello(): string {
    return 'hello'
  }
  @rpc async call(): Promise<string> {
    return await proxy<Shop>('shop').hello()
  }
  @rpc id(): string {
    return workerContext().callId
  }
  @rpc setting(): unknown {
    return config().GREETING
  }
  @rpc async tell(): Promise<void> {
    await eventDispatcher()('told', {})
  }
  @rpc async publishNowhere(): Promise<void> {
    await this.letters({})
  }
  @rpc async inField(): Promise<string> {
    return await this.itself.hello()
  }
}

describe('what stands in the wrong place', () => {
  it('a dependency declared in a method says that it belongs in a field', async () => {
    await using cluster = await memoryCluster(Shop, { log: () => {} })
    const shop = cluster.proxy<Shop>('shop')
    assert.equal(await shop.inField(), 'hello')
    await assert.rejects(shop.publishNowhere(), /A publisher of shop has no exchange and no queue/)
    for (const method of ['call', 'id', 'setting', 'tell'] as const) {
      await assert.rejects(shop[method](), /only in a field of a service/, method)
    }
  })

  it('an instance made by hand takes other values for its fields', async () => {
    const shop = new Shop()
    assert.throws(() => shop.itself.hello, ConfigError)
    Object.assign(shop, { itself: { hello: async () => 'fake' } })
    assert.equal(await shop.inField(), 'fake')
  })

  it('a decorator that needs arguments declares nothing silently without them', () => {
    const bare: Readonly<Record<string, unknown>> = { event, consume, timer, http }
    for (const [name, decorator] of Object.entries(bare)) {
      const use = () => {
        class Wrong {
          @(decorator as typeof rpc) handle() {}
        }
        return Wrong
      }
      assert.throws(use, (error: Error) => {
        assert.ok(error instanceof ConfigError, name)
        assert.match(error.message, new RegExp(`handle needs arguments, such as @${name}\\(`))
        return true
      })
    }
    assert.throws(() => {
      class Wrong {
        @timer(-1) tick() {}
      }
      return Wrong
    }, /-1 is no interval; use seconds/)
    assert.throws(() => {
      class Wrong {
        @((timer as (when?: number) => ReturnType<typeof timer>)()) tick() {}
      }
      return Wrong
    }, /undefined is no interval/)
  })

  it('what is left out is told by the name of what needs it', async () => {
    const [runAny, connectAny] = [run, connect] as unknown as ((
      ...given: unknown[]
    ) => Promise<unknown>)[]
    await assert.rejects(runAny!({}, { broker: memory() }), /a service class or a list of them/)
    await assert.rejects(runAny!(Shop), /run needs a broker/)
    await assert.rejects(connectAny!(), /connect needs a broker/)
    await using cluster = await connect(memory())
    const dispatch = cluster.dispatch as (...given: unknown[]) => Promise<void>
    await assert.rejects(dispatch.call(cluster, undefined, 'made'), /the service is undefined/)
    await assert.rejects(dispatch.call(cluster, 'shop'), /the event type is undefined/)
    assert.throws(() => grantVerifier({} as never), /grantVerifier needs a key at least/)
    assert.throws(() => grantIssuer({} as never), /grantIssuer needs a private key/)
  })
})
