import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AMQPClient, type AMQPMessage } from '@cloudamqp/amqp-client'
import {
  type ClientOptions,
  connect,
  event,
  eventDispatcher,
  type Plugin,
  type Problem,
  proxy,
  rabbitmq,
  rpc,
  run,
  type ServiceClass,
} from 'clew'
import {
  generateGrantKey,
  grantIssuer,
  grantVerifier,
  importGrantKeys,
  type ProfileOptions,
  profile,
  type Scope,
  type Sink,
  traced,
  traceOf,
} from 'clew/profile'
import { eventually } from 'clew/testing'
import {
  type CallNode,
  type CallTree,
  callTree,
  encodeTrace,
  parseTraces,
  type Trace,
} from 'clew/trace'
import { ROADS, type Road, uniqueName } from './brokers.ts'
import { tapOn } from './tap.ts'

const SECRET_HOST = 'secret-host-of-the-inside'

async function keysOf() {
  const made = await generateGrantKey()
  const [key] = await importGrantKeys(made.private)
  const [verifying] = await importGrantKeys(made.public!)
  return { key: key!, verifying: verifying! }
}

/** Two services on a broker that they share with strangers. */
async function shop(road: Road, plugin?: Plugin | 'untraced', more: ProfileOptions = {}) {
  const keys = await keysOf()
  const issuer = grantIssuer({ key: keys.key })
  const [edge, inside] = [uniqueName('edge'), uniqueName('inside')]
  class Inside {
    static readonly name: string = inside
    @rpc async secret_work(): Promise<number> {
      return 7
    }
    @rpc async secret_failure(): Promise<void> {
      throw new RangeError('out of gold')
    }
  }
  class Edge {
    static readonly name: string = edge
    inside = proxy<Inside>(inside)
    @rpc async order(count: number): Promise<number> {
      for (let at = 0; at < count; at++) await this.inside.secret_work()
      return count
    }
    @rpc async fail(): Promise<void> {
      await this.inside.secret_failure().catch(() => {})
      throw new TypeError('no such order')
    }
  }
  const problems: string[] = []
  const taken: Trace[] = []
  const access = { verify: grantVerifier({ keys: [keys.verifying] }), aliasKey: 'aliases in tests' }
  const own = issuer.source({ subject: 'edge', scope: 'full' })
  const broker = road.broker()
  const use =
    plugin === 'untraced'
      ? []
      : [plugin ?? profile({ require: 'grant', access, grant: own, host: SECRET_HOST, ...more })]
  const running = await run([Inside, Edge] as ServiceClass[], {
    broker,
    delivery: road.delivery,
    use,
    signals: false,
    log: ({ message }) => problems.push(message),
  })
  const clusters: AsyncDisposable[] = []
  const grant = (scope: Scope, uses = 1, audience = edge) =>
    issuer.issue({ subject: 'customer', audience, scope, uses })
  return {
    ...keys,
    issuer,
    grant,
    edge,
    inside,
    problems,
    taken,
    async caller(options: ClientOptions = {}) {
      const cluster = await connect(broker, { delivery: road.delivery, ...options })
      clusters.push(cluster)
      return traced(cluster.proxy<InstanceType<typeof Edge>>(edge))
    },
    async [Symbol.asyncDispose]() {
      for (const cluster of clusters) await cluster[Symbol.asyncDispose]()
      await running.stop()
    },
  }
}

const namesIn = (call: CallNode): string[] => [
  `${call.service}.${call.method}`,
  ...call.calls.flatMap(namesIn),
]

function keeping(taken: Trace[]): Sink {
  const counts = { taken: 0, written: 0, dropped: 0 }
  const take = (trace: Trace) => void taken.push(trace)
  return { take, flush: async () => {}, close: async () => {}, counts }
}

