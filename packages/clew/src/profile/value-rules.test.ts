import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ConfigError } from '../call/index.ts'
import { listedValues, type MethodValues, type ValueOptions, ValueRules } from './value-rules.ts'

interface Asked extends MethodValues {
  readonly redact?: ValueOptions['redact']
  readonly budget?: number
}

/** What is told of a call with these named arguments and this result. */
function told(asked: Asked, named: Readonly<Record<string, unknown>>, result?: unknown) {
  const { redact, budget = 16_384, ...rule } = asked
  const problems: string[] = []
  const options = { redact, budget, tell: (message: string) => void problems.push(message) }
  const rules = new ValueRules(listedValues({ 'orders.get': rule }), options)
  const taken = rules.taking(rules.of('orders', 'get')!, { service: 'orders', method: 'get' })
  taken.takeArguments({ names: Object.keys(named), args: Object.values(named) })
  taken.takeResult(result)
  const values = Object.fromEntries(taken.records.map(({ name, text }) => [name, text]))
  return { values, problems, records: taken.records }
}

test('listed arguments and results are told as texts, by path, and nothing else is', () => {
  const order = { id: 7, lines: [{ sku: 'a-1', price: 3.5 }], note: null, paid: false }
  const args = [
    'id',
    'order.id',
    'order.lines.0.sku',
    'order.lines',
    'order',
    'order.note',
    'order.paid',
    'none',
    'order.none.x',
  ]
  const { values } = told(
    { args, result: ['total', 'deep.er'] },
    { id: 12n, order, other: 'x' },
    { total: 9, deep: { er: '' } },
  )
  assert.deepEqual(values, {
    ...{ 'args.id': '12', 'args.order.id': '7', 'args.order.lines.0.sku': 'a-1' },
    ...{ 'args.order.lines': '[list of 1]', 'args.order': '[object]', 'args.order.note': 'null' },
    ...{ 'args.order.paid': 'false', 'result.total': '9', 'result.deep.er': '' },
  })
  assert.deepEqual(told({ result: true }, {}, 'done').values, { result: 'done' })
  assert.deepEqual(told({ result: true }, {}, { secret: 1 }).values, { result: '[object]' })
  assert.deepEqual(told({ args: [] }, { id: 1 }, 'x').values, {})
})

test('reading runs no code of anybody, and odd objects cost only themselves', () => {
  let ran = 0
  const getter = {
    get id() {
      ran++
      return 'x'
    },
  }
  const inherited = Object.create({ id: 'x' })
  const proxy = new Proxy({}, { getOwnPropertyDescriptor: () => assert.fail('looked at') })
  const text = { toString: () => assert.fail('asked'), toJSON: () => assert.fail('asked') }
  const args = ['a.id', 'b.id', 'c.id', 'd', 'e.__proto__.x', 'e.constructor.name']
  const { values } = told({ args }, { a: getter, b: inherited, c: proxy, d: text, e: {} })
  assert.deepEqual(values, { 'args.d': '[object]', left_out: '1' })
  assert.equal(ran, 0)
})

test('a call tells at most 16 values, of 256 bytes, and 2 KiB in all; the rest is counted', () => {
  const long = 'äöü '.repeat(500)
  const { values } = told({ args: ['a', 'b'] }, { a: long, b: 'z '.repeat(4096) })
  assert.ok(Buffer.byteLength(values['args.a']!) <= 256)
  assert.match(values['args.a']!, /…$/)
  assert.equal(values['args.b'], '[text of 8192 characters]')
  const names = Array.from({ length: 16 }, (_, index) => `a${index}`)
  const full = Object.fromEntries(names.map((name) => [name, 'word '.repeat(60)]))
  for (const budget of [16_384, 1024, 0]) {
    const { records, values: some } = told({ args: names, budget }, full)
    const bytes = records.reduce((sum, { name, text }) => sum + Buffer.byteLength(name + text), 0)
    assert.ok(bytes <= Math.max(16, Math.min(2048, budget / 4)))
    assert.equal(records.length - 1 + Number(some.left_out), 16)
  }
})

test('a hook changes, leaves out, and when it breaks nothing of the value gets anywhere', () => {
  const redact: ValueOptions['redact'] = (text, { path }) => {
    if (path === 'a') return text.toUpperCase()
    if (path === 'b') return undefined
    if (path === 'c') throw new Error(`cannot take canary ${text}`)
    return 7 as unknown as string
  }
  const named = { a: 'x', b: 'x', c: 'canary', d: 'canary' }
  const { values, problems } = told({ args: ['a', 'b', 'c', 'd'], redact }, named)
  assert.deepEqual(values, { 'args.a': 'X', left_out: '2' })
  assert.equal(problems.length, 2)
  assert.doesNotMatch(problems.join(), /canary/)
  // What a hook lets through is still looked at.
  const through = told({ args: ['a'], redact: () => 'to ada@example.org' }, named)
  assert.deepEqual(through.values, { 'args.a': 'to [redacted: e-mail]' })
})

test('secrets by name are never told, whatever they are', () => {
  const named = { password: 'sesame', user: { apiKey: 'sesame', name: 'ada' } }
  const args = ['password', 'user.apiKey', 'user.name']
  const { values } = told({ args, redact: (text) => text }, named)
  assert.deepEqual(values, {
    ...{ 'args.password': '[redacted: password]', 'args.user.apiKey': '[redacted: password]' },
    'args.user.name': 'ada',
  })
})

test('no argument and no result makes it fail', () => {
  const rule = { args: ['a', 'a.b', 'a.0', 'a.b.c'], result: ['a', '0', 'length'] }
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true }), (value) => {
      const { records } = told(rule, { a: value }, value)
      for (const { name, text } of records) {
        assert.ok(Buffer.byteLength(text) <= 256, name)
      }
    }),
  )
})

test('a list that cannot be meant is refused in words', () => {
  const bad: readonly (readonly [unknown, RegExp])[] = [
    [{ orders: {} }, /service\.method/],
    [{ '.get': {} }, /service\.method/],
    [{ 'orders.get': { args: 'id' } }, /is a list of names/],
    [{ 'orders.get': { args: ['a b'] } }, /names nothing/],
    [{ 'orders.get': { args: [''] } }, /names nothing/],
    [{ 'orders.get': { args: ['a..b'] } }, /names nothing/],
    [{ 'orders.get': { args: [7] } }, /names nothing/],
    [{ 'orders.get': { result: ['x'.repeat(200)] } }, /names nothing/],
    [{ 'orders.get': { args: Array(17).fill('a') } }, /at most 16/],
  ]
  for (const [values, says] of bad) {
    assert.throws(
      () => listedValues(values as ValueOptions['values']),
      (error: Error) => error instanceof ConfigError && says.test(error.message),
    )
  }
  assert.equal(listedValues(undefined).size, 0)
})
