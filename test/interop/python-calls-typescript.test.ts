import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Seen } from './typescript-services.ts'
import { namekos, type World, worldFor } from './world.ts'

/** Nameko's own id of a call ends in a version 4 UUID, Clew's in one of version 8. */
const ID = (service: string, method: string, version: 4 | 8) =>
  new RegExp(`^${service}\\.${method}\\.[0-9a-f]{8}-[0-9a-f]{4}-${version}[0-9a-f]{3}-`, 'u')

for (const nameko of await namekos()) {
  describe(`Python calls TypeScript (${nameko.name})`, { skip: nameko.skip }, () => {
    const world = worldFor(nameko)
    itBringsResults(world)
    itRaisesErrors(world)
    itTakesContext(world)
  })
}

function itBringsResults(world: World): void {
  const call = (method: string, args: readonly unknown[] = [], kwargs = {}) =>
    world.caller.call({ service: world.name('typescript'), method, args, kwargs })

  it('brings results of every kind to standalone clients', async () => {
    for (const client of ['cluster', 'service'] as const) {
      const service = world.name('typescript')
      const { result } = await world.caller.call({
        client,
        service,
        method: 'hello',
        args: ['Ada'],
      })
      assert.equal(result, 'Hello, Ada!')
    }
    const value = { text: 'größe ☂ 𝄞', list: [1, -2.5, true, null, []], deep: { a: { b: {} } } }
    assert.deepEqual((await call('echo', [value])).result, value)
    assert.equal((await call('nothing')).repr, 'None')
    const { repr } = await call('big')
    assert.equal(repr, "{'long': 9007199254740993, 'nan': nan, 'infinity': [inf, -inf]}")
  })

  it('takes keyword arguments by their declared names', async () => {
    const both = { greeting: 'Salut', name: 'Ada' }
    assert.equal((await call('hello', [], both)).result, 'Salut, Ada!')
    assert.equal((await call('hello', ['Ada'], { greeting: 'Ave' })).result, 'Ave, Ada!')
    const relayed = await world.relay.relay_by_keyword('hello', both)
    assert.equal(relayed, 'Salut, Ada!', 'from a service too')
    const undeclared = await call('undeclared', [1], { a: 2, b: 3 })
    assert.deepEqual(undeclared.result, [1, { a: 2, b: 3 }])
  })

  it('answers a Python service, and calls that it sends at once', async () => {
    assert.equal(await world.relay.relay('hello', 'Ada'), 'Hello, Ada!')
    const values = Array.from({ length: 30 }, (_, n) => n)
    assert.deepEqual(await world.relay.relay_at_once('echo', values), values)
    const calls = values.map((value) => [value])
    const echoed = await world.caller.callAtOnce(world.name('typescript'), 'echo', calls)
    assert.deepEqual(echoed, values)
  })
}

