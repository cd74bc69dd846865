import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConfigError } from '../call/index.ts'
import { Dependency, inject } from './dependency.ts'
import { proxy } from './proxy.ts'
import { rpc } from './rpc.ts'
import { defineService, type ServiceClass } from './service-class.ts'

class Answer extends Dependency<number> {
  override get() {
    return 42
  }
}

class Shop {
  static readonly name: string = 'shop'
  answer = inject(new Answer())
  ids = proxy<Shop>('shop')
  notInjected = 7

  @rpc sell() {
    return this.answer
  }
  @rpc({ name: 'refund_all', params: ['reason'] }) refund(_reason: string) {}
  helper() {}
}

function refused(serviceClass: ServiceClass, message: RegExp) {
  assert.throws(
    () => defineService(serviceClass),
    (error) => error instanceof ConfigError && message.test(error.message),
  )
}

describe('defineService', () => {
  it('finds entrypoints by their wire names and dependencies by their fields', () => {
    const definition = defineService(Shop)
    assert.equal(definition.name, 'shop')
    assert.deepEqual([...definition.rpc.keys()], ['sell', 'refund_all'])
    assert.equal(definition.rpc.get('refund_all')?.property, 'refund')
    assert.deepEqual(
      definition.dependencies.map(([field]) => field),
      ['answer', 'ids'],
    )
  })

  it('inherits entrypoints and lets a subclass replace them', () => {
    class Outlet extends Shop {
      static override readonly name: string = 'outlet'
      @rpc({ name: 'sell_cheap' }) override sell() {
        return 1
      }
    }
    assert.deepEqual([...defineService(Outlet).rpc.keys()].sort(), ['refund_all', 'sell_cheap'])
    assert.ok(defineService(Shop).rpc.has('sell'), 'the parent keeps its own')
  })

  it('refuses a class without a name, methods or a routable name', () => {
    class Nameless {
      @rpc hello() {}
    }
    class Empty {
      static readonly name = 'empty'
      unreachable() {}
    }
    class Dotted {
      static readonly name = 'a.b'
      @rpc hello() {}
    }
    refused(Nameless, /static readonly name/)
    refused(Empty, /no entrypoint/)
    refused(Dotted, /cannot be routed/)
  })

  it('refuses to leave an argument readable in logs because its name was misspelt', () => {
    assert.throws(
      () =>
        class {
          @rpc({ sensitive: ['card.number', 'pasword'] }) pay(_card: object, _password: string) {}
        },
      (error) =>
        error instanceof ConfigError && /sensitive names "card.number"/.test(error.message),
    )
    class Declared {
      @rpc({ params: ['card'], sensitive: ['card.number'] }) pay(_card: object) {}
    }
    assert.ok(Declared)
  })

  it('refuses two methods with one wire name', () => {
    class Twice {
      static readonly name = 'twice'
      @rpc({ name: 'same' }) first() {}
      @rpc({ name: 'same' }) second() {}
    }
    refused(Twice, /two methods with the wire name same/)
  })

  it('refuses a dependency that cannot be injected', () => {
    class Hidden {
      static readonly name = 'hidden'
      #answer = inject(new Answer())
      @rpc get() {
        return this.#answer
      }
    }
    refused(Hidden, /#private field/)
  })

  it('refuses decorators of the old kind in words', () => {
    const old = rpc as unknown as (target: object, name: string, descriptor: object) => void
    const withOptions = rpc({ name: 'x' }) as unknown as typeof old
    for (const decorate of [old, withOptions]) {
      assert.throws(() => decorate(Shop.prototype, 'sell', {}), /remove `experimentalDecorators`/)
    }
  })
})
