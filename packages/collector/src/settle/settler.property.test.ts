import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type CallNode, callTree } from 'clew/trace'
import { type CallRecord, encodePacket, Log } from 'clew/trace/blocks'
import fc from 'fast-check'
import type { CallStatisticsRow, LinkRow } from '../store/answers.ts'
import { embeddedStore } from '../store/embedded-store.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { TraceRow } from '../store/summary.ts'
import type { Question, StoredPacket, TraceKey, TraceStore } from '../store/trace-store.ts'
import { Settler, type SettlerOptions } from './settler.ts'
import { summarise } from './summarise.ts'
import { traceOf } from './trace-of.ts'

/** A call, and by which way what is known of it comes home. */
interface Plan {
  readonly service: string
  readonly workUs: number
  readonly fails: boolean
  /** What it knows leaves in a message of its own, not in its reply. */
  readonly apart: boolean
  /** After it, what its caller has gathered leaves in a message of its own. */
  readonly spills: boolean
  readonly calls: readonly Plan[]
}

const { plan } = fc.letrec<{ plan: Plan }>((tie) => ({
  plan: fc.record({
    service: fc.constantFrom('orders', 'stock', 'users'),
    workUs: fc.integer({ min: 1, max: 5_000 }),
    ...{ fails: fc.boolean(), apart: fc.boolean(), spills: fc.boolean() },
    calls: fc.oneof({ maxDepth: 4 }, fc.constant([]), fc.array(tie('plan'), { maxLength: 4 })),
  }),
}))

const digits = (number: number, count: number) => number.toString(16).padStart(count, '0')
const outlineOf = ({ service, calls }: Plan | CallNode): unknown[] => [
  service,
  ...calls.map(outlineOf),
]

/** What the processes of a planned trace send, message by message. */
class Sent {
  readonly traceId: string
  readonly pieces: Uint8Array[] = []
  readonly root: { record: CallRecord; host: string; pid: number; block: Uint8Array | undefined }
  #calls = 0

  constructor(plan: Plan, traceId: string, startUs: number) {
    this.traceId = traceId
    const id = this.#nextId()
    const { block, lastedUs } = this.#call(plan, id, undefined, startUs + 10)
    const record = recordOf(plan, id, 0, startUs, lastedUs + 20)
    this.root = { record, host: 'edge', pid: 1, block }
  }

  #nextId(): string {
    return this.traceId.slice(16, 24) + digits(++this.#calls, 8)
  }

  #call(plan: Plan, callId: string, parent: string | undefined, receiveUs: number) {
    const { service, workUs, fails, apart, calls } = plan
    const place = { host: `host of ${service}`, pid: 2, service, method: 'do' }
    const log = new Log({ traceId: this.traceId, callId, ...place }, receiveUs)
    let at = receiveUs + workUs
    for (const [seq, child] of calls.entries()) {
      const id = this.#nextId()
      const { block, lastedUs } = this.#call(child, id, callId, at + 10)
      log.append(recordOf(child, id, seq, at, lastedUs + 20), block)
      at += lastedUs + 20
      if (!child.spills) continue
      const { calls: gone, worst } = log
      const bytes = log.takePiece(seq)
      this.pieces.push(bytes)
      log.appendPointer({ piece: seq, calls: gone, bytes: bytes.length, worst })
    }
    const own = {
      ...{ receiveUs, respondUs: at, inFlight: 1, redelivered: false, calls: calls.length },
      ...outcomeOf(fails),
    }
    const lastedUs = at - receiveUs
    if (!apart || parent === undefined) return { block: log.close(own), lastedUs }
    this.pieces.push(log.closePiece(own, { parent }))
    return { block: undefined, lastedUs }
  }
}

const outcomeOf = (fails: boolean) =>
  fails
    ? ({ status: 'error', error: 'OutOfStock' } as const)
    : ({ status: 'ok', error: undefined } as const)

