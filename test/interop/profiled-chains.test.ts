import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { RemoteError, withOptions } from 'clew'
import { traced, traceOf } from 'clew/profile'
import {
  type CallNode,
  type CallTree,
  callTree,
  encodeTrace,
  parseTraces,
  type Trace,
} from 'clew/trace'
import type { RawReply } from './peer.ts'
import type { Seen } from './typescript-services.ts'
import { namekos, type World, worldFor } from './world.ts'

for (const nameko of await namekos()) {
  describe(`call trees through Python (${nameko.name})`, { skip: nameko.skip }, () => {
    const world = worldFor(nameko)
    itStaysOneTree(world)
    itShowsErrors(world)
    itLeavesPythonAlone(world)
    itIsNothingToPythonCallers(world)
  })
}

/** Service and method, what was observed where it is not everything, how it ended where not well. */
type Outline = readonly [string, ...Outline[]]

function outlineIn(world: World, tree: CallTree): Outline {
  const outline = (call: CallNode): Outline => {
    const service = call.service.replace(`${world.prefix}_`, '')
    const seen = call.placeholder ? ' (relay)' : call.presence === '1111' ? '' : ` ${call.presence}`
    const ended = call.status === 'ok' ? '' : ` ${call.status} ${call.error}`
    const sides = call.placeholder ? '' : ended
    return [`${service}.${call.method}${seen}${sides}`, ...call.calls.map(outline)]
  }
  return outline(tree.root)
}

/** One tree, nothing odd about it, nothing known to be missing; the same again from a file. */
function treeOf(trace: Trace): CallTree {
  const tree = callTree(trace)
  assert.deepEqual(tree.problems, [])
  assert.equal(tree.missingCalls, 0)
  assert.equal(tree.root.placeholder, false)
  const { traces } = parseTraces(encodeTrace(trace))
  assert.equal(traces.length, 1)
  assert.deepEqual(callTree(traces[0]!).root, tree.root)
  for (const call of everyCall(tree.root)) {
    if (call.placeholder || call.handleMs === undefined || call.requestMs === undefined) continue
    assert.ok(call.handleMs <= call.totalMs!, `${call.method} handles no longer than it takes`)
  }
  return tree
}

function* everyCall(call: CallNode): Generator<CallNode> {
  yield call
  for (const child of call.calls) yield* everyCall(child)
}

const STEP: Outline = ['typescript.step 0110', ['below.leaf']]

function itStaysOneTree(world: World): void {
  it('TypeScript → Python → TypeScript', async () => {
    const { result, trace } = await traced(world.relay).relay('step', 'gold')
    assert.equal(result, 'gold')
    const tree = treeOf(trace)
    assert.deepEqual(outlineIn(world, tree), ['relay.relay 1001', STEP])
    const [step] = tree.root.calls
    assert.ok(step!.handleMs! <= tree.root.totalMs!)
    assert.ok(tree.root.host === undefined && step!.host !== undefined)
  })

  it('TypeScript → Python → Python → TypeScript', async () => {
    const { trace } = await traced(world.relay).relay_deeper('step', 'gold')
    const outline = ['relay.relay_deeper 1001', ['inner.relay (relay)', STEP]]
    assert.deepEqual(outlineIn(world, treeOf(trace)), outline)
  })

  it('TypeScript → TypeScript → Python → TypeScript → TypeScript', async () => {
    const { trace } = await traced(world.top).through('step', 1)
    assert.deepEqual(outlineIn(world, treeOf(trace)), ['top.through', ['relay.relay 1001', STEP]])
    const deeper = (await traced(world.top).deeper('step', 1)).trace
    const inner: Outline = ['inner.relay (relay)', STEP]
    assert.deepEqual(outlineIn(world, treeOf(deeper)), [
      'top.deeper',
      ['relay.relay_deeper 1001', inner],
    ])
  })

  it('with a fan-out on both roads', async () => {
    const width = 12
    const { result, trace } = await traced(world.top).fan(width)
    const values = Array.from({ length: width }, (_, n) => n)
    assert.deepEqual(result, { through: values, direct: values })
    const leaves: Outline[] = values.map(() => ['below.leaf'])
    const steps = values.map(() => STEP)
    const outline = ['top.fan', ['relay.relay_at_once 1001', ...steps], ...leaves]
    assert.deepEqual(outlineIn(world, treeOf(trace)), outline)
  })

  it('many at once, none of which takes from another', async () => {
    const roots = Array.from({ length: 20 }, (_, n) => traced(world.top).through('step', n))
    for (const [n, { result, trace }] of (await Promise.all(roots)).entries()) {
      assert.equal(result, n)
      assert.deepEqual(outlineIn(world, treeOf(trace)), ['top.through', ['relay.relay 1001', STEP]])
    }
  })

  it('a Python service at the end, and one that is too slow', async () => {
    const { trace } = await traced(world.typescript).seenBelow()
    assert.deepEqual(outlineIn(world, treeOf(trace)), [
      'typescript.seenBelow',
      ['greeter.seen 1001'],
    ])
    const hasty = withOptions(world.greeter, { timeoutMs: 50 })
    const error = await failed(traced(hasty).sleep(0.5))
    const tree = callTree(traceOf(error)!)
    assert.deepEqual(outlineIn(world, tree), ['greeter.sleep 1001 timeout RpcTimeout'])
  })
}

