import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { chdbEngine } from './chdb-engine.ts'
import { literal } from './literal.ts'
import * as block from './native-block.ts'
import type { SqlEngine } from './sql-engine.ts'

let dir: string
let engine: SqlEngine

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'clew-engine-'))
  engine = await chdbEngine(dir)
  await engine.command('CREATE DATABASE clew')
})

after(async () => {
  await engine.close()
  await rm(dir, { recursive: true, force: true })
})

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.constantFrom('', "'", '\\', '\n\n', "'; DROP TABLE t --", 'x'.repeat(200), '\u0000'),
)

const row = fc.record({
  whole: fc.maxSafeInteger(),
  text,
  name: text,
  id: fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map((bytes) => Buffer.from(bytes).toString('hex')),
  bytes: fc.uint8Array({ maxLength: 300 }),
  names: fc.array(text, { maxLength: 4 }),
  counts: fc.array(fc.maxSafeNat(), { maxLength: 4 }),
  map: fc.dictionary(text, text, { maxKeys: 4 }),
})

test('what is inserted is what is found', async () => {
  await engine.command(`CREATE TABLE clew.things (
    n UInt32, whole Int64, text String, name LowCardinality(String), id FixedString(16),
    bytes String, names Array(LowCardinality(String)), counts Array(UInt64),
    map Map(LowCardinality(String), String)
  ) ENGINE = MergeTree ORDER BY n`)
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 40 }), async (rows) => {
      await engine.command('TRUNCATE TABLE clew.things')
      const columns = [
        block.numbers('n', Uint32Array.from(rows.keys())),
        block.wholeNumbers(
          'whole',
          'Int64',
          rows.map(({ whole }) => whole),
        ),
        block.strings(
          'text',
          rows.map((one) => one.text),
        ),
        block.names(
          'name',
          rows.map(({ name }) => name),
        ),
        block.hexIds(
          'id',
          16,
          rows.map(({ id }) => id),
        ),
        block.byteStrings(
          'bytes',
          rows.map(({ bytes }) => bytes),
        ),
        block.nameLists(
          'names',
          rows.map(({ names }) => names),
        ),
        block.numberLists(
          'counts',
          rows.map(({ counts }) => counts),
        ),
        block.textMaps(
          'map',
          rows.map(({ map }) => map),
        ),
      ]
      await engine.insert('clew.things', columns, String(Math.random()))
      // Keys and values apart: of a map with the key "\0" the engine's JSON tells another key.
      const found = await engine.query<Record<string, unknown>>(
        'SELECT whole, text, name, lower(hex(id)) AS id, lower(hex(bytes)) AS bytes, names, counts, mapKeys(map) AS keys, mapValues(map) AS held FROM clew.things ORDER BY n',
      )
      const expected = rows.map(({ bytes, map, ...rest }) => ({
        ...rest,
        bytes: Buffer.from(bytes).toString('hex'),
        keys: Object.keys(map),
        held: Object.values(map),
      }))
      assert.deepEqual(found, expected)
    }),
    { numRuns: 25 },
  )
})

test('no text gets out of its literal', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 30 }), async (texts) => {
      const [row] = await engine.query<{ texts: string[]; beside: number }>(
        `SELECT [${texts.map(literal).join(', ')}] AS texts, 7 AS beside`,
      )
      assert.deepEqual(row, { texts, beside: 7 })
    }),
    { numRuns: 40 },
  )
})

test('a question that is withdrawn, takes too long or too much ends, and the next one is answered', async () => {
  const endless = 'SELECT sum(cityHash64(number)) FROM numbers(1000000000000)'
  const asking = new AbortController()
  const asked = engine.query(endless, { signal: asking.signal, timeoutMs: 60_000 })
  setTimeout(() => asking.abort(), 50)
  await assert.rejects(asked, { code: 'cancelled' })
  await assert.rejects(engine.query('SELECT 1', { signal: asking.signal }), { code: 'cancelled' })
  await assert.rejects(engine.query(endless, { timeoutMs: 100 }), { code: 'timeout' })
  const hungry = 'SELECT length(groupArray(number)) FROM numbers(300000000)'
  await assert.rejects(engine.query(hungry), { code: 'costly' })
  const answers = await Promise.all([1, 2, 3, 4].map((one) => engine.query(`SELECT ${one} AS one`)))
  assert.deepEqual(answers.flat(), [{ one: 1 }, { one: 2 }, { one: 3 }, { one: 4 }])
})
