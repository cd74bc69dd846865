import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SKETCH_ERROR, Sketch, type SketchJson } from 'clew/trace'
import { parseFilter } from '../filter/index.ts'
import { summarise } from '../settle/summarise.ts'
import { underWay } from '../store/accounts.ts'
import { memoryStore } from '../store/memory-store.ts'
import { StoreError } from '../store/store-error.ts'
import type { TraceSummary } from '../store/summary.ts'
import { type Question, type StoredBatch, type TraceStore, traceKey } from '../store/trace-store.ts'
import { type MadePacket, madePackets } from './made-packets.ts'

/** A store to be tested, empty, and what takes it away. */
export interface OpenStore {
  readonly store: TraceStore
  readonly remove: () => Promise<void>
}

const FROM = Date.UTC(2026, 10, 1, 9, 55)
const PERIOD = { fromMs: FROM - 1_000, toMs: FROM + 3_600_000 }

/** Filters of every kind; of each the store must find what `matches` finds. */
const FILTERS = [
  '',
  'service:orders_0',
  'service:orders_*,stock_1 method:get_*',
  'orders_0',
  'caller:orders_0 -service:mail_*',
  'host:host-7-1',
  'status:error error:Payment*',
  'error:""',
  'duration:>4ms self:<1ms',
  'duration:2ms..6ms in-flight:>20',
  'origin:true',
  'straggler:true',
  'type:orders_0.*',
  'total:>10ms failed:false',
  'failed:true calls:>12 depth:3..4 services:>5',
  '-complete:true',
  'source:""',
  '@http.status:5* @http.status:>=500',
  "-@http.status:* service:'; DROP --",
  'version:v2 edge:call',
  'method:"100%_\\*"',
]

let made: readonly MadePacket[] | undefined
let numbers = 0
const nextId = () => (numbers++).toString(16).padStart(32, '0')

/**
 * What every engine has to do alike, against the store in memory, which tries every call.
 * @param only which of the checks. @default all
 */
export function storeContract(name: string, open: () => Promise<OpenStore>, only = /(?:)/u): void {
  for (const [what, check] of Object.entries(CHECKS)) {
    if (!only.test(what)) continue
    test(`${name}: ${what}`, async () => {
      const { store, remove } = await open()
      try {
        await check(store)
      } finally {
        await store.close()
        await remove()
      }
    })
  }
}

