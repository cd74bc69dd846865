/** Extensions made of extensions, as Nameko's sub-extensions. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { connect, Dependency, Extension, inject, memory, rpc, run, type WorkerContext } from 'clew'

const QUIET = { signals: false, log: () => {} }

const lines: string[] = []

class Noting extends Extension {
  readonly #name: string
  constructor(name: string) {
    super()
    this.#name = name
  }
  #note(what: string): void {
    lines.push(`${this.#name} ${what} in ${this.host.service}`)
  }
  override setup() {
    this.#note('set up')
  }
  override start() {
    this.#note('started')
  }
  override stop() {
    this.#note('stopped')
  }
  override kill() {
    this.#note('killed')
  }
}

class Pool extends Noting {
  readonly socket = this.use(new Noting('socket'))
}

/** A dependency that another one is made of, which asks it in every worker's name. */
class Session extends Dependency<string> {
  override get(worker: WorkerContext) {
    return `session of ${worker.entrypoint.name}`
  }
}

class Store extends Dependency<string> {
  readonly pool = this.use(new Pool('pool'))
  readonly session = this.use(new Session())
  override start() {
    lines.push('store started')
  }
  override stop() {
    lines.push('store stopped')
  }
  override get(worker: WorkerContext) {
    return `${this.session.get(worker)} in ${this.session.host.service}`
  }
}

class Shop {
  static readonly name = 'shop'
  store = inject(new Store())
  @rpc open() {
    return this.store
  }
}

describe('extensions made of extensions', () => {
  it('start after what they are made of, and stop before it', async () => {
    lines.length = 0
    const broker = memory()
    const running = await run(Shop, { broker, ...QUIET })
    await using cluster = await connect(broker)
    assert.equal(await cluster.proxy<Shop>('shop').open(), 'session of open in shop')
    await running.stop()
    assert.deepEqual(lines, [
      'socket set up in shop',
      'pool set up in shop',
      'socket started in shop',
      'pool started in shop',
      'store started',
      'store stopped',
      'pool stopped in shop',
      'socket stopped in shop',
    ])
  })

  it('are killed with all their parts', async () => {
    lines.length = 0
    const running = await run(Shop, { broker: memory(), ...QUIET })
    lines.length = 0
    await running.kill()
    assert.deepEqual(lines, ['pool killed in shop', 'socket killed in shop'])
  })
})
