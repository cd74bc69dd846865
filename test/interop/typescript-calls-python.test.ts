import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RemoteError, RpcError, type RpcErrorCode, withOptions } from 'clew'
import { type Keywords, OutOfStock } from './typescript-services.ts'
import { namekos, type World, worldFor } from './world.ts'

for (const nameko of await namekos()) {
  describe(`TypeScript calls Python (${nameko.name})`, { skip: nameko.skip }, () => {
    const world = worldFor(nameko)
    itReadsResults(world)
    itThrowsErrors(world)
    itGivesUp(world)
    itSendsContext(world)
  })
}

function itReadsResults(world: World): void {
  it('sends positional and keyword arguments', async () => {
    assert.equal(await world.greeter.hello(), 'Hello, World!')
    assert.equal(await world.greeter.hello('Ada', 'Salut'), 'Salut, Ada!')
    const byName = withOptions(world.greeter, { kwargs: { greeting: 'Ave', name: 'Ada' } })
    assert.equal(await byName.hello(), 'Ave, Ada!')
    const named = withOptions(world.greeter, { kwargs: { first: 1, other: [2] } })
    const expected: Keywords = { first: 1, rest: [], named: { other: [2] } }
    assert.deepEqual(await named.keywords(), expected)
    assert.deepEqual(await world.greeter.keywords(1, 2, 3), { first: 1, rest: [2, 3], named: {} })
  })

  it('brings back every kind of value that Python writes', async () => {
    const kinds = await world.greeter.kinds()
    const keys = kinds.keys as Record<string, unknown>
    assert.deepEqual(Object.keys(keys).toSorted(), ['', '1', '__proto__'])
    assert.equal(Object.getPrototypeOf(keys), Object.prototype)
    assert.equal(({} as Record<string, unknown>).polluted, undefined)
    assert.deepEqual(
      { ...kinds, keys: null },
      {
        text: 'größe ☂ 𝄞 "quoted"',
        int: -7,
        float: 2.5,
        long: 2n ** 53n + 1n,
        longer: -(10n ** 30n),
        nan: Number.NaN,
        infinity: [Infinity, -Infinity],
        yes: true,
        nothing: null,
        tuple: [1, [2, 3]],
        keys: null,
      },
    )
  })

  it('sends every kind of value there and back unchanged', async () => {
    const values = [
      { text: 'größe ☂ 𝄞', list: [1, -2.5, true, null, [], {}] },
      [Number.NaN, Infinity, -Infinity, 1e300, -0.1],
      [2n ** 63n, -(10n ** 40n), Number.MAX_SAFE_INTEGER],
      '',
      null,
      false,
      ' \u2028\n"\\',
      Object.fromEntries([['__proto__', 1]]),
    ]
    for (const value of values) assert.deepEqual(await world.greeter.echo(value), value)
    assert.equal(await world.greeter.echo(undefined), null)
    const long = 'ä'.repeat(500_000)
    assert.equal(await world.greeter.echo(long), long, 'over many frames')
  })

  it('reads moments and other classes as this kombu writes them', async () => {
    const moment = new Date('2024-02-29T12:30:15.250Z')
    const moments = await world.greeter.moments()
    const wrapped = await world.caller.wrapsTypes()
    assert.deepEqual(moments, {
      datetime: wrapped ? moment : '2024-02-29T12:30:15.250000Z',
      date: wrapped ? '2024-02-29' : '2024-02-29T00:00:00',
      decimal: '1.50',
      uuid: '12345678-1234-4678-9234-567812345678',
    })
  })

  it('keeps many calls at once apart', async () => {
    const values = Array.from({ length: 100 }, (_, n) => n)
    assert.deepEqual(await Promise.all(values.map((n) => world.greeter.echo(n))), values)
  })
}

