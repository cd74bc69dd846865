import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type Headers, withOptions } from 'clew'
import type { RawMessage, StandaloneCall } from './peer.ts'
import { renamed, type Seen, typescriptServices } from './typescript-services.ts'
import { namekos, type World, worldFor } from './world.ts'

for (const nameko of await namekos()) {
  describe(`traps between Python and TypeScript (${nameko.name})`, { skip: nameko.skip }, () => {
    const world = worldFor(nameko)
    itReadsPythonsHeaders(world)
    itWritesHeadersForPython(world)
    itSurvivesMessages(world)
  })
}

type Contexts = NonNullable<StandaloneCall['contexts']>

function itReadsPythonsHeaders(world: World): void {
  const call = (
    contexts: Contexts,
    method: string,
    args: readonly unknown[] = [],
    stem = 'typescript',
  ) => world.caller.call({ service: world.name(stem), method, args, contexts })

  it('reads the integers that Python writes as 64 bits, and hands them on', async () => {
    const integers = {
      two_to_31: 2 ** 31,
      two_to_40: 2 ** 40,
      two_to_62: 2 ** 62,
      below: -(2 ** 31) - 1,
      small: 300,
      negative: -1,
    }
    const { result } = await call('integers', 'seen')
    assert.deepEqual((result as Seen).context, integers)
    const below = (await call('integers', 'seenBelow')).result as Record<string, unknown>
    for (const [key, value] of Object.entries(integers)) assert.equal(below[key], value, key)
  })

  it('reads dates, decimals and bytes, and hands them on', async () => {
    const seen = (await call('specials', 'seen')).repr ?? ''
    const expected = [
      "'half': 0.5",
      "'yes': True",
      "'when': '2024-02-29T12:30:15.000Z'",
      "'decimal': 1.5",
      "'text': 'größe ☂'",
      "'empty': ''",
    ]
    for (const value of expected) assert.ok(seen.includes(value), `${value} in ${seen}`)
    const below = (await call('specials', 'seenBelow')).repr ?? ''
    for (const value of expected) assert.ok(below.includes(value), `${value} in ${below}`)
    // Python writes bytes as it writes text.
    assert.equal(typeof ((await call('bytes', 'seen')).result as Seen).context.bytes, 'string')
    assert.equal((await call('bytes', 'through', ['echo', 1], 'top')).result, 1)
  })

  it('serves on when a context holds NaN, over which RabbitMQ closes its sender', async () => {
    const outcome = await call('nan', 'hello', ['Ada'])
    if (outcome.error === undefined) assert.equal(outcome.result, 'Hello, Ada!')
    assert.equal(await world.typescript.hello('Ada'), 'Hello, Ada!')
  })

  it('reads nested tables, whatever their keys', async () => {
    const nested = {
      table: {
        list: [1, { deep: ['x', 2 ** 33, null] }],
        table: { a: { b: { c: 1 } } },
      },
      ...Object.fromEntries([['__proto__', { polluted: true }]]),
      constructor: 'no function',
    }
    const { context } = (await call('nested', 'seen')).result as Seen
    assert.deepEqual(
      context,
      JSON.parse(JSON.stringify({ ...nested, ['__proto__']: { polluted: true } })),
    )
    assert.equal(({} as Record<string, unknown>).polluted, undefined)
    const below = (await call('nested', 'seenBelow')).result as Record<string, unknown>
    assert.deepEqual(below.table, nested.table)
  })

  it('runs calls whose headers are too deep or too large to be handed on', async () => {
    const deep = (await call('deep', 'seen')).result as Seen
    assert.deepEqual(deep.context, {}, 'headers that cannot be read are dropped, the call is not')
    assert.ok(
      world.log.some(({ message }) => message.includes('headers')),
      'and it is told',
    )
    const large = (await call('large', 'seenBelow')).result as Record<string, string>
    assert.equal(large.large?.length, 60_000)
    const huge = (await call('huge', 'seen')).result as Seen
    assert.equal((huge.context.huge as string).length, 110_000)
    const { error } = await call('huge', 'seenBelow')
    assert.equal(error?.class, 'RemoteError')
    assert.match(error?.text ?? '', /headers cannot be sent/u)
    assert.equal(await world.typescript.hello('Ada'), 'Hello, Ada!')
  })
}