function recordOf(plan: Plan, id: string, seq: number, requestUs: number, us: number): CallRecord {
  const finishUs = requestUs + us
  const place = { service: plan.service, method: 'do', edge: 'call', attempt: 1 } as const
  return { id, seq, requestUs, finishUs, ...place, ...outcomeOf(plan.fails) }
}

const turns = async (count: number) => {
  for (let at = 0; at < count; at++) await new Promise((resolve) => setImmediate(resolve))
}

/** A settler that can be killed: its store takes its time, and from then on nothing from it. */
function started(store: TraceStore, turnsOf: () => number) {
  let dead = false
  const slowly = async <T>(work: () => Promise<T>): Promise<T> => {
    await turns(turnsOf())
    if (dead) throw new Error('the process was killed')
    const answer = await work()
    await turns(turnsOf())
    return answer
  }
  const slow: SettlerOptions['store'] = {
    settle: (summaries) => slowly(() => store.settle(summaries)),
    settled: (keys, near) => slowly(() => store.settled(keys, near)),
    packets: (keys) => slowly(() => store.packets(keys)),
    unsettled: () => slowly(() => store.unsettled()),
  }
  const settler = new Settler({ store: slow, quietMs: 4, longestMs: 20 })
  const kill = async () => {
    dead = true
    await settler.close()
  }
  return { settler, kill }
}

type UpTo = (max: number) => number

/** What was sent of a trace in packets of its messages, some packets twice. */
function packetsOf({ traceId, root, pieces }: Sent, tenant: string, upTo: UpTo): StoredPacket[] {
  const parts = new Map<number, Uint8Array[]>()
  for (const piece of pieces) {
    const to = upTo(3)
    parts.set(to, [...(parts.get(to) ?? []), piece])
  }
  const all = [...parts.values()].map((some) => ({ traceId, pieces: some }))
  const bare = { traceId, pieces: [] }
  const [first = bare, ...rest] = upTo(1) === 0 ? all : [bare, ...all]
  return [{ ...first, root }, ...rest].flatMap((packet) => {
    const bytes = encodePacket({ ...packet, ended: upTo(1) === 0 })
    const one = { tenant, traceId, bytes, arrivedMs: Date.now() }
    return upTo(3) === 0 ? [one, one] : [one]
  })
}

const actions = [
  'send',
  'send',
  'send',
  'crash',
  'kill',
  'close',
  'drain',
  'rest',
  'turn',
  'remove',
]
let runs = 0

/** Has packets of some traces come, and everything happen to who settles them, in any order. */
async function holds(store: TraceStore, plans: readonly Plan[], draw: fc.GeneratorValue) {
  const tenant = `tenant ${++runs}`
  const upTo: UpTo = (max) => draw(fc.nat, { max })
  const startUs = Date.now() * 1_000
  const sent = plans.map((one, at) => new Sent(one, digits(runs * 8 + at, 16).repeat(2), startUs))
  const whole = new Map(sent.map(({ traceId }, at) => [traceId, plans[at]!]))
  const kept = new Map<string, Uint8Array[]>()
  const waiting = sent.flatMap((one) => packetsOf(one, tenant, upTo))
  let { settler, kill } = started(store, () => upTo(2))
  let batches = 0
  const come = async () => {
    const count = Math.min(waiting.length, 1 + upTo(2))
    const packets = Array.from(
      { length: count },
      () => waiting.splice(upTo(waiting.length - 1), 1)[0]!,
    )
    await store.append([{ id: digits(runs, 16) + digits(++batches, 16), packets }])
    for (const { traceId, bytes } of packets) {
      kept.set(traceId, [...(kept.get(traceId) ?? []), bytes])
    }
    return packets
  }
  const remove = async (traceId: string) => {
    await turns(upTo(2))
    if (upTo(4) === 0) throw new Error('the disk failed')
    await store.remove(tenant, [traceId])
    // What comes of it from now on is all that there is.
    if (kept.delete(traceId)) whole.delete(traceId)
    if (upTo(1) === 0) settler.take(await come())
    await turns(upTo(8))
  }
  while (waiting.length > 0) {
    const action = draw(fc.constantFrom, ...actions)
    if (action === 'send') settler.take(await come())
    else if (action === 'crash') await come()
    else if (action === 'drain') await settler.drain()
    else if (action === 'rest') await new Promise((resolve) => setTimeout(resolve, upTo(12)))
    else if (action === 'turn') await turns(upTo(4))
    else if (action === 'remove') {
      const { traceId } = sent[upTo(sent.length - 1)]!
      const concerns = (key: TraceKey) => key.tenant === tenant && key.traceId === traceId
      await settler.without(concerns, () => remove(traceId)).catch(() => {})
    }
    if (action === 'crash' || action === 'kill' || action === 'close') {
      await (action === 'close' ? settler.close() : kill())
      ;({ settler, kill } = started(store, () => upTo(2)))
      await settler.recover()
    }
  }
  await settler.close()
  assert.equal(settler.pending, 0)
  await isWhole(store, tenant, kept, whole)
}