function itRaisesErrors(world: World): void {
  const failing = async (method: string, args: readonly unknown[] = [], kwargs = {}) => {
    const service = world.name('typescript')
    const { error, repr } = await world.caller.call({ service, method, args, kwargs })
    assert.ok(error !== undefined, `${method} did not fail but returned ${repr}`)
    return error
  }

  it('raises RemoteError with the name and text of what was thrown', async () => {
    const error = await failing('unheard')
    assert.equal(error.class, 'RemoteError')
    assert.equal(error.exc_type, 'Unheard')
    assert.equal(error.value, 'größe ☂')
    assert.equal(error.text, 'Unheard größe ☂')
  })

  it('raises an instance of the class that has the same path', async () => {
    const error = await failing('out_of_stock', ['gold'])
    assert.equal(`${error.module}.${error.class}`, 'interop_errors.OutOfStock')
    assert.equal(error.text, '7 of gold wanted')
    const caught = (await world.relay.catch('out_of_stock', 'gold')) as { error: typeof error }
    assert.equal(caught.error.class, 'OutOfStock', 'in a service too')
    assert.deepEqual(caught.error.args, ['gold', '7'])
  })

  it("raises Nameko's own errors where the call itself is wrong", async () => {
    const missing = await failing('no_such_method')
    assert.equal(missing.class, 'MethodNotFound')
    assert.equal(missing.text, 'no_such_method')
    // Python counts `self` too; a TypeScript method has none.
    const calls = [
      ['hello', [], {}, "hello() missing 1 required positional argument: 'name'"],
      [
        'hello',
        ['a', 'b', 'c'],
        {},
        'hello() takes from 1 to 2 positional arguments but 3 were given',
      ],
      ['nothing', [1], {}, 'nothing() takes 0 positional arguments but 1 was given'],
      ['hello', ['a'], { nme: 1 }, "hello() got an unexpected keyword argument 'nme'"],
      ['hello', ['a'], { name: 'b' }, "hello() got multiple values for argument 'name'"],
    ] as const
    for (const [method, args, kwargs, text] of calls) {
      const error = await failing(method, args, kwargs)
      assert.equal(error.class, 'IncorrectSignature')
      assert.match(error.text, new RegExp(`${escaped(text)}$`, 'u'))
    }
  })

  it('raises what Nameko does where the result cannot be sent', async () => {
    const error = await failing('unserializable')
    assert.equal(error.class, 'RemoteError')
    assert.equal(error.exc_type, 'UnserializableValueError')
    assert.match(error.value ?? '', /^Unserializable value: /u)
    assert.equal(
      (await world.caller.call({ service: world.name('typescript'), method: 'hello', args: ['x'] }))
        .result,
      'Hello, x!',
    )
  })

  it('tells of an unknown service at once, and of one that is stopped', async () => {
    const service = world.name('nobody')
    const { error } = await world.caller.call({ service, method: 'hello' })
    assert.equal(error?.class, 'UnknownService')
    const inside = (await world.relay.ask_nobody()) as { error: NonNullable<typeof error> }
    assert.equal(inside.error.class, 'UnknownService')
  })

  it("keeps to the caller's own patience", async () => {
    // Version 3's client looks at its watch once a second.
    const patience = { service: world.name('typescript'), method: 'sleep', timeout: 0.2 }
    const { error } = await world.caller.call({ ...patience, args: [3] })
    assert.equal(error?.class, 'RpcTimeout')
    assert.equal(await world.typescript.hello('Ada'), 'Hello, Ada!')
  })
}

function itTakesContext(world: World): void {
  const seen = async (command: object) => {
    const service = world.name('typescript')
    const outcome = await world.caller.call({ service, method: 'seen', ...command })
    assert.equal(outcome.error, undefined)
    return outcome.result as Seen
  }

  it("sees Nameko's context data and hands it on", async () => {
    const context = { language: 'de', user_id: '7', auth_token: null }
    const received = await seen({ context })
    assert.deepEqual(received.context, { language: 'de', user_id: '7' })
    assert.equal(received.hasDeadline, false, "Python's callers set none")
    const below = await world.caller.call({
      service: world.name('typescript'),
      method: 'seenBelow',
      context: { language: 'de' },
    })
    assert.equal((below.result as Record<string, unknown>).language, 'de')
  })

  it('continues the stack of call ids, at most eleven long', async () => {
    const { callId, stack } = await seen({})
    assert.equal(stack.length, 2)
    assert.match(
      stack[0] ?? '',
      /^standalone_rpc_(proxy\.call|client\.[0-9a-f-]{36})\.[0-9a-f-]{36}$/u,
    )
    assert.equal(stack[1], callId)
    assert.match(callId, ID(world.name('typescript'), 'seen', 8))
    const { own, below } = await world.relay.stack_below()
    assert.match(own.at(-1) ?? '', ID(world.name('relay'), 'stack_below', 4))
    assert.deepEqual(below.stack.slice(0, -1), own)
    const long = Array.from({ length: 15 }, (_, n) => `service.method.${n}`)
    // Version 3's standalone client writes a stack of its own over what it is given.
    const body = '{"args": [], "kwargs": {}}'
    const reply = await world.caller.ask({
      routingKey: `${world.name('typescript')}.seen`,
      body,
      headers: { 'nameko.call_id_stack': long },
    })
    const bounded = (JSON.parse(Buffer.from(reply!.body, 'base64').toString()) as { result: Seen })
      .result.stack
    assert.deepEqual(bounded.slice(0, -1), long.slice(-10))
    assert.match(bounded.at(-1) ?? '', ID(world.name('typescript'), 'seen', 8))
  })
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/gu, '\\$&')
}