function itThrowsErrors(world: World): void {
  it('throws RemoteError with class, path, text and arguments of what Python raised', async () => {
    world.expect(/^ValueError: größe ☂$/u)
    world.expect(/^interop_errors\.Unheard: /u)
    await assert.rejects(world.greeter.refuse(), (error: unknown) => {
      assert.ok(error instanceof RemoteError)
      assert.equal(error.remoteName, 'ValueError')
      assert.equal(error.remotePath, 'builtins.ValueError')
      assert.equal(error.message, 'größe ☂')
      assert.deepEqual(error.remoteArgs, ['größe ☂'])
      assert.equal(error.service, world.name('greeter'))
      return true
    })
    await assert.rejects(world.greeter.unheard(), (error: unknown) => {
      assert.ok(error instanceof RemoteError)
      assert.equal(error.remotePath, 'interop_errors.Unheard')
      assert.deepEqual(error.remoteArgs, ['of this', '7', 'None', { deep: ['1'] }])
      return true
    })
  })

  it('throws the local class that has the same path', async () => {
    world.expect(/^interop_errors\.OutOfStock: /u)
    await assert.rejects(world.greeter.out_of_stock('gold'), (error: unknown) => {
      assert.ok(error instanceof OutOfStock)
      assert.deepEqual(error.args, ['gold', 7])
      assert.equal(error.message, '7 of gold wanted')
      return true
    })
  })

  it('says which mistake the call itself had', async () => {
    world.expect(/TypeError: .*not JSON serializable|EncodeError/u)
    const untyped = world.greeter as unknown as Record<
      string,
      (...a: unknown[]) => Promise<unknown>
    >
    await assert.rejects(untyped.no_such_method!(), refused('method_not_found', /no_such_method/u))
    await assert.rejects(
      untyped.hello!('a', 'b', 'c'),
      refused(
        'bad_arguments',
        /hello\(\) takes from 1 to 3 positional arguments but 4 were given/u,
      ),
    )
    await assert.rejects(
      untyped.keywords!(),
      refused('bad_arguments', /missing 1 required positional argument: 'first'/u),
    )
    await assert.rejects(
      world.greeter.unserializable(),
      refused('unserializable', /Unserializable value: `.*\{1\}/u),
    )
  })

  it('says at once that a service is unknown', async () => {
    const nobody = world.cluster.proxy<{ hello(): string }>(world.name('nobody'))
    await assert.rejects(nobody.hello(), refused('unknown_service', /nobody/u))
  })
}

function itGivesUp(world: World): void {
  it('gives up on Python when the time is over, and goes on', async () => {
    const hasty = withOptions(world.greeter, { timeoutMs: 100 })
    await assert.rejects(hasty.sleep(1), refused('timeout', /did not reply within 100 ms/u))
    const abort = new AbortController()
    const waiting = withOptions(world.greeter, { signal: abort.signal }).sleep(1)
    abort.abort()
    await assert.rejects(waiting, refused('cancelled', /cancelled/u))
    assert.equal(await world.greeter.hello('Ada'), 'Hello, Ada!')
  })
}

function itSendsContext(world: World): void {
  it('sends context data, a call-id stack, and nothing else to speak of', async () => {
    const context = { language: 'de', user_id: '7', list: [1, 'a', { b: true }] }
    const { context: received } = await withOptions(world.greeter, { context }).seen()
    const { call_id_stack: stack, ...rest } = received
    assert.deepEqual(
      Object.keys(rest).toSorted(),
      ['clew-timeout', ...Object.keys(context)].toSorted(),
    )
    for (const [key, value] of Object.entries(context)) assert.deepEqual(rest[key], value)
    const [ours, theirs, ...more] = stack as string[]
    assert.match(ours ?? '', /^standalone_rpc_proxy\.call\.[0-9a-f-]{36}$/u)
    assert.ok(theirs?.startsWith(`${world.name('greeter')}.seen.`))
    assert.deepEqual(more, [])
  })

  it("makes a worker's stack as Nameko does, at most eleven ids long", async () => {
    const long = Array.from({ length: 15 }, (_, n) => `service.method.${n}`)
    const outcome = await world.caller.ask({
      routingKey: `${world.name('typescript')}.seenBelow`,
      body: '{"args": [], "kwargs": {}}',
      headers: { 'nameko.call_id_stack': long, 'x-raw': 'unprefixed' },
    })
    const reply = Buffer.from(outcome?.body ?? '', 'base64').toString()
    const { result: context } = JSON.parse(reply) as { result: Record<string, unknown> }
    const stack = context.call_id_stack as string[]
    assert.equal(stack.length, 11)
    assert.deepEqual(stack.slice(0, -2), long.slice(-9))
    assert.ok(stack.at(-2)?.startsWith(`${world.name('typescript')}.seenBelow.`))
    assert.ok(stack.at(-1)?.startsWith(`${world.name('greeter')}.seen.`))
    assert.equal(context['x-raw'], 'unprefixed', 'as Nameko hands on what it does not know')
  })
}

function refused(code: RpcErrorCode, message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof RpcError, `expected an RpcError, got ${error}`)
    assert.equal(error.code, code, error.message)
    assert.match(error.message, message)
    return true
  }
}