/** Of each trace there is one tree, that of its packets, and what is counted is what is there. */
async function isWhole(
  store: TraceStore,
  tenant: string,
  kept: ReadonlyMap<string, Uint8Array[]>,
  whole: ReadonlyMap<string, Plan>,
) {
  const reference = memoryStore()
  for (const [traceId, packets] of kept) {
    await reference.settle([summarise({ tenant, traceId, packets, replaces: false })])
    const [there] = (await store.packets([{ tenant, traceId }])).values()
    const { root, missingCalls, problems } = callTree(traceOf(traceId, there!).trace)
    const planned = whole.get(traceId)
    if (planned === undefined) continue
    assert.deepEqual(outlineOf(root), outlineOf(planned))
    assert.deepEqual([missingCalls, problems], [0, []])
  }
  // Row by row, and by rollups, which have quarters of an hour.
  for (const aroundMs of [60_000, 3_600_000]) {
    const period = { fromMs: Date.now() - aroundMs, toMs: Date.now() + aroundMs }
    const question: Question = { tenant, period, filter: { conditions: [] } }
    const seen = async (from: TraceStore) => ({
      rows: (await from.find({ ...question, limit: 100 })).traces.map(rowOf),
      statistics: (await from.statistics(question)).map(countsOf).sort(),
      links: (await from.links(question)).map(countsOf).sort(),
      calls: (await from.usage(tenant)).calls,
    })
    assert.deepEqual(await seen(store), await seen(reference))
  }
  assert.deepEqual(
    (await store.unsettled()).filter((key) => key.tenant === tenant),
    [],
  )
}

/** What a trace is found by, but for shares: their last digits are of the way they were reckoned. */
const rowOf = ({ bottleneckShare, ...row }: TraceRow) => row

const countsOf = ({ service, calls, failed, total, ...row }: CallStatisticsRow | LinkRow) =>
  `${'callerService' in row ? row.callerService : ''} ${service} ${calls} ${failed} ${total.count}`

const nightly = process.env['CLEW_NIGHTLY'] === '1'
const traces = fc.array(plan, { minLength: 1, maxLength: 3 })

test('however packets come, and whatever happens meanwhile, each trace is there once and whole', async () => {
  const store = memoryStore()
  await fc.assert(
    fc.asyncProperty(traces, fc.gen(), (plans, draw) => holds(store, plans, draw)),
    { numRuns: nightly ? 3_000 : 150 },
  )
})

test('so it is in a store with rollups', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'clew-settler-'))
  const store = await embeddedStore(dir)
  try {
    await fc.assert(
      fc.asyncProperty(traces, fc.gen(), (plans, draw) => holds(store, plans, draw)),
      { numRuns: nightly ? 25 : 4, endOnFailure: true },
    )
  } finally {
    await store.close()
    await rm(dir, { recursive: true, force: true })
  }
})