const CHECKS: Readonly<Record<string, (store: TraceStore) => Promise<void>>> = {
  'accounts add up, whatever comes again': async (store) => {
    const sender = { name: 'shop', host: 'vm-1', pid: 7, instance: 'ab'.repeat(8) }
    const batch = (
      taken: number,
      dropped: Record<string, number>,
      stored: number,
    ): StoredBatch => ({
      ...batchOf(summaries().slice(0, 1)),
      tenant: 'default',
      account: {
        ...{ ...sender, road: 'http', taken, dropped, stored },
        rejected: stored > 3 ? { unreadable: 1 } : {},
      },
    })
    const sent = [
      batch(5, {}, 5),
      batch(20, { buffer_full: 7 }, 6),
      batch(20, { buffer_full: 7 }, 0),
    ]
    const otlp: StoredBatch = {
      ...batch(0, {}, 4),
      account: { ...batch(0, {}, 4).account!, road: 'otlp', instance: 'cd'.repeat(8) },
    }
    await store.append([...sent, otlp])
    await store.append([sent[1]!])
    assert.deepEqual(await store.accounts('other'), [])
    const accounts = await store.accounts('default')
    const shop = accounts.find(({ instance }) => instance === sender.instance)!
    assert.deepEqual(
      [
        shop.batches,
        shop.taken,
        shop.stored,
        { ...shop.rejected },
        { ...shop.dropped },
        underWay(shop),
      ],
      [3, 20, 11, { unreadable: 2 }, { buffer_full: 7 }, 0],
    )
    const other = accounts.find(({ road }) => road === 'otlp')!
    assert.deepEqual([other.taken, other.stored, underWay(other)], [5, 4, 0])
  },

  'batches are kept once, and told when they come again': async (store) => {
    const batch = batchOf(summaries().slice(0, 5))
    assert.deepEqual([...(await store.append([batch]))], [])
    assert.deepEqual(
      [...(await store.append([batch, batchOf(summaries().slice(5, 6))]))],
      [batch.id],
    )
    const keys = summaries().map(({ tenant, row }) => ({ tenant, traceId: row.traceId }))
    const kept = await store.packets(keys)
    assert.equal(kept.size, 6)
    for (const packets of kept.values()) assert.equal(packets.length, 1)
    assert.deepEqual([...kept.get(traceKey(keys[3]!))![0]!], [...packetOf(keys[3]!.traceId)])
  },

  'an id is known by its first or last digits': async (store) => {
    await store.append([batchOf(summaries().slice(0, 20))])
    const { traceId } = summaries()[3]!.row
    for (const digits of [traceId, traceId.slice(0, 11), traceId.slice(-12), traceId.slice(-11)]) {
      assert.deepEqual(await store.idsWith('default', digits, 5), [traceId], digits)
      assert.deepEqual(await store.idsWith('other', digits, 5), [])
    }
    assert.deepEqual(await store.idsWith('default', '0123456789ab', 5), [])
  },

  'what was kept and not settled is told': async (store) => {
    const some = summaries().slice(0, 8)
    await store.append([{ ...batchOf(some), packets: batchOf(some, Date.now() - 300_000).packets }])
    assert.equal((await store.unsettled()).length, 8)
    await store.settle(some.slice(2))
    const left = await store.unsettled()
    assert.deepEqual(
      left.map(({ traceId }) => traceId).sort(),
      some
        .slice(0, 2)
        .map(({ row }) => row.traceId)
        .sort(),
    )
    const keys = some.map(({ tenant, row }) => ({ tenant, traceId: row.traceId }))
    assert.equal((await store.settled(keys)).size, 6)
  },

  'every kind of condition finds what matches, in order': async (store) => {
    const reference = await filled(store)
    for (const text of FILTERS) {
      for (const order of ['newest', 'slowest'] as const) {
        const question = { ...questionOf(text), order, limit: 1_000 }
        const [found, expected] = [await store.find(question), await reference.find(question)]
        assert.deepEqual(found.traces.map(shown), expected.traces.map(shown), `${order} ${text}`)
        assert.equal(found.cursor, undefined)
      }
      const question = questionOf(text)
      assert.deepEqual(await store.count(question), await reference.count(question), text)
    }
  },

  'pages follow each other without gaps or doubles while traces come': async (store) => {
    await filled(store)
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await store.find({ ...questionOf(''), limit: 37, cursor })
      seen.push(...page.traces.map(({ traceId }) => traceId))
      if (cursor === undefined) await store.settle(later())
      cursor = page.cursor
    } while (cursor !== undefined)
    assert.equal(new Set(seen).size, seen.length)
    assert.equal(seen.length, summaries().length)
    const ever = { ...questionOf(''), period: { fromMs: 0, toMs: 8.64e15 }, limit: 1_000 }
    assert.equal((await store.find(ever)).traces.length, summaries().length + later().length)
    const wrong = { ...questionOf(''), limit: 5, cursor: 'bm9uZQ' }
    await assert.rejects(
      () => store.find(wrong),
      (error) => error instanceof StoreError && error.code === 'cursor',
    )
  },

  'figures are those of all calls that match, weighted': async (store) => {
    const reference = await filled(store)
    const aligned = { fromMs: FROM - 55 * 60_000, toMs: FROM + 3_900_000 }
    const filters = [
      '',
      'service:orders_*',
      'type:*.get_0',
      'caller:orders_0',
      ...FILTERS.slice(8, 15),
    ]
    for (const text of filters) {
      for (const period of [PERIOD, aligned, { fromMs: FROM, toMs: FROM + 1_000 }]) {
        const question = { ...questionOf(text), period }
        const about = `${text} ${period.fromMs}`
        same(await store.statistics(question), await reference.statistics(question), about)
        same(await store.links(question), await reference.links(question), about)
        const [here, there] = [await store.breakdown(question), await reference.breakdown(question)]
        same(here.requests, there.requests, about)
        same(here.parts, there.parts, about)
        const minutes = [
          await store.timeline(question, 60_000),
          await reference.timeline(question, 60_000),
        ]
        same(minutes[0]!, minutes[1]!, about)
      }
    }
    for (const field of ['service', 'method', 'host', 'type'] as const) {
      assert.deepEqual(
        await store.names('default', field, PERIOD, 7),
        await reference.names('default', field, PERIOD, 7),
      )
    }
  },

  'a summary takes the place of the one before, in every figure': async (store) => {
    const reference = await filled(store)
    const changed = summaries()
      .slice(0, 50)
      .map(
        (summary, index): TraceSummary => ({
          ...summary,
          ...{ replaces: true, packets: 2 },
          row: { ...summary.row, weight: 1 + (index % 4), error: 'Changed' },
          calls: summary.calls.slice(0, index % 7),
        }),
      )
    for (const round of [changed, changed.slice(10, 30), summaries().slice(0, 20)]) {
      const again = round.map((summary) => ({ ...summary, replaces: true }))
      await store.settle(again)
      await reference.settle(again)
    }
    const question = questionOf('')
    same(await store.statistics(question), await reference.statistics(question), 'replaced')
    same(await store.links(question), await reference.links(question), 'replaced')
    const parts = [await store.breakdown(question), await reference.breakdown(question)] as const
    same(parts[0].parts, parts[1].parts, 'replaced')
    const asked = { ...question, limit: 1_000 }
    const [found, expected] = [await store.find(asked), await reference.find(asked)]
    assert.deepEqual(found.traces.map(shown), expected.traces.map(shown))
    const [usage, known] = [await store.usage('default'), await reference.usage('default')]
    assert.deepEqual([usage.traces, usage.calls], [known.traces, known.calls])
  },

  'what is another tenant’s is in no answer': async (store) => {
    await filled(store)
    const own = summaries()[0]!
    const theirs: TraceSummary = {
      ...own,
      tenant: 'other',
      calls: own.calls.map((call) => ({ ...call, service: 'secret' })),
    }
    await store.append([batchOf([theirs])])
    await store.settle([theirs])
    const question = questionOf('service:secret')
    assert.equal((await store.find({ ...question, limit: 10 })).traces.length, 0)
    assert.equal((await store.statistics(question)).length, 0)
    assert.equal((await store.links(question)).length, 0)
    assert.ok(!(await store.names('default', 'service', PERIOD, 100)).includes('secret'))
    assert.equal((await store.find({ ...question, tenant: 'other', limit: 10 })).traces.length, 1)
    await store.removeTenant('other')
    assert.equal((await store.find({ ...question, tenant: 'other', limit: 10 })).traces.length, 0)
    assert.equal((await store.idsWith('other', '', 10)).length, 0)
    const left = await store.settled([{ tenant: 'default', traceId: own.row.traceId }])
    assert.equal(left.size, 1)
  },

  'what is removed, or too old, is gone from every figure': async (store) => {
    const reference = await filled(store)
    const ids = summaries()
      .slice(0, 30)
      .map(({ row }) => row.traceId)
    assert.equal(await store.remove('default', ids), 30)
    await reference.remove('default', ids)
    const question = questionOf('')
    same(await store.statistics(question), await reference.statistics(question), 'removed')
    assert.deepEqual(await store.idsWith('default', ids[0]!, 5), [])
    assert.equal(
      (await store.packets(ids.map((traceId) => ({ tenant: 'default', traceId })))).size,
      0,
    )
    await store.expire({ beforeMs: FROM + 1_800_000 })
    const [oldest] = (await store.find({ ...question, limit: 1_000 })).traces.toReversed()
    assert.ok(oldest!.startUs >= (FROM + 1_800_000) * 1_000)
  },

  'who went away is told nothing': async (store) => {
    await filled(store)
    const signal = AbortSignal.abort()
    await assert.rejects(() => store.find({ ...questionOf(''), limit: 5 }, { signal }))
    await assert.rejects(() => store.statistics(questionOf(''), { signal }))
    assert.equal((await store.find({ ...questionOf(''), limit: 5 })).traces.length, 5)
  },
}

