import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Comparison,
  type Condition,
  FIELDS,
  type Field,
  FilterError,
  type FilteredCall,
  type FilteredTrace,
  formatFilter,
  matches,
  matchesPattern,
  parseFilter,
} from './index.ts'

const call = (parts: Partial<FilteredCall> = {}): FilteredCall => ({
  ...{ service: 'orders', method: 'get_order', callerService: 'gateway', host: 'w7' },
  ...{ version: '', status: 'ok', error: '', edge: 'call', totalUs: 250_000, selfUs: 1_000 },
  ...{ inFlight: 60, origin: false, straggler: false, attributes: { 'http.status': '500' } },
  ...parts,
})
const trace: FilteredTrace = {
  ...{ traceId: '4bf92f3577b34da6a3ce929d0e0e4736', service: 'gateway', method: 'checkout' },
  ...{ totalUs: 612_000, status: 'error', calls: 214, services: 9, depth: 4 },
  ...{ complete: true, source: undefined },
}
const found = (text: string, calls = [call()]) => matches(parseFilter(text), trace, calls)

test('every kind of condition finds what it says', () => {
  const yes = [
    '',
    'service:orders method:get_* duration:>200ms in-flight:>50 host:w7',
    'svc:orders,payments dur:200ms..1s',
    'total:>=612ms total:..2s failed:true err:1',
    '-host:w8 -service:pay*',
    'type:gateway.checkout calls:>100 depth:4 services:<10 complete:yes source:""',
    'orders get_order',
    '@http.status:500 @http.status:>=500 @http.status:5* -@absent:*',
    'id:4bf9 id:4BF92F35',
    'method:"get_order" error:""',
  ]
  for (const text of yes) assert.equal(found(text), true, text)
  const no = [
    'service:order',
    'duration:>250ms',
    '-service:orders',
    'failed:false',
    '@absent:*',
    '@http.status:>500',
    'id:5',
    'method:"get\\*"',
    'host:w7 service:payments',
  ]
  for (const text of no) assert.equal(found(text), false, text)
})

test('conditions about calls are met by one and the same call', () => {
  const calls = [call({ host: 'w1', service: 'a' }), call({ host: 'w2', service: 'b' })]
  assert.equal(found('service:a host:w1', calls), true)
  assert.equal(found('service:a host:w2', calls), false)
  assert.equal(found('duration:>1s', [call({ totalUs: undefined })]), false)
})

test('what cannot be read is told with its place and what would be right', () => {
  const cases: [string, number, RegExp][] = [
    ['service:a servce:b', 10, /did you mean service/u],
    ['duration:>200', 10, /unit is missing.*200ms/u],
    ['duration:fast', 9, /no duration/u],
    ['calls:>many', 7, /no number/u],
    ['failed:maybe', 7, /true or false/u],
    ['host:"w7', 5, /does not end/u],
    ['service:>a', 8, /cannot be compared/u],
    ['service:', 8, /no value/u],
    ['@:x', 1, /has a name/u],
    ['@x', 2, /has a value/u],
    ['-duration:1ms..2ms', 10, /negated/u],
    ['duration:..', 9, /beginning or an end/u],
    [`a:${'x,'.repeat(80)}`, 0, /no field/u],
    [`host:${'x,'.repeat(80)}x`, 5, /too many alternatives/u],
    ['x '.repeat(70), 129, /too many conditions/u],
    ['x'.repeat(9_000), 8_192, /too long/u],
    [`host:${'x'.repeat(2_000)}`, 5, /too long/u],
    ['constructor:x', 0, /no field/u],
    ['__proto__:x', 0, /no field/u],
  ]
  for (const [text, position, words] of cases) {
    assert.throws(
      () => parseFilter(text),
      (error) =>
        error instanceof FilterError &&
        words.test(`${error.message} ${error.advice}`) &&
        error.position === position,
      text.slice(0, 40),
    )
  }
})

const pattern = fc
  .array(fc.constantFrom('*', '\\*', '\\\\', 'a', 'ü', ' ', ',', '"', ':', '-', '@', '>', '.'), {
    minLength: 1,
    maxLength: 12,
  })
  .map((letters) => letters.join(''))

const fields = (Object.keys(FIELDS) as Field[]).filter((field) => field !== 'attribute')
const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.constantFrom(...fields).chain((field): fc.Arbitrary<Condition> => {
    const negated = fc.boolean()
    const { kind } = FIELDS[field]
    if (kind === 'text') {
      const most = field === 'name' ? 1 : 3
      const values = fc.array(pattern, { minLength: 1, maxLength: most })
      return fc.record({ field: fc.constant(field), negated, comparison: fc.constant('='), values })
    }
    if (kind === 'flag') {
      const values = fc.tuple(fc.boolean())
      return fc.record({ field: fc.constant(field), negated, comparison: fc.constant('='), values })
    }
    const comparison = fc.constantFrom<Comparison>('=', '>', '>=', '<', '<=')
    const values = fc.tuple(fc.nat({ max: 10 ** 12 }))
    return fc.record({ field: fc.constant(field), negated, comparison, values })
  }),
  fc.record({
    field: fc.constant<Field>('attribute'),
    attribute: fc.string({ minLength: 1, maxLength: 12 }),
    negated: fc.boolean(),
    comparison: fc.constant<Comparison>('='),
    values: fc.array(pattern, { minLength: 1, maxLength: 3 }),
  }),
)

const plain = (conditions: readonly Condition[]) => conditions.map((one) => ({ ...one }))

test('a filter that is written is read as the same', () => {
  fc.assert(
    fc.property(fc.array(condition, { maxLength: 6 }), (conditions) => {
      const text = formatFilter({ conditions })
      assert.deepEqual(plain(parseFilter(text).conditions), plain(conditions), text)
    }),
    { numRuns: 1_000 },
  )
})

test('any text is read or refused with a place in it, and nothing else', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 80 }), (text) => {
      try {
        matches(parseFilter(text), trace, [call()])
      } catch (error) {
        assert.ok(error instanceof FilterError, String(error))
        assert.ok(error.position >= 0 && error.position <= text.length)
      }
    }),
    { numRuns: 3_000 },
  )
})

test('patterns match as an expression would, and take no more than linear time', () => {
  const letters = fc.array(fc.constantFrom('a', 'b', '*'), { maxLength: 10 })
  fc.assert(
    fc.property(letters, fc.array(fc.constantFrom('a', 'b'), { maxLength: 14 }), (p, t) => {
      const expression = new RegExp(`^${p.join('').replaceAll('*', '.*')}$`, 'u')
      assert.equal(matchesPattern(p.join(''), t.join('')), expression.test(t.join('')))
    }),
  )
  assert.equal(matchesPattern(`${'a*'.repeat(500)}b`, 'a'.repeat(100_000)), false)
})
