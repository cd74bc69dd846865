import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CallColumns, type CallRecord, encodePacket, Log, readPacket } from 'clew/trace/blocks'
import fc from 'fast-check'
import type { TraceSummary } from '../store/summary.ts'
import { madePackets } from '../testing/made-packets.ts'
import { PlainSummaries } from './plain-summary.ts'
import { summarise } from './summarise.ts'

const plain = new PlainSummaries(new CallColumns())

const bySlow = (traceId: string, bytes: Uint8Array) =>
  summarise({ tenant: 'default', traceId, packets: [bytes], replaces: false })

/** Equal but for a microsecond of rounding, which milliseconds since 1970 bring. */
function same(fast: TraceSummary, slow: TraceSummary): void {
  // Of two places that took as long, either may be named: the share tells that they did.
  const { bottleneckShare: one, bottleneckService: _a, bottleneckMethod: _b, ...row } = fast.row
  const {
    bottleneckShare: other,
    bottleneckService: _c,
    bottleneckMethod: _d,
    ...expected
  } = slow.row
  assert.deepEqual(row, expected)
  assert.ok(Math.abs(one - other) * fast.row.totalUs! <= 3, `${one} and ${other}`)
  assert.equal(fast.calls.length, slow.calls.length)
  const keyOf = (call: TraceSummary['calls'][number]) =>
    JSON.stringify([
      call.service,
      call.method,
      call.callerService,
      call.callerMethod,
      call.totalUs,
      call.host,
      call.selfUs,
      call.criticalUs,
    ])
  const sorted = (summary: TraceSummary) =>
    summary.calls.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  const [calls, others] = [sorted(fast), sorted(slow)]
  for (const [at, { criticalUs, selfUs, attributes, ...call }] of calls.entries()) {
    const { criticalUs: critical, selfUs: self, attributes: _, ...told } = others[at]!
    assert.deepEqual(call, told)
    assert.equal(Object.keys(attributes).length, 0)
    assert.ok(Math.abs(criticalUs - critical) <= 2 && Math.abs(selfUs! - self!) <= 2)
  }
  const partsOf = ({ parts }: TraceSummary) =>
    new Map(
      parts.filter(({ us }) => us > 2).map(({ service, layer, us }) => [`${service} ${layer}`, us]),
    )
  const [parts, known] = [partsOf(fast), partsOf(slow)]
  for (const [part, us] of known) {
    assert.ok(Math.abs((parts.get(part) ?? 0) - us) <= 3, `${part}: ${parts.get(part)} and ${us}`)
  }
}

test('what is told of plain traces is what their trees tell', () => {
  let told = 0
  const made = [...madePackets(1_500, { seed: 31, failing: 0.01 })]
  for (const { traceId, bytes } of made) {
    const fast = plain.of('default', bytes)
    if (fast === undefined) continue
    told++
    same(fast, bySlow(traceId, bytes))
  }
  assert.ok(told > made.length / 2, `only ${told} of ${made.length} were plain`)
})

/** A call and those it makes, on clocks that are apart, with everything that may be odd. */
interface Plan {
  readonly service: string
  readonly method: string
  readonly host: number
  readonly gap: number
  readonly leg: number
  readonly work: number
  readonly start: number
  readonly inFlight: number
  readonly version: boolean
  readonly odd: number
  readonly together: boolean
  readonly calls: readonly Plan[]
}

const plan = (depth: number): fc.Arbitrary<Plan> =>
  fc.record({
    service: fc.constantFrom('orders', 'orders_archive', 'payments', 'größe', 'stock'),
    method: fc.constantFrom('get', 'get_all', 'list', 'x'.repeat(150)),
    host: fc.nat({ max: 3 }),
    gap: fc.nat({ max: 400 }),
    leg: fc.nat({ max: 900 }),
    work: fc.nat({ max: 5_000 }),
    start: fc.constantFrom(0, 0, 0, 120),
    inFlight: fc.integer({ min: 1, max: 300 }),
    version: fc.boolean(),
    odd: fc.nat({ max: 60 }),
    together: fc.boolean(),
    calls: depth === 0 ? fc.constant([]) : fc.array(plan(depth - 1), { maxLength: 4 }),
  })