function packets(): readonly MadePacket[] {
  made ??= [...madePackets(240, { seed: 11, fromMs: FROM, failing: 0.02 })]
  return made
}

function packetOf(traceId: string): Uint8Array {
  const found = packets().find((one) => one.traceId === traceId)
  return found === undefined ? new Uint8Array(3) : found.bytes
}

/** Summaries with everything that a filter may ask for. */
function summaries(): readonly TraceSummary[] {
  return packets().map(({ traceId, bytes }, index): TraceSummary => {
    const summary = summarise({ tenant: 'default', traceId, packets: [bytes], replaces: false })
    const weight = index % 5 === 0 ? 12.5 : 1
    const attributes = index % 9 === 0 ? { 'http.status': index % 2 === 0 ? '500' : 'none' } : {}
    return {
      ...summary,
      row: { ...summary.row, weight, complete: index % 11 !== 0 },
      calls: summary.calls.map((call, at) => ({
        ...call,
        ...{ attributes, version: at % 3 === 0 ? 'v2' : '', straggler: at % 17 === 5 },
        ...(index % 13 === 0 && at === 2 && { totalUs: undefined, selfUs: 0 }),
        ...(index % 31 === 0 && at === 1 && { method: '100%_*' }),
      })),
    }
  })
}

function later(): readonly TraceSummary[] {
  const more = [...madePackets(20, { seed: 12, fromMs: FROM + 3_000_000, overMs: 100_000 })]
  return more.map(({ traceId, bytes }) => {
    const summary = summarise({ tenant: 'default', traceId, packets: [bytes], replaces: false })
    return { ...summary, row: { ...summary.row, startUs: (PERIOD.toMs - 1) * 1_000 } }
  })
}