function itShowsErrors(world: World): void {
  it('where an error came from, through Python', async () => {
    world.expect(/^nameko\.exceptions\.RemoteError: Unheard the bottom has fallen out$/u)
    const error = await failed(traced(world.top).fail())
    assert.ok(error instanceof RemoteError)
    assert.equal(error.remoteName, 'RemoteError', 'what Python makes of an error it does not know')
    assert.equal(error.message, 'Unheard the bottom has fallen out')
    const outline = [
      'top.fail error RemoteError',
      [
        'relay.relay 1001 error RemoteError',
        ['typescript.failBelow 0110 error Unheard', ['below.fail error Unheard']],
      ],
    ]
    assert.deepEqual(outlineIn(world, treeOf(traceOf(error)!)), outline)
  })

  it('what Python refused', async () => {
    const untyped = world.greeter as unknown as Record<string, () => Promise<unknown>>
    const error = await failed(traced(untyped).no_such_method!())
    assert.deepEqual(outlineIn(world, treeOf(traceOf(error)!)), [
      'greeter.no_such_method 1001 rejected MethodNotFound',
    ])
  })
}

function itLeavesPythonAlone(world: World): void {
  it('sends Python two small headers of a constant size', async () => {
    const { result } = await traced(world.relay).seen()
    const { call_id_stack: _, ...context } = result.context
    assert.deepEqual(Object.keys(context).toSorted(), ['clew-timeout', 'traceparent'])
    assert.match(context.traceparent as string, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/u)
    const below = await Promise.all([
      traced(world.relay).relay('seen'),
      traced(world.relay).relay_deeper('seen'),
    ])
    for (const { result } of below) {
      const seen = result as Seen
      assert.deepEqual(seen.headers, [], 'nothing unprefixed comes through Python')
      assert.deepEqual(Object.keys(seen.context), ['traceparent'])
      assert.ok(seen.hasDeadline, 'the deadline travels through Python')
    }
  })
}

function itIsNothingToPythonCallers(world: World): void {
  /** The whole reply that a Nameko caller gets, its own addresses apart. */
  const reply = async (stem: string, method: string, args: string, headers = {}) => {
    const replyKey = crypto.randomUUID()
    const correlationId = crypto.randomUUID()
    const routingKey = `${world.name(stem)}.${method}`
    const body = `{"args": ${args}, "kwargs": {}}`
    const answer = await world.caller.ask({ routingKey, body, replyKey, correlationId, headers })
    assert.equal(answer?.properties.correlation_id, correlationId)
    return { ...answer, properties: { ...answer?.properties, correlation_id: '' } } as RawReply
  }

  it('answers callers that cannot read blocks byte for byte as without profiling', async () => {
    const traceparent = `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`
    const cases = [
      ['step', '["gold"]'],
      ['hello', '["Ada"]'],
      ['big', '[]'],
      ['unheard', '[]'],
      ['out_of_stock', '["gold"]'],
      ['no_such_method', '[]'],
    ] as const
    for (const [method, args] of cases) {
      const plain = await reply('plain', method, args)
      const text = Buffer.from(plain.body, 'base64').toString()
      const own = text.replaceAll(world.name('plain'), world.name('typescript'))
      const expected = { ...plain, body: Buffer.from(own).toString('base64') }
      for (const headers of [{}, { traceparent }, { 'nameko.traceparent': traceparent }]) {
        assert.deepEqual(await reply('typescript', method, args, headers), expected, method)
      }
    }
  })

  it("has the properties of Nameko's own replies", async () => {
    const ours = await reply('typescript', 'hello', '["Ada"]')
    const theirs = await reply('greeter', 'hello', '["Ada"]')
    assert.deepEqual(ours.properties, theirs.properties)
    const [body, other] = [ours, theirs].map(({ body }) =>
      JSON.parse(Buffer.from(body, 'base64').toString()),
    )
    assert.deepEqual(body, other)
  })

  it('begins a trace where a Python caller comes in', async () => {
    const context = { language: 'de' }
    const { result } = await world.caller.call({
      service: world.name('typescript'),
      method: 'step',
      args: ['from outside'],
      context,
    })
    assert.equal(result, 'from outside')
    const begun = await eventually(() =>
      world.traces.map((trace) => callTree(trace)).findLast(({ root }) => root.method === 'step'),
    )
    assert.deepEqual(outlineIn(world, begun), STEP)
    assert.ok(begun.complete)
  })
}

async function failed(call: Promise<unknown>): Promise<unknown> {
  try {
    await call
  } catch (error) {
    return error
  }
  throw new assert.AssertionError({ message: 'the call did not fail' })
}

async function eventually<T>(look: () => T | undefined): Promise<T> {
  for (let tries = 0; tries < 400; tries++) {
    const found = look()
    if (found !== undefined) return found
    await delay(10)
  }
  throw new assert.AssertionError({ message: 'what was waited for did not come within 4 s' })
}
