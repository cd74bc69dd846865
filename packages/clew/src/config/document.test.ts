import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readDocument, readValue } from './document.ts'
import { substitute } from './environment.ts'

/** Each was held against Nameko 2.14.1 with `regex` and PyYAML, as were 1,500 generated ones. */
const AS_NAMEKO: readonly (readonly [yaml: string, expected: unknown])[] = [
  ['${SET}', 5],
  ['${UNSET}', null],
  ['${UNSET:}', null],
  ['${EMPTY:7}', null],
  ['${UNSET:7}', 7],
  ['x${UNSET}y', 'xy'],
  ['${OCTAL}', 34],
  ['${LIST}', ['a', 1]],
  ['!env_var "${UNSET:{x: 1}}"', { x: 1 }],
  ['${UNSET:${ALSO:deep}}', 'deep'],
  ['${UNSET:${ALSO:${SET}}}', 5],
  [
    'amqp://${USER_:guest}:${UNSET:guest}@${HOST:localhost}/${UNSET}',
    'amqp://guest:guest@localhost/',
  ],
  ['"${SET}"', '${SET}'],
  ["'${SET}'", '${SET}'],
  ['!env_var "${SET}"', 5],
  ['!env_var plain', 'plain'],
  ['!raw_env_var ${SET}', '5'],
  ['!raw_env_var ${OCTAL}', '0042'],
  ['!raw_env_var ${UNSET}', ''],
  ['${CHAIN}', 5],
  ['${SET', '${SET'],
  ['x ${SET} y', 'x 5 y'],
  ['${UNSET:a${SET}{q}}', 'a5{q}'],
  ['y', 'y'],
  ['yes', true],
  ['1e3', '1e3'],
  ['1.5e+3', 1500],
  ['1_000', 1000],
  ['1:30', 90],
]

const ENV = { SET: '5', EMPTY: '', OCTAL: '0042', LIST: '[a, 1]', CHAIN: '${SET}' }

for (const [yaml, expected] of AS_NAMEKO) {
  test(`as Nameko reads it: ${yaml}`, () => {
    assert.deepEqual(readDocument(`key: ${yaml}`, 'f', ENV).value, { key: expected })
  })
}

test('a line is known for every key, nested ones and those of lists too', () => {
  const { lineOf } = readDocument('a: 1\nb:\n  c: 2\n  d:\n    - 3\n    - e: 4\n', 'f', {})
  assert.equal(lineOf(['a']), 1)
  assert.equal(lineOf(['b', 'c']), 3)
  assert.equal(lineOf(['b', 'd', 1, 'e']), 6)
  assert.equal(lineOf(['b', 'd', 1, 'gone']), 6)
  assert.equal(lineOf(['gone']), undefined)
})

test('what is no YAML is told with file and line', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['a: 1\nb: [1, 2\n', /^f:\d: /],
    ['a: 1\na: 2\n', /^f:2: Map keys must be unique$/],
    ['a: !!python/object:os.system x\n', /^f:1: Unresolved tag/],
    [
      'a: 1\nb: ${LOOP}\n',
      /^f:2: its variables name each other more than 10 times over; is there a circle\?/,
    ],
    ['a: ${BROKEN}\n', /^f:1: with its variables it is no YAML: /],
    ['a: *nobody\n', /Unresolved alias/],
  ]
  for (const [text, says] of cases) {
    const env = { LOOP: '${POOL}', POOL: '${LOOP}', BROKEN: '[1' }
    assert.throws(() => readDocument(text, 'f', env), { name: 'ConfigError', message: says }, text)
  }
})

test('neither circles nor doubling grow without bound', () => {
  const bomb = Object.fromEntries(
    Array.from({ length: 40 }, (_, index) => [
      `V${index}`,
      `\${N:\${V${index + 1}}\${V${index + 1}}}`,
    ]),
  )
  assert.throws(() => substitute('${N:${V0}}', bomb), /more than 20 times|longer than/)
  const anchors = ['a: &a [x, x, x, x, x, x, x, x, x, x]']
  for (const letter of 'bcdefghi') {
    const before = String.fromCharCode(letter.charCodeAt(0) - 1)
    anchors.push(`${letter}: &${letter} [${Array(10).fill(`*${before}`).join(', ')}]`)
  }
  assert.throws(() => readDocument(anchors.join('\n'), 'f', {}), /alias/)
})

test('variables that never end take no time', () => {
  for (const piece of ['${a:', '${a:{', '${a:}', '${', '}{${a:']) {
    const text = piece.repeat(500_000 / piece.length)
    substitute(text, {})
  }
})

test('a key named __proto__ is a key', () => {
  const { value } = readDocument('__proto__: { polluted: true }', 'f', {})
  assert.equal(({} as { polluted?: boolean }).polluted, undefined)
  assert.ok(Object.hasOwn(value as object, '__proto__'))
})

test('any text ends in a value or in a ConfigError', () => {
  const piece = fc.constantFrom(
    '${',
    '}',
    'A',
    ':',
    '{',
    '[',
    ']',
    ' ',
    '\n',
    '- ',
    '"',
    'x: ',
    '!env_var ',
    '&a ',
    '*a',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), fc.string(), (pieces, text) => {
      const env = { A: text }
      for (const source of [pieces.join(''), text]) {
        try {
          readValue(source, env)
          readDocument(source, 'f', env).lineOf(['x'])
        } catch (error) {
          assert.equal((error as Error).name, 'ConfigError', String((error as Error).stack))
        }
      }
    }),
  )
})