function itWritesHeadersForPython(world: World): void {
  it('writes only headers that Python reads as they are meant', async () => {
    const numbers = [0, 1, -1, 127, 128, 200, 255, 256, 300, 1000, 32_767, 65_536, -129, -40_000]
    const larger = [
      2 ** 31 - 1,
      2 ** 31,
      2 ** 32,
      2 ** 40,
      -(2 ** 31),
      -(2 ** 40),
      0.1,
      -2.5,
      1e300,
    ]
    const context: Headers = Object.assign(Object.create(null), {
      numbers: [...numbers, ...larger],
      ...Object.fromEntries(numbers.map((number) => [`number ${number}`, number])),
      ...Object.fromEntries(larger.map((number) => [`number ${number}`, number])),
      yes: true,
      no: false,
      text: 'größe ☂ 𝄞',
      empty: '',
      list: [],
      table: { list: [1000, { negative: -1 }], nothing: null },
    })
    const { context: received } = await withOptions(world.greeter, { context }).seen()
    for (const [key, value] of Object.entries(context)) assert.deepEqual(received[key], value, key)
    const bytes = { bytes: new Uint8Array([0, 255]) }
    assert.equal(await withOptions(world.greeter, { context: bytes }).hello('Ada'), 'Hello, Ada!')
    const nothing = { nothing: null }
    const without = (await withOptions(world.greeter, { context: nothing }).seen()).context
    assert.ok(!('nothing' in without))
  })

  it('fails a call whose context holds NaN, and goes on', async () => {
    for (const unsendable of [Number.NaN, Infinity, [{ deep: -Infinity }]]) {
      const greeter = withOptions(world.greeter, { context: { unsendable } })
      await assert.rejects(greeter.hello('Ada'), /unserializable/u)
      assert.equal(await world.greeter.hello('Ada'), 'Hello, Ada!')
    }
  })
}

interface Trap extends Omit<RawMessage, 'routingKey'> {
  readonly name: string
  /** Name of the error that is answered, or the result; null where nothing can be answered. */
  readonly answer: string
  /** @default 'hello' */
  readonly method?: string
}

const GOOD = '{"args": ["Ada"], "kwargs": {}}'
const HELLO = 'Hello, Ada!'