function batchOf(list: readonly TraceSummary[], arrivedMs = Date.now()): StoredBatch {
  return {
    id: nextId(),
    packets: list.map(({ tenant, row: { traceId } }) => ({
      ...{ tenant, traceId, arrivedMs, bytes: packetOf(traceId) },
    })),
  }
}

/** Fills the store, and one in memory to hold it against. */
async function filled(store: TraceStore): Promise<TraceStore> {
  const reference = memoryStore()
  for (const one of [store, reference]) {
    await one.append([batchOf(summaries())])
    await one.settle(summaries().slice(0, 100))
    await one.settle(summaries().slice(100))
  }
  return reference
}

const questionOf = (text: string): Question => ({
  ...{ tenant: 'default', period: PERIOD, filter: parseFilter(text) },
})

/** Shares are kept to a fraction of a percent. */
const shown = (row: TraceSummary['row']) => ({
  ...row,
  bottleneckShare: Math.round(row.bottleneckShare * 50) / 50,
})

/** The same rows in whatever order; sums but for the last digits, quantiles as near as sketches are. */
function same(found: readonly object[], expected: readonly object[], about: string): void {
  const [here, there] = [byKey(found), byKey(expected)]
  assert.deepEqual([...here.keys()].sort(), [...there.keys()].sort(), about)
  for (const [key, row] of there) near(here.get(key)!, row, `${about} ${key}`)
}

function byKey(rows: readonly object[]): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
  const keyOf = (row: object) =>
    JSON.stringify(Object.entries(row).filter(([, value]) => typeof value === 'string'))
  const moment = (row: object) => ('fromMs' in row ? String(row.fromMs) : '')
  return new Map(rows.map((row) => [`${moment(row)} ${keyOf(row)}`, { ...row }]))
}

function near(
  found: Readonly<Record<string, unknown>>,
  expected: Readonly<Record<string, unknown>>,
  about: string,
): void {
  for (const [name, value] of Object.entries(expected)) {
    if (typeof value === 'number') close(found[name], value, 1e-6, `${about} ${name}`)
    if (typeof value !== 'object') continue
    const [here, there] = [Sketch.from(found[name] as SketchJson), Sketch.from(value as SketchJson)]
    close(here.count, there.count, 1e-6, `${about} ${name} count`)
    close(here.sum, there.sum, 1e-6, `${about} ${name} sum`)
    for (const share of [0.5, 0.95]) {
      const which = `${about} ${name} ${share}`
      close(here.quantile(share), there.quantile(share), 2.1 * SKETCH_ERROR, which)
    }
  }
}

function close(found: unknown, expected: number, error: number, about: string): void {
  const apart = Math.abs((found as number) - expected)
  assert.ok(
    apart <= error * Math.abs(expected) + 1e-7,
    `${about}: ${String(found)}, not ${expected}`,
  )
}
