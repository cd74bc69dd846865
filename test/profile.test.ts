import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import {
  type Broker,
  connect,
  type Mailbox,
  type Plugin,
  type Problem,
  proxy,
  type Rpc,
  rpc,
  run,
  type ServiceClass,
  withOptions,
} from 'clew'
import { fileSink, profile, traced, traceOf } from 'clew/profile'
import { type CallNode, type CallTree, callTree, parseTraces, type Trace } from 'clew/trace'
import fc from 'fast-check'
import { ROADS, type Road, uniqueName } from './brokers.ts'

/** The shape of a tree: names, nested, with the status where it is not ok. */
type Outline = readonly [string, ...Outline[]]

function outline(call: CallNode): Outline {
  const status = call.status === 'ok' ? '' : ` ${call.status}${call.error ? ` ${call.error}` : ''}`
  return [`${call.method}${status}`, ...call.calls.map(outline)]
}

function whole(trace: Trace): CallTree {
  const tree = callTree(trace)
  assert.deepEqual(tree.problems, [])
  assert.equal(tree.complete, true, `incomplete: ${tree.missingCalls} calls missing`)
  for (const call of everyCall(tree.root)) {
    assert.equal(call.presence, '1111', `${call.method} has all four entries`)
    assert.ok(call.handleMs! <= call.totalMs!, `${call.method} handles no longer than it takes`)
  }
  return tree
}

function* everyCall(call: CallNode): Generator<CallNode> {
  yield call
  for (const child of call.calls) yield* everyCall(child)
}

function services() {
  const name = uniqueName('node')
  const gate = Promise.withResolvers<void>()
  class Work {
    static readonly name: string = name
    self = proxy<Work>(name)
    @rpc async leaf(value: number) {
      return value
    }
    @rpc async fail(): Promise<void> {
      throw new RangeError('out of gold')
    }
    @rpc async chain(levels: number): Promise<number> {
      return levels === 0 ? 0 : 1 + (await this.self.chain(levels - 1))
    }
    @rpc async fan(width: number): Promise<number> {
      const replies = Array.from({ length: width }, (_, n) => this.self.leaf(n))
      return (await Promise.all(replies)).length
    }
    @rpc async mixed(): Promise<string> {
      await this.self.leaf(1)
      const [, failed] = await Promise.all([
        this.self.chain(1),
        this.self.fail().catch((error: Error) => error.message),
      ])
      await this.self.fan(2)
      return failed as string
    }
    @rpc async passOn(): Promise<void> {
      await this.self.fail()
    }
    @rpc async hold() {
      await gate.promise
    }
    @rpc async impatient() {
      await withOptions(this.self, { timeoutMs: 50 })
        .hold()
        .catch(() => {})
    }
    @rpc async forgetful() {
      this.self.hold().catch(() => {})
    }
    @rpc async unknown() {
      const nobody = this.self as unknown as Record<string, () => Promise<unknown>>
      await nobody.nothing!().catch(() => {})
    }
  }
  return { Work, name, gate }
}

async function started(
  road: Road,
  options: {
    use?: Plugin[]
    broker?: Broker
    clientUse?: Plugin[]
    onProblem?: (problem: Problem) => void
  } = {},
) {
  const { Work, name, gate } = services()
  const broker = options.broker ?? road.broker()
  const running = await run(Work as ServiceClass, {
    broker,
    delivery: road.delivery,
    use: options.use ?? [profile()],
    maxWorkers: 500,
    signals: false,
    log: () => {},
  })
  const cluster = await connect(broker, {
    delivery: road.delivery,
    use: options.clientUse ?? [],
    onProblem: options.onProblem ?? (() => {}),
  })
  const plain = cluster.proxy<InstanceType<typeof Work>>(name)
  return {
    broker,
    gate,
    name,
    cluster,
    plain: plain as Rpc<InstanceType<typeof Work>>,
    work: traced(plain),
    async [Symbol.asyncDispose]() {
      gate.resolve()
      await cluster.close()
      await running.stop()
    },
  }
}

/** The same broker on a network that lets no piece through. */
function withoutInboxes(broker: Broker): Broker {
  return {
    name: broker.name,
    async connect(options) {
      const connection = await broker.connect(options)
      const closed: Mailbox = {
        post: async () => false,
        open: (key, take) => connection.mailbox.open(key, take),
        ask: async () => false,
        listen: (take) => connection.mailbox.listen(take),
      }
      return new Proxy(connection, {
        get(target, property) {
          if (property === 'mailbox') return closed
          const value: unknown = Reflect.get(target, property, target)
          return typeof value === 'function' ? value.bind(target) : value
        },
      })
    },
  }
}