for (const road of ROADS) {
  describe(`grants on ${road.name}`, { skip: road.skip }, () => {
    it('bring the whole tree to who may see everything', async () => {
      await using system = await shop(road)
      const { edge, inside } = system
      const caller = await system.caller({ grant: await system.grant('full') })
      const { result, trace } = await caller.order(2)
      const tree = callTree(trace)
      assert.equal(result, 2)
      const work = `${inside}.secret_work`
      assert.deepEqual(namesIn(tree.root), [`${edge}.order`, work, work])
      assert.ok(tree.complete)
      assert.equal(tree.root.host, SECRET_HOST)
    })

    it('bring a view to who may see less', async () => {
      await using system = await shop(road)
      const { edge, inside } = system
      const own = await (await system.caller({ grant: await system.grant('own') })).order(2)
      const { root } = callTree(own.trace)
      const work = `${inside}.secret_work`
      assert.deepEqual(namesIn(root), [`${edge}.order`, work, work])
      assert.doesNotMatch(JSON.stringify(own.trace), new RegExp(SECRET_HOST))
      assert.match(root.host!, /^host-[0-9a-f]{8}$/)
      const total = await (await system.caller({ grant: await system.grant('total') })).order(2)
      const tree = callTree(total.trace)
      assert.deepEqual(namesIn(tree.root), [`${edge}.order`])
      assert.ok(Number.isInteger(Number(tree.root.handleMs!.toFixed(3))))
      assert.ok(tree.complete)
      const none = await (await system.caller({ grant: await system.grant('none') })).order(2)
      assert.equal(callTree(none.trace).root.presence, '1001')
    })

    it('are needed: without one, or with one that is refused, the call works and brings nothing', async () => {
      await using system = await shop(road)
      const other = await keysOf()
      const forged = await grantIssuer({ key: { ...other.key, kid: system.key.kid } }).issue({
        subject: 'x',
        audience: system.edge,
        scope: 'full',
      })
      const grants: Record<string, ClientOptions['grant']> = {
        missing: undefined,
        empty: '',
        garbage: 'garbage',
        huge: 'x'.repeat(5000),
        forged,
        'of another audience': await system.grant('full', 1, 'somebody_else'),
        'of a broken source': () => {
          throw new Error('the vault is closed')
        },
        'of a rejecting source': async () => {
          throw new Error('the vault is closed')
        },
        'of an odd source': (() => 7) as never,
      }
      for (const [which, grant] of Object.entries(grants)) {
        const problems: Problem[] = []
        const onProblem = (problem: Problem) => void problems.push(problem)
        const given = grant === undefined ? {} : { grant }
        const caller = await system.caller({ ...given, onProblem })
        const { result, trace } = await caller.order(1)
        assert.equal(result, 1, which)
        const { root, calls } = callTree(trace)
        assert.deepEqual([root.presence, calls], ['1001', 1], which)
        const error = await caller.fail().catch((thrown: Error) => thrown)
        assert.match(String(error), /no such order/, which)
        assert.equal(callTree(traceOf(error)!).calls, 1, which)
        if (which.includes('source')) assert.equal(problems[0]?.kind, 'grant_missing', which)
      }
      const refused = system.problems.filter((message) =>
        /a grant for .* was refused/.test(message),
      )
      assert.match(refused.join('\n'), /\(malformed\)/)
      assert.match(refused.join('\n'), /\(signature\)/)
      assert.match(refused.join('\n'), /\(audience\).*somebody_else/)
    })

    it('count once, or as often as they say', async () => {
      await using system = await shop(road)
      const caller = await system.caller({ grant: await system.grant('total', 2) })
      const presences = []
      for (let at = 0; at < 3; at++) {
        presences.push(callTree((await caller.order(0)).trace).root.presence)
      }
      assert.deepEqual(presences, ['1111', '1111', '1001'])
    })

    it('decide whose trace it is: a stranger continues none, and the service keeps what they said', async () => {
      const taken: Trace[] = []
      await using system = await shop(road, undefined, { sink: keeping(taken) })
      const stranger = await (await system.caller()).order(1)
      const friend = await (await system.caller({ grant: await system.grant('full') })).order(1)
      const partner = await (await system.caller({ grant: await system.grant('own') })).order(1)
      const deadline = Date.now() + 5000
      while (taken.length < 2 && Date.now() < deadline) await new Promise((r) => setTimeout(r, 20))
      const foreign = taken.map(({ id, entries }) => [
        id === stranger.trace.id || id === partner.trace.id,
        entries.find((entry) => entry.foreign !== undefined)?.foreign?.trace,
      ])
      assert.deepEqual(foreign, [
        [false, stranger.trace.id],
        [false, partner.trace.id],
      ])
      // What lies below is part of the service's own trace.
      for (const trace of taken) assert.equal(callTree(trace).calls, 2)
      assert.equal(callTree(friend.trace).calls, 2)
    })
  })
}