const SKEWS = [0, 35_000, -2_000_000, 7]

function packetOf(root: Plan, traceId: string): Uint8Array {
  let ids = 0
  const run = (
    plan: Plan,
    callId: string,
    receiveUs: number,
  ): { block: Uint8Array; us: number; ok: boolean } => {
    const host = `host-${plan.host}`
    const owner = {
      traceId,
      callId,
      host,
      pid: 7 + plan.host,
      service: plan.service,
      method: plan.method,
    }
    const log = new Log(owner, receiveUs)
    let [at, end] = [plan.start + plan.gap, plan.start + plan.gap]
    let ok = plan.odd !== 1
    for (const [seq, child] of plan.calls.entries()) {
      const id = (++ids).toString(16).padStart(16, '0')
      const requestUs = receiveUs + (plan.together ? at : end) + child.gap
      const skew = SKEWS[child.host]! - SKEWS[plan.host]!
      const made = run(child, id, requestUs + child.leg + skew)
      const finishUs = requestUs + child.leg * 2 + made.us - (child.odd === 2 ? 300 : 0)
      ok &&= made.ok
      log.append(
        {
          ...{ id, service: child.service, method: child.method, seq, requestUs, finishUs },
          ...{ edge: child.odd === 3 ? 'next' : 'call', attempt: child.odd === 4 ? 2 : 1 },
          ...{ status: made.ok ? 'ok' : 'error', error: made.ok ? undefined : 'Odd' },
        },
        child.odd === 5 ? undefined : made.block,
      )
      end = Math.max(end, finishUs - receiveUs)
      at += 30
    }
    const us = Math.max(end, at) + plan.work - (plan.odd === 6 ? 200 : 0)
    const block = log.close({
      ...{ receiveUs, respondUs: receiveUs + us, status: ok ? 'ok' : 'error' },
      ...(plan.start > 0 && { startUs: receiveUs + plan.start }),
      ...{ inFlight: plan.inFlight, redelivered: plan.odd === 7, calls: plan.calls.length },
      ...(plan.odd === 8 && { calls: plan.calls.length + 1 }),
      ...(plan.version && { version: '1.2.3', busy: 0.25 }),
    })
    return { block, us, ok }
  }
  const requestUs = 1_795_386_521_000_000
  const { block, us, ok } = run(root, 'f'.repeat(16), requestUs + root.leg + SKEWS[root.host]!)
  const record: CallRecord = {
    ...{ id: 'f'.repeat(16), service: root.service, method: root.method, seq: 0, attempt: 1 },
    ...{ requestUs, finishUs: requestUs + us + root.leg * 2, edge: 'call' },
    ...{ status: ok ? 'ok' : 'error', error: ok ? undefined : 'Odd' },
  }
  const packetRoot = { record, host: 'host-0', pid: 3, block }
  return encodePacket({ traceId, root: packetRoot, pieces: [], ended: true, weight: 2 })
}

test('whatever the trace, it is told alike or left to the tree', () => {
  let told = 0
  fc.assert(
    fc.property(plan(3), (root) => {
      const traceId = 'ab'.repeat(16)
      const bytes = packetOf(root, traceId)
      const fast = plain.of('default', bytes)
      if (fast === undefined) return
      told++
      same(fast, bySlow(traceId, bytes))
    }),
    { numRuns: 1_500 },
  )
  assert.ok(told > 100, `only ${told} were plain`)
})

test('damaged bytes are left to the tree, or told alike', () => {
  const [one] = madePackets(1, { seed: 3 })
  const { bytes } = one!
  fc.assert(
    fc.property(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 255 }), (at, value) => {
      const damaged = bytes.slice()
      damaged[at] = value
      if (readPacket(damaged) === undefined) assert.equal(plain.of('x', damaged), undefined)
      else plain.of('x', damaged)
      assert.equal(plain.of('x', damaged.subarray(0, at)), undefined)
    }),
    { numRuns: 2_000 },
  )
  assert.notEqual(plain.of('x', bytes), undefined)
})