for (const road of ROADS) {
  describe(`profile on ${road.name}`, { skip: road.skip }, () => {
    it('brings the whole tree home with the reply', async () => {
      await using system = await started(road)
      const { result, trace } = await system.work.mixed()
      assert.equal(result, 'out of gold')
      const tree = whole(trace)
      assert.deepEqual(outline(tree.root), [
        'mixed',
        ['leaf'],
        ['chain', ['chain']],
        ['fail error RangeError'],
        ['fan', ['leaf'], ['leaf']],
      ])
      assert.equal(tree.calls, 8)
      assert.equal(tree.root.service, system.name)
      assert.ok(tree.root.inFlight === 1)
    })

    it('brings it home with an error, which says itself who failed first', async () => {
      await using system = await started(road)
      const error = await system.work.passOn().then(
        () => assert.fail('it should have failed'),
        (thrown: Error) => thrown,
      )
      assert.equal(error.message, 'out of gold')
      const tree = whole(traceOf(error) ?? assert.fail('no trace with the error'))
      assert.deepEqual(outline(tree.root), ['passOn error RangeError', ['fail error RangeError']])
    })

    it('stays whole at a depth of 200 and a width of 1,000, within the budget', async () => {
      await using system = await started(road)
      const deep = whole((await system.work.chain(199)).trace)
      assert.equal(deep.calls, 200)
      const wide = whole((await system.work.fan(1000)).trace)
      assert.equal(wide.calls, 1001)
      assert.equal(wide.root.calls.length, 1000)
    })

    it('sends what exceeds the budget around the reply, and loses nothing', async () => {
      let largest = 0
      const scale: Plugin = {
        name: 'scale',
        caller: (next) => async (call) => {
          const reply = await next(call)
          largest = Math.max(largest, reply.attachment?.length ?? 0)
          return reply
        },
      }
      await using system = await started(road, {
        use: [profile({ budget: 2048 })],
        clientUse: [scale],
      })
      const { trace } = await system.work.fan(400)
      assert.equal(whole(trace).calls, 401)
      assert.ok(largest > 0 && largest <= 2048, `the reply brought ${largest} bytes`)
      const deep = (await system.work.chain(150)).trace
      assert.equal(whole(deep).calls, 151)
      assert.ok(largest <= 2048, `the reply brought ${largest} bytes`)
    })

    it('folds what no inbox takes, and counts what was lost', async () => {
      const broker = withoutInboxes(road.broker())
      await using system = await started(road, { broker, use: [profile({ budget: 2048 })] })
      const lossy = callTree((await system.work.fan(300)).trace)
      assert.ok(lossy.missingCalls > 0)
      assert.equal(lossy.calls + lossy.missingCalls, 301, 'what got lost is counted')
      // From now on the services know that nobody takes pieces.
      const { result, trace } = await system.work.fan(300)
      assert.equal(result, 300)
      const tree = callTree(trace)
      assert.equal(tree.complete, false)
      const folded = tree.root.folds.reduce((sum, fold) => sum + fold.calls, 0)
      assert.ok(folded > 0, 'later siblings are folded')
      assert.equal(tree.calls + tree.missingCalls, 301, 'every call is there, folded or counted')
    })

    it('shows timeouts, pending calls and refused ones as what they are', async () => {
      await using system = await started(road)
      const impatient = callTree((await system.work.impatient()).trace)
      assert.deepEqual(outline(impatient.root), ['impatient', ['hold timeout RpcTimeout']])
      assert.equal(impatient.root.calls[0]?.late, true, 'its reply came when nobody waited')
      const forgetful = callTree((await system.work.forgetful()).trace)
      assert.deepEqual(outline(forgetful.root), ['forgetful', ['hold pending']])
      assert.equal(forgetful.root.calls[0]?.presence, '1000')
      const unknown = callTree((await system.work.unknown()).trace)
      assert.deepEqual(outline(unknown.root), ['unknown', ['nothing rejected MethodNotFound']])
    })

    it('keeps concurrent traces apart', async () => {
      await using system = await started(road)
      const traces = await Promise.all(
        Array.from({ length: 20 }, (_, n) => system.work.fan(n).then(({ trace }) => trace)),
      )
      for (const [n, trace] of traces.entries()) assert.equal(whole(trace).calls, n + 1)
      assert.equal(new Set(traces.map(({ id }) => id)).size, 20)
    })

    it('writes the traces that begin at a client with a sink to a file', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'clew-'))
      const path = join(folder, 'calls.jsonl')
      const sink = fileSink(path)
      {
        await using system = await started(road, { clientUse: [profile({ sink })] })
        assert.equal(await system.plain.chain(2), 2)
        assert.equal(await system.plain.fan(3), 3)
        const { trace } = await system.work.leaf(1)
        assert.equal(whole(trace).calls, 1, 'traced works beside a sink')
      }
      await sink.close()
      const { traces, problems } = parseTraces(await readFile(path, 'utf8'))
      assert.deepEqual(problems, [])
      const calls = traces.map((trace) => whole(trace).calls)
      assert.deepEqual(calls, [3, 4, 1])
      assert.deepEqual(sink.counts, { taken: 3, written: 3, dropped: 0 })
      await rm(folder, { recursive: true })
    })

    it('begins a trace at the callee when the caller keeps none', async () => {
      const taken: Trace[] = []
      const sink = {
        take: (trace: Trace) => void taken.push(trace),
        flush: async () => {},
        close: async () => {},
        counts: { taken: 0, written: 0, dropped: 0 },
      }
      {
        await using system = await started(road, { use: [profile({ sink })] })
        assert.equal(await system.plain.chain(2), 2)
      }
      assert.equal(taken.length, 1)
      const tree = callTree(taken[0]!)
      assert.deepEqual(outline(tree.root), ['chain', ['chain', ['chain']]])
      assert.equal(tree.root.presence, '0110')
    })

    it('survives a sink that throws, and says so', async () => {
      const told: string[] = []
      const sink = {
        take: () => {
          throw new Error('the disk is on fire')
        },
        flush: async () => {},
        close: async () => {},
        counts: { taken: 0, written: 0, dropped: 0 },
      }
      await using system = await started(road, {
        clientUse: [profile({ sink })],
        onProblem: ({ kind, error }) => told.push(`${kind}: ${(error as Error)?.message}`),
      })
      assert.equal(await system.plain.chain(2), 2)
      const { trace } = await system.work.chain(1)
      assert.equal(whole(trace).calls, 2)
      await new Promise((resolve) => setTimeout(resolve, 20))
      assert.ok(told.includes('profiler: the disk is on fire'), told.join())
    })

    it('leaves calls alone where nobody wants a trace', async () => {
      await using system = await started(road)
      assert.equal(await system.plain.chain(3), 3)
    })

    it('goes on through services that keep no trace', async () => {
      const broker = road.broker()
      await using below = await started(road, { broker })
      const name = uniqueName('plain')
      class Unprofiled {
        static readonly name: string = name
        work = proxy<{ chain(levels: number): number }>(below.name)
        @rpc async relay() {
          return await this.work.chain(1)
        }
      }
      await using _running = await run(Unprofiled, {
        broker,
        delivery: road.delivery,
        signals: false,
      })
      const { result, trace } = await traced(below.cluster.proxy<Unprofiled>(name)).relay()
      assert.equal(result, 1)
      const tree = callTree(trace)
      assert.deepEqual(outline(tree.root), ['relay', ['chain', ['chain']]])
      assert.equal(tree.root.presence, '1001')
      assert.equal(tree.root.calls[0]?.presence, '0110')
    })

    it('lets no metadata change a call, whatever its bytes', async () => {
      await fc.assert(
        fc.asyncProperty(hostileBytes, fc.string(), async (bytes, text) => {
          const harm: Plugin = {
            name: 'harm',
            callee: (next) => async (call) => ({ ...(await next(call)), attachment: bytes }),
          }
          const lie: Plugin = {
            name: 'lie',
            caller: (next) => (call) =>
              next({
                ...call,
                headers: { ...call.headers, tracestate: text, 'nameko.traceparent': text },
              }),
          }
          await using system = await started(road, {
            use: [lie, harm, profile()],
            clientUse: [lie],
          })
          const { result, trace } = await system.work.mixed()
          assert.equal(result, 'out of gold')
          const tree = callTree(trace)
          assert.equal(tree.root.method, 'mixed')
          assert.equal(tree.complete, false)
          await assert.rejects(system.work.fail(), /out of gold/)
        }),
        { numRuns: road.name === 'memory' ? 100 : 5 },
      )
    })

    it('takes any traceparent', async () => {
      await using system = await started(road)
      await fc.assert(
        fc.asyncProperty(hostileParents, async (traceparent) => {
          const foreign: Plugin = {
            name: 'foreign',
            caller: (next) => (call) =>
              next({ ...call, headers: { ...call.headers, traceparent } }),
          }
          await using cluster = await connect(system.broker, {
            delivery: road.delivery,
            use: [foreign],
          })
          const work = cluster.proxy<{ chain(levels: number): number }>(system.name)
          assert.equal(await work.chain(1), 1)
        }),
        { numRuns: road.name === 'memory' ? 50 : 5 },
      )
    })
  })
}

/** Anything, and blocks that look almost right. */
const hostileBytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Uint8Array.from([0xc1, bytes.length, ...bytes])),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Uint8Array.from([0xcf, bytes.length, ...bytes])),
  fc.constant(new Uint8Array(70_000).fill(0xc1)),
)

const hostileParents = fc.oneof(
  fc.string({ maxLength: 80 }),
  fc.constant(`00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`),
  fc.constant(`00-${'0'.repeat(32)}-${'0'.repeat(16)}-00`),
  fc.constant(`ff-${'a'.repeat(32)}-${'b'.repeat(16)}-01`),
  fc.constant('00-'.repeat(10_000)),
)
