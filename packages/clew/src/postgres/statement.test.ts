import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LONGEST_STATEMENT, normaliseStatement } from './statement.ts'

const CASES: readonly (readonly [text: string, shown: string])[] = [
  ['SELECT * FROM orders WHERE id = $1', 'SELECT * FROM orders WHERE id = ?'],
  ["SELECT  *\n FROM orders\tWHERE name = 'O''Brien';", 'SELECT * FROM orders WHERE name = ?'],
  ['select 1, -1, + 2.5e-10, .5, 0x1F, 1_000', 'select ?, ?, ?, ?, ?, ?'],
  ['SELECT a-1, t1.c2, "odd 7" FROM t1', 'SELECT a-?, t1.c2, "odd 7" FROM t1'],
  ['SELECT x FROM t WHERE id IN (1, $2,3 , 4)', 'SELECT x FROM t WHERE id IN (?)'],
  ['INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4)', 'INSERT INTO t (a, b) VALUES (?)'],
  ["SELECT E'it\\'s', B'101', X'1F', U&'d\\0061t', N'x'", 'SELECT ?, ?, ?, ?, ?'],
  ['SELECT $$it is $1$$, $tag$ $$ $tag$ FROM t', 'SELECT ?, ? FROM t'],
  [
    'SELECT 1 -- my secret\nFROM t /* and /* nested */ secret */ WHERE a=1',
    'SELECT ? FROM t WHERE a=?',
  ],
  ["SELECT '2020-01-01'::date, ARRAY[1, 2, 3]", 'SELECT ?::date, ARRAY[?]'],
  [
    'SELECT a IS NULL, b IS NOT NULL, c = NULL, d = true',
    'SELECT a IS NULL, b IS NOT NULL, c = ?, d = ?',
  ],
  ['UPDATE t SET a = - 1 WHERE b > -$1', 'UPDATE t SET a = ? WHERE b > ?'],
  ["SELECT 'never ends, secret", 'SELECT ?'],
  ['SELECT $q$never ends, secret', 'SELECT ?'],
  ['SELECT 1 /* never ends, secret', 'SELECT ?'],
  ["SELECT E'never ends, secret\\", 'SELECT ?'],
  // Strings go on behind a line's end, escapes and all.
  ["SELECT E'a'\n'it\\'s secret', b", 'SELECT ?, b'],
  ["SELECT E'a' -- c'\n -- c'\n 'it\\'s secret', b", 'SELECT ?, b'],
  ["SELECT E'a' 'it\\', b", 'SELECT ? ?, b'],
  // A letter beyond 16 bits is part of a name like any other.
  ["SELECT 𝒳E'a\\', b, 'secret'", 'SELECT 𝒳E?, b, ?'],
  ["SELECT 𝒳$a$, 'secret', c", 'SELECT 𝒳$a$, ?, c'],
  ['SELECT a FROM größen WHERE länge1 = 12', 'SELECT a FROM größen WHERE länge1 = ?'],
  ['', ''],
]

for (const [text, shown] of CASES) {
  test(`${JSON.stringify(text)} is shown without values`, () => {
    assert.equal(normaliseStatement(text), shown)
    assert.equal(normaliseStatement(text), shown)
  })
}

test('a long statement is cut, and a huge one is not read to its end', () => {
  const columns = Array.from({ length: 100_000 }, (_, at) => `column_${at}`).join(', ')
  const shown = normaliseStatement(`SELECT ${columns} FROM t`)
  assert.equal(shown.length, LONGEST_STATEMENT)
  assert.ok(shown.startsWith('SELECT column_0, column_1'))
  assert.ok(shown.endsWith('…'))
  // Cut within the literal, which then never ends.
  assert.equal(normaliseStatement(`SELECT '${'secret '.repeat(10_000)}'`), 'SELECT ?')
})

/** A letter and digits that stand nowhere else in the statements. */
const SECRET = 'zqj'
const DIGITS = '7193'
const noise = fc.string({ maxLength: 12, unit: 'binary' })
const quoted = noise.map((text) => `'${`${text}${SECRET}`.replaceAll("'", "''")}'`)
const escaped = noise.map(
  (text) => `E'${`${text}${SECRET}`.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`,
)
const continued = fc
  .tuple(escaped, fc.constantFrom('\n', ' \r', " -- it's\n"), escaped)
  .map(([first, between, second]) => `${first}${between}${second.slice(1)}`)
const dollars = noise.map((text) => `$d$${text.replaceAll('$', '')}${SECRET}$d$`)
const number = fc.constantFrom(
  DIGITS,
  `${DIGITS}.5`,
  `-${DIGITS}`,
  `.${DIGITS}`,
  `1e${DIGITS}`,
  `0x${DIGITS}`,
)
const comment = noise.map((text) => `/* ${text.replaceAll(/[*/]/g, '')}${SECRET} */`)
const line = noise.map((text) => `-- ${text.replaceAll(/[\r\n]/g, '')}${SECRET}\n`)
const value = fc.oneof(quoted, escaped, continued, dollars, number)
const gap = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(' ', '\n', '  ') }, comment, line)

test('no value of a literal, a number or a comment is shown', () => {
  const pieces = fc.array(
    fc.tuple(
      fc.constantFrom('a =', 'b IN (', 'AND', ',', 'VALUES (', 't1.c2 -', '||', ')'),
      gap,
      value,
      gap,
    ),
    { maxLength: 12 },
  )
  fc.assert(
    fc.property(pieces, (parts) => {
      const shown = normaliseStatement(`SELECT ${parts.flat().join('')}`)
      assert.ok(!shown.includes(SECRET), shown)
      assert.ok(!shown.includes(DIGITS), shown)
      assert.ok(shown.length <= LONGEST_STATEMENT)
    }),
    { numRuns: 2000 },
  )
})

test('no text takes long', () => {
  for (const piece of ["E'\n'", "E'a'\n", "'\n--", "E'' --\n--", '-- ', '\n', "'", '$a', '+ ']) {
    normaliseStatement(`SELECT E'${piece.repeat(9000 / piece.length)}`)
    normaliseStatement(`SELECT ${piece.repeat(9000 / piece.length)}`)
  }
})

test('any text at all is read, and what is shown stays as it is when read again', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const shown = normaliseStatement(text)
      assert.ok(shown.isWellFormed() || !text.isWellFormed())
      assert.ok(shown.length <= LONGEST_STATEMENT)
    }),
  )
})
