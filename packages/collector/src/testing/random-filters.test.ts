import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import {
  type Comparison,
  type Condition,
  FIELDS,
  type Field,
  formatFilter,
  type Value,
} from '../filter/index.ts'
import { embeddedStore } from '../store/embedded-store.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { CallSummary, TraceSummary } from '../store/summary.ts'
import type { TraceStore } from '../store/trace-store.ts'

const FROM = Date.UTC(2026, 10, 1, 9, 57)
const PERIOD = { fromMs: FROM, toMs: FROM + 3_600_000 }

/** Names that mean something in SQL, in patterns of SQL and in our own, and some that look alike. */
const TEXTS = ['', 'a', 'A', 'ab', 'a%', 'a_b', 'a\\b', "a'b", 'a*b', 'ä', '𝔸', 'a\nb', '\\', '%']
const NUMBERS = ['500', '5e2', '500.5', '-1', '0500', '5,0', '9'.repeat(30), ' 500']
const text = fc.constantFrom(...TEXTS)
const us = fc.constantFrom(0, 1, 999, 1_000, 1_001, 2_000_000, 2 ** 45)

const call: fc.Arbitrary<CallSummary> = fc.record({
  ...{ service: text, method: text, callerService: text, callerMethod: text },
  edge: fc.constantFrom('call', 'event', 'local'),
  ...{ host: text, version: text, error: text },
  totalUs: fc.option(us, { nil: undefined }),
  selfUs: fc.option(us, { nil: undefined }),
  criticalUs: us,
  status: fc.constantFrom('ok', 'error', 'timeout', 'pending'),
  inFlight: fc.constantFrom(0, 1, 7),
  ...{ origin: fc.boolean(), straggler: fc.boolean() },
  attributes: fc.dictionary(text, fc.oneof(text, fc.constantFrom(...NUMBERS)), { maxKeys: 2 }),
})

let ids = 0
const summary: fc.Arbitrary<TraceSummary> = fc.record({
  tenant: fc.constant('default'),
  packets: fc.constant(1),
  replaces: fc.constant(false),
  calls: fc.array(call, { maxLength: 3 }),
  parts: fc.constant([]),
  row: fc.record({
    traceId: fc.constant(0).map(() => ((ids++ * 0x9e3779b1) >>> 0).toString(16).padStart(32, '0')),
    startUs: fc.nat({ max: 3_600_000_000 }).map((after) => FROM * 1_000 + after),
    totalUs: fc.option(us, { nil: undefined }),
    ...{ service: text, method: text, host: text, error: text },
    status: fc.constantFrom('ok', 'error', 'timeout', 'pending'),
    ...{ calls: fc.nat({ max: 9 }), missingCalls: fc.nat({ max: 2 }) },
    ...{ services: fc.nat({ max: 3 }), depth: fc.nat({ max: 3 }) },
    ...{ failedService: text, failedMethod: text, bottleneckService: text, bottleneckMethod: text },
    ...{ bottleneckShare: fc.constantFrom(0, 0.5, 1), complete: fc.boolean() },
    weight: fc.constantFrom(1, 12.5),
    source: fc.constantFrom(undefined, 'otlp', 'zipkin'),
  }),
})

const pattern = fc.oneof(
  fc.constantFrom('*_*', 'a_*', '*%', '*\\\\*', '*\\**', "*'*"),
  fc
    .array(fc.oneof(fc.constantFrom('*', '\\*', '\\\\'), fc.constantFrom(...TEXTS).map(escaped)), {
      maxLength: 3,
    })
    .map((parts) => parts.join('')),
)

function escaped(literally: string): string {
  return literally.replace(/[\\*]/gu, '\\$&')
}

const fields = Object.keys(FIELDS) as Field[]
const comparison = fc.constantFrom<Comparison>('=', '>', '>=', '<', '<=')

const condition: fc.Arbitrary<Condition> = fc
  .record({
    field: fc.constantFrom(...fields),
    negated: fc.boolean(),
    comparison,
    attribute: fc.constantFrom(...TEXTS.slice(1)),
  })
  .chain(({ field, negated, comparison: told, attribute }) => {
    const { kind } = FIELDS[field]
    const named = field === 'attribute' ? { attribute } : {}
    const counted = kind === 'number' || kind === 'duration' || field === 'attribute'
    const how = counted ? told : '='
    const value: fc.Arbitrary<Value> =
      kind === 'flag'
        ? fc.boolean()
        : kind === 'text' && how === '='
          ? field === 'id'
            ? fc.constantFrom('0', '00', '0000', 'f', '%', '*')
            : pattern
          : fc.constantFrom(0, 1, 7, 500, 500.5, 1_000, 2_000_000)
    return fc
      .array(value, { minLength: 1, maxLength: how === '=' ? 2 : 1 })
      .map((values) => ({ field, ...named, negated, comparison: how, values }))
  })

let dir: string
let store: TraceStore
const reference = memoryStore()

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'clew-random-'))
  store = await embeddedStore(dir)
  const summaries = fc.sample(summary, { numRuns: 400, seed: 5 })
  for (const one of [store, reference]) await one.settle(summaries)
})

after(async () => {
  await store.close()
  await rm(dir, { recursive: true, force: true })
})

test('what any filter asks for is found, in order, page by page, and counted', async () => {
  let some = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(condition, { maxLength: 3 }),
      fc.constantFrom('newest', 'slowest'),
      async (conditions, order) => {
        const question = { tenant: 'default', period: PERIOD, filter: { conditions } }
        const about = formatFilter(question.filter)
        const expected = await reference.find({ ...question, order, limit: 1_000 })
        const first = await store.find({ ...question, order, limit: 60 })
        const found = [...first.traces]
        if (first.cursor !== undefined) {
          const rest = { ...question, order, limit: 1_000, cursor: first.cursor }
          found.push(...(await store.find(rest)).traces)
        }
        const rows = expected.traces.map((row) => ({ ...row }))
        assert.deepEqual(found, rows, about)
        if (found.length > 0 && found.length < 400) some++
        const figures = [await store.statistics(question), await reference.statistics(question)]
        const [here, there] = figures.map((rows) => rows.map(shown).sort())
        assert.deepEqual(here, there, about)
      },
    ),
    { numRuns: process.env['CLEW_NIGHTLY'] === '1' ? 3_000 : 100 },
  )
  assert.ok(some > 30, `${some} filters found some and not all`)
})

const shown = (
  row: Readonly<Record<'service' | 'method', string> & Record<'calls' | 'failed', number>>,
) => `${row.service} ${row.method} ${row.calls} ${row.failed}`