const TRAPS: readonly Trap[] = [
  { name: 'no content type', body: GOOD, contentType: null, answer: HELLO },
  { name: 'no content encoding', body: GOOD, contentEncoding: null, answer: HELLO },
  { name: 'no correlation id', body: GOOD, correlationId: null, answer: HELLO },
  {
    name: 'nothing but a body',
    body: GOOD,
    contentType: null,
    contentEncoding: null,
    correlationId: null,
    answer: HELLO,
  },
  {
    name: 'more than a call has',
    body: '{"args": ["Ada"], "kwargs": {}, "more": [1]}',
    answer: HELLO,
  },
  { name: 'arguments as a text', body: '{"args": "A", "kwargs": {}}', answer: 'Hello, A!' },
  {
    name: 'pickle',
    body: Buffer.from('8004952e', 'hex'),
    contentType: 'application/x-python-serialize',
    contentEncoding: 'binary',
    answer: 'MalformedRequest',
  },
  {
    name: 'a foreign content type',
    body: '<a/>',
    contentType: 'text/xml',
    answer: 'MalformedRequest',
  },
  { name: 'a list', body: '[1, 2]', answer: 'MalformedRequest' },
  { name: 'null', body: 'null', answer: 'MalformedRequest' },
  { name: 'a number', body: '7', answer: 'MalformedRequest' },
  { name: 'an empty object', body: '{}', answer: 'MalformedRequest' },
  { name: 'no keyword arguments', body: '{"args": ["Ada"]}', answer: 'MalformedRequest' },
  {
    name: 'arguments that are none',
    body: '{"args": 7, "kwargs": {}}',
    answer: 'IncorrectSignature',
  },
  {
    name: 'keywords that are none',
    body: '{"args": [], "kwargs": [1]}',
    answer: 'IncorrectSignature',
  },
  {
    name: 'a keyword named __proto__',
    body: '{"args": ["Ada"], "kwargs": {"__proto__": {"polluted": true}}}',
    answer: 'IncorrectSignature',
  },
  { name: 'half a body', body: '{"args": ["Ad', answer: 'MalformedRequest' },
  { name: 'no body', body: '', answer: 'MalformedRequest' },
  {
    name: 'what is no UTF-8',
    body: Buffer.from([0x22, 0xff, 0xfe, 0x22]),
    answer: 'MalformedRequest',
  },
  {
    name: 'a compressed body',
    body: gzipSync(GOOD),
    headers: { compression: 'application/x-gzip' },
    answer: HELLO,
  },
  {
    name: 'a compressed body that is none',
    body: GOOD,
    headers: { compression: 'application/x-gzip' },
    answer: 'MalformedRequest',
  },
  { name: 'a frame that is none', body: GOOD, contentEncoding: 'clew', answer: HELLO },
  {
    name: 'a deep body',
    method: 'echo',
    body: `{"args": [${'['.repeat(100_000)}${']'.repeat(100_000)}], "kwargs": {}}`,
    answer: 'UnserializableValueError',
  },
  {
    name: 'a stack that is a text',
    body: GOOD,
    headers: { 'nameko.call_id_stack': 'a text' },
    answer: HELLO,
  },
  {
    name: 'a stack of numbers',
    body: GOOD,
    headers: { 'nameko.call_id_stack': [1, null, {}] },
    answer: HELLO,
  },
  {
    name: 'a context that is a number',
    body: GOOD,
    headers: { traceparent: 7, tracestate: [1] },
    answer: HELLO,
  },
  {
    name: 'a context of zeroes',
    body: GOOD,
    headers: { traceparent: `00-${'0'.repeat(32)}-${'0'.repeat(16)}-00` },
    answer: HELLO,
  },
  {
    name: 'a context of another version',
    body: GOOD,
    headers: { traceparent: `cc-${'a'.repeat(32)}-${'b'.repeat(16)}-00-more` },
    answer: HELLO,
  },
  {
    name: 'a deadline that is a text',
    body: GOOD,
    headers: { 'clew-timeout': 'soon' },
    answer: HELLO,
  },
  {
    name: 'the reply key of a reader',
    body: GOOD,
    replyKey: `clew1-${crypto.randomUUID()}`,
    answer: HELLO,
  },
]

function itSurvivesMessages(world: World): void {
  it('answers malformed requests where it can, and drops the others', async () => {
    const { Typescript } = typescriptServices(world.prefix)
    const stem = `victim`
    const victim = await world.run([renamed(Typescript, world.name(stem))], true)
    const key = (method: string) => `${world.name(stem)}.${method}`
    for (const { name, answer, method = 'hello', ...message } of TRAPS) {
      const routingKey = key(method)
      const reply = await world.caller.ask({ routingKey, ...message })
      assert.ok(reply !== null, `${name} was not answered`)
      const expected = message.correlationId === null ? undefined : 'string'
      assert.equal(typeof reply.properties.correlation_id, expected ?? 'undefined', name)
      const body = JSON.parse(Buffer.from(reply.body, 'base64').toString())
      assert.ok(
        (body.error?.exc_type ?? body.result).startsWith(answer),
        `${name}: ${JSON.stringify(body).slice(0, 300)}`,
      )
      // The same again with nobody to answer: it must not come back for ever.
      await world.caller.publish({ routingKey, ...message })
    }
    await world.caller.publish({
      routingKey: key('hello'),
      body: GOOD,
      properties: { reply_to: 'nobody' },
    })
    await world.caller.publish({
      routingKey: key('hello'),
      body: GOOD,
      properties: { reply_to: key('hello') },
    })
    assert.equal(({} as Record<string, unknown>).polluted, undefined)
    const still = await world.cluster
      .proxy<typeof Typescript.prototype>(world.name(stem))
      .hello('you')
    assert.equal(still, 'Hello, you!')
    await victim.stop()
    const left = await world.caller.queue(`rpc-${world.name(stem)}`)
    assert.deepEqual(left, { messages: 0, consumers: 0 })
  })
}