/** A shop that tells of its sales, and who hears of them; all show grants of their own, or none. */
async function market(road: Road, showing: boolean) {
  const { key, verifying } = await keysOf()
  const [sales, ledger] = [uniqueName('sales'), uniqueName('ledger')]
  class Sales {
    static readonly name: string = sales
    tell = eventDispatcher()
    @rpc async sell(): Promise<void> {
      await this.tell('sold', { id: 1 })
    }
  }
  class Ledger {
    static readonly name: string = ledger
    @event(sales, 'sold') async write(_sale: unknown): Promise<void> {}
  }
  const kept: Trace[] = []
  const issuer = grantIssuer({ key })
  const own = issuer.source({ subject: 'inside', audience: [sales, ledger], scope: 'full' })
  const access = { verify: grantVerifier({ keys: [verifying] }) }
  const grant = showing ? { grant: own } : {}
  const stack = new AsyncDisposableStack()
  const { delivery } = road
  const broker = road.broker()
  for (const service of [Sales, Ledger] as ServiceClass[]) {
    const use = [profile({ require: 'grant', access, sink: keeping(kept), ...grant })]
    stack.use(await run(service, { broker, delivery, use, signals: false, log: () => {} }))
  }
  const trees = () =>
    parseTraces(kept.map(encodeTrace).join('')).traces.map((trace) => callTree(trace))
  const connected = async (options: ClientOptions) =>
    stack.use(
      await connect(broker, { delivery, use: [profile({ sink: keeping(kept) })], ...options }),
    )
  return { sales, ledger, own, trees, connected, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

const shapes = (trees: readonly CallTree[]) =>
  trees.map(({ root }) => namesIn(root).map((name) => name.replace(/_\d+/g, ''))).sort()

for (const road of ROADS) {
  describe(`grants and events on ${road.name}`, { skip: road.skip }, () => {
    it('keep a tree whole among services that show them, and cut it where one does not', async () => {
      for (const showing of [true, false]) {
        await using system = await market(road, showing)
        const client = await system.connected({ grant: system.own })
        await client.proxy<{ sell(): Promise<void> }>(system.sales).sell()
        const first = ['sales.sell', 'sales.events.sold']
        const heard = 'ledger.on sold'
        const expected = showing ? [[...first, heard]] : [[heard], first]
        await eventually(() => assert.deepEqual(shapes(system.trees()), expected))
      }
    })

    it("are wanted of a stranger's event too", async () => {
      await using system = await market(road, true)
      const stranger = await system.connected({})
      await stranger.dispatch(system.sales, 'sold')
      const expected = [['ledger.on sold'], ['sales.events.sold']]
      const trees = await eventually(() => {
        const found = system.trees()
        assert.deepEqual(shapes(found), expected)
        return found
      })
      const ids = trees.map(({ traceId }) => traceId)
      assert.equal(new Set(ids).size, 2)
    })
  })
}

const url = process.env.CLEW_AMQP_URL
const skip = url === undefined && 'needs RabbitMQ: set CLEW_AMQP_URL, or run `npm test`'

describe('what a stranger on the broker sees without a grant', { skip }, () => {
  const road: Road = { name: '', delivery: 'nameko', skip: false, broker: () => rabbitmq(url!) }

  it('is byte for byte what services without a profiler send', async () => {
    await using traces = await shop(road)
    await using plain = await shop(road, 'untraced')
    const client = new AMQPClient(url!)
    const channel = await (await client.connect()).channel()
    const key = `clew1-${crypto.randomUUID()}`
    const queue = await channel.queueDeclare('', { exclusive: true })
    await channel.queueBind(queue.name, 'nameko-rpc', key)
    const replies: AMQPMessage[] = []
    const take = (message: AMQPMessage) => void replies.push(message)
    await channel.basicConsume(queue.name, { noAck: true }, take)
    const requests: readonly (readonly [string, unknown])[] = [
      ['order', { args: [1], kwargs: {} }],
      ['order', { args: [], kwargs: {} }],
      ['order', { args: [0, 1, 2, 3], kwargs: {} }],
      ['fail', { args: [], kwargs: {} }],
      ['nothing', { args: [], kwargs: {} }],
      ['order', { kwargs: {} }],
      ['order', []],
    ]
    const headers = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, tracestate: 'x=1' }
    let count = 0
    const answerOf = async (service: string, method: string, body: unknown, grant?: string) => {
      const before = replies.length
      await channel.basicPublish('nameko-rpc', `${service}.${method}`, JSON.stringify(body), {
        contentType: 'application/json',
        contentEncoding: 'utf-8',
        correlationId: `00000000-0000-4000-8000-${'b'.repeat(11)}${count % 10}`,
        replyTo: key,
        headers: grant === undefined ? headers : { ...headers, 'clew-grant': grant },
      })
      const deadline = Date.now() + 5000
      while (replies.length === before && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      const reply = replies[before]!
      const { properties } = reply
      // The names of the twins differ; nothing else may.
      const text = Buffer.from(reply.body ?? [])
        .toString('latin1')
        .replaceAll(service, 'SERVICE')
      return { text, properties }
    }
    try {
      for (const [method, body] of requests) {
        for (const grant of [undefined, 'garbage', await traces.grant('none')]) {
          const seen = await answerOf(traces.edge, method, body, grant)
          const expected = await answerOf(plain.edge, method, body)
          assert.deepEqual(seen, expected, `${method} ${JSON.stringify(body)}`)
        }
        count++
      }
      // The same request with a grant does bring something: the comparison would have noticed.
      const granted = await answerOf(traces.edge, ...requests[0]!, await traces.grant('own'))
      const { properties } = granted
      assert.equal(properties.contentEncoding, 'clew')
    } finally {
      await client.close()
    }
  })

  it('needs no second grant for a request that the broker delivers again', async () => {
    const { hostname, port } = new URL(url!)
    await using tap = await tapOn({ host: hostname, port: Number(port || 5672) })
    const tapped = new URL(url!)
    tapped.hostname = '127.0.0.1'
    tapped.port = String(tap.port)
    const { key, verifying } = await keysOf()
    const name = uniqueName('patient')
    let begun = 0
    const first = Promise.withResolvers<void>()
    class Patient {
      static readonly name: string = name
      @rpc async work(): Promise<number> {
        if (++begun > 1) return begun
        first.resolve()
        return new Promise<number>(() => {})
      }
    }
    const access = { verify: grantVerifier({ keys: [verifying] }) }
    const running = await run(Patient as ServiceClass, {
      broker: rabbitmq(tapped.href),
      use: [profile({ require: 'grant', access })],
      signals: false,
      log: () => {},
    })
    try {
      const claims = { subject: 'x', audience: name, scope: 'full' } as const
      const grant = await grantIssuer({ key }).issue(claims)
      await using cluster = await connect(rabbitmq(url!), { grant })
      const call = traced(cluster.proxy<Patient>(name)).work()
      await first.promise
      tap.cut()
      const { result, trace } = await call
      assert.equal(result, 2)
      const { root } = callTree(trace)
      assert.deepEqual([root.presence, root.redelivered], ['1111', true])
    } finally {
      await running.kill()
    }
  })

  it('has none of the names of the inside in more than a thousand calls', async () => {
    const { hostname, port } = new URL(url!)
    await using tap = await tapOn({ host: hostname, port: Number(port || 5672) })
    await using system = await shop(road)
    const tapped = new URL(url!)
    tapped.hostname = '127.0.0.1'
    tapped.port = String(tap.port)
    const searched = async (scope: Scope | undefined, calls: number) => {
      tap.clear()
      const grant = scope === undefined ? {} : { grant: await system.grant(scope, calls * 2) }
      await using cluster = await connect(rabbitmq(tapped.href), grant)
      const edge = traced(
        cluster.proxy<{ order(n: number): Promise<number>; fail(): Promise<void> }>(system.edge),
      )
      const work: Promise<unknown>[] = []
      for (let at = 0; at < calls; at++) {
        work.push(at % 3 === 0 ? edge.fail().catch(() => {}) : edge.order(at % 4))
        if (work.length === 50) await Promise.all(work.splice(0))
      }
      await Promise.all(work)
      const heard = tap.heard().toString('latin1')
      assert.ok(heard.length > calls * 50, 'the tap hears')
      const names = [SECRET_HOST, system.inside, 'secret_work', 'secret_failure', 'RangeError']
      return names.filter((name) => heard.includes(name))
    }
    assert.deepEqual(await searched(undefined, 1200), [])
    assert.deepEqual(await searched('none', 100), [])
    assert.deepEqual(await searched('total', 100), [])
    assert.deepEqual(await searched('own', 100), [
      system.inside,
      'secret_work',
      'secret_failure',
      'RangeError',
    ])
    assert.ok((await searched('full', 100)).includes(SECRET_HOST))
  })
})
