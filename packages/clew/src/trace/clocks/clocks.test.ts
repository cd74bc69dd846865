import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { stragglers } from '../analysis/index.ts'
import { placesOf } from '../analysis/walk.ts'
import type { CallNode } from '../call-node.ts'
import { callTree } from '../call-tree.ts'
import type { Entry } from '../entry.ts'
import { entries, T } from '../model.test.ts'
import { ClockPool } from './clock-pool.ts'

/** A call as it was, in true milliseconds; what its legs took is what clocks have to tell. */
interface Truth {
  readonly id: string
  readonly parent: string | null
  readonly caller: string
  readonly callee: string
  readonly request: number
  readonly receive: number
  readonly respond: number
  readonly finish: number
}

/** How far a host's clock is ahead, by the true time. */
type Clock = (at: number) => number

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomly(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

interface Shape {
  readonly seed: number
  readonly calls: number
  readonly hosts: number
  /** Mean of the time in queues, on the way there only. */
  readonly queueMs?: number
  /** Time between calls. */
  readonly pauseMs?: number
}

/** A root that makes calls, some of which make calls, to random hosts over network legs of 0.35 ms on average. */
function truths({ seed, calls, hosts, queueMs = 10, pauseMs = 1 }: Shape): Truth[] {
  const random = randomly(seed)
  const exponential = (mean: number) => -Math.log(1 - random()) * mean
  const leg = () => 0.05 + exponential(0.3)
  const hostOf = () => `host-${Math.floor(random() * hosts)}`
  const found: Truth[] = []
  let now = 1
  for (let at = 1; at <= calls; at++) {
    const callee = hostOf()
    const receive = now + leg() + exponential(queueMs)
    let end = receive + 0.2
    if (random() < 0.5) {
      const inner = end + leg() + exponential(queueMs)
      const deep = { id: `b${at}`, parent: `a${at}`, caller: callee, callee: hostOf() }
      found.push({ ...deep, request: end, receive: inner, respond: inner + 1, finish: 0 })
      const last = found.at(-1)!
      found[found.length - 1] = { ...last, finish: inner + 1 + leg() }
      end = found.at(-1)!.finish + 0.1
    }
    const own = { id: `a${at}`, parent: 'r', caller: 'host-0', callee }
    const finish = end + leg()
    found.push({ ...own, request: now, receive, respond: end, finish })
    now = finish + exponential(pauseMs)
  }
  const root = { id: 'r', parent: null, caller: 'host-0', callee: 'host-0' }
  return [{ ...root, request: 0, receive: 0.5, respond: now, finish: now + 0.5 }, ...found]
}

/** What was recorded: each stamp on its own host's clock, in microseconds. */
function recorded(calls: readonly Truth[], clocks: Readonly<Record<string, Clock>>): Entry[] {
  const at = (host: string, ms: number) =>
    Math.round((T + ms + (clocks[host]?.(ms) ?? 0)) * 1000) / 1000
  return calls.flatMap(({ id, parent, caller, callee, ...times }): Entry[] => {
    const name = { service: 's', method: id, id, parent }
    return [
      { kind: 'rpc-request', timeMs: at(caller, times.request), host: caller, ...name },
      { kind: 'rpc-receive', timeMs: at(callee, times.receive), host: callee, ...name },
      { kind: 'rpc-respond', timeMs: at(callee, times.respond), host: callee, ...name },
      { kind: 'rpc-finish', timeMs: at(caller, times.finish), host: caller, ...name },
    ]
  })
}

const byId = (root: CallNode) => new Map([...placesOf(root)].map((call) => [call.id, call]))

/** Holds each leg against the truth; durations have to be those that were measured. */
function legErrors(calls: readonly Truth[], root: CallNode): number[] {
  const nodes = byId(root)
  return calls.map((truth) => {
    const { requestLegMs, replyLegMs, legErrorMs, networkMs, ...node } = nodes.get(truth.id)!
    assert.equal(node.totalMs, node.finishMs! - node.requestMs!)
    assert.equal(node.handleMs, node.respondMs! - node.receiveMs!)
    assert.ok(Math.abs(requestLegMs! + replyLegMs! - networkMs!) < 1e-9)
    const wrong = Math.abs(requestLegMs! - (truth.receive - truth.request))
    assert.ok(wrong <= legErrorMs! + 0.01, `${truth.id}: ${wrong} ms, told ${legErrorMs}`)
    return wrong
  })
}

const shape = fc.record({
  seed: fc.integer(),
  calls: fc.integer({ min: 1, max: 60 }),
  hosts: fc.integer({ min: 1, max: 6 }),
})
const offset = fc.oneof(fc.constant(0), fc.double({ min: -5000, max: 5000, noNaN: true }))
const offsets = fc.array(offset, { minLength: 6, maxLength: 6 })

test('with clocks that differ, what is true lies within the bounds', () => {
  fc.assert(
    fc.property(shape, offsets, (made, ahead) => {
      const clocks: Record<string, Clock> = Object.fromEntries(
        ahead.map((ms, at) => [`host-${at}`, () => ms]),
      )
      const calls = truths(made)
      const tree = callTree(recorded(calls, clocks))
      legErrors(calls, tree.root)
      assert.deepEqual(tree.problems, [])
      for (const { host, offsetMs, errorMs = Infinity, adjusted } of tree.clocks) {
        const truth = clocks[host]!(0) - clocks['host-0']!(0)
        assert.ok(Math.abs(offsetMs - truth) <= errorMs + 0.01, `${host} ${offsetMs} ${truth}`)
        assert.equal(adjusted, offsetMs !== 0)
      }
    }),
  )
})

test('with clocks that drift, what is true lies within the bounds', () => {
  const drift = fc.double({ min: -5e-5, max: 5e-5, noNaN: true })
  fc.assert(
    fc.property(
      shape,
      offsets,
      fc.array(drift, { minLength: 6, maxLength: 6 }),
      (made, ahead, rates) => {
        const clocks = Object.fromEntries(
          ahead.map((ms, at) => [`host-${at}`, (now: number) => ms + now * rates[at]!]),
        )
        const calls = truths({ ...made, pauseMs: 20_000 })
        const tree = callTree(recorded(calls, clocks))
        const nodes = byId(tree.root)
        for (const truth of calls) {
          const { requestLegMs, legErrorMs } = nodes.get(truth.id)!
          const wrong = Math.abs(requestLegMs! - (truth.receive - truth.request))
          assert.ok(wrong <= legErrorMs! + 0.02, `${truth.id}: ${wrong} ms, told ${legErrorMs}`)
        }
        assert.deepEqual(tree.problems, [])
      },
    ),
  )
})

test('a clock that was set is told, and what is true lies within the bounds before and after', () => {
  const jump = fc.constantFrom(-2_000, -500, 500, 2_000)
  fc.assert(
    fc.property(
      fc.integer(),
      jump,
      fc.double({ min: 0.2, max: 0.8, noNaN: true }),
      (seed, by, when) => {
        const calls = truths({ seed, calls: 80, hosts: 3 })
        const moment = calls[0]!.finish * when
        const clocks = { 'host-1': (now: number) => (now < moment ? 300 : 300 + by) }
        const tree = callTree(recorded(calls, clocks))
        const nodes = byId(tree.root)
        for (const truth of calls) {
          // A clock that is set during a call makes its durations wrong: they are told as measured.
          if (truth.request <= moment && moment <= truth.finish) continue
          const { requestLegMs, legErrorMs } = nodes.get(truth.id)!
          const wrong = Math.abs(requestLegMs! - (truth.receive - truth.request))
          assert.ok(wrong <= legErrorMs! + 0.01, `${truth.id}: ${wrong} ms, told ${legErrorMs}`)
        }
        assert.ok(tree.problems.some(({ message }) => message.includes('was set while')))
      },
    ),
  )
})

test('what holds before a step does not hold after it, and between only what both sides allow', () => {
  const pool = new ClockPool()
  const add = (leastMs: number, mostMs: number, at: number) =>
    pool.addBounds('one', 'two', { leastMs, mostMs }, at)
  for (let at = 0; at < 1000; at += 10) add(0, 1, at)
  // The clock was set forward by 100 ms; the first call after that says so only loosely.
  add(-500, 150, 1001)
  for (let at = 1010; at < 2000; at += 10) add(100, 101, at)
  const between = (at: number) => {
    const { leastMs = 0, mostMs = 0 } = pool.at(at, 'one')?.apart('one', 'two') ?? {}
    return [Math.round(leastMs) + 0, Math.round(mostMs) + 0]
  }
  assert.deepEqual([...pool.stepped()], [['one', 'two']])
  assert.deepEqual(between(500), [0, 1])
  assert.deepEqual(between(1001), [0, 101])
  assert.deepEqual(between(1500), [100, 101])
})

test('the more calls, the nearer the legs are known', (t) => {
  const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!
  const found: number[] = []
  for (const calls of [1, 10, 100, 1000]) {
    const errors: number[] = []
    for (let seed = 0; seed < 20; seed++) {
      const made = truths({ seed, calls, hosts: 3 }).filter(({ id }) => !id.startsWith('b'))
      const clocks = { 'host-1': () => 1234.5, 'host-2': () => -987.6 }
      const wrong = legErrors(made, callTree(recorded(made, clocks)).root)
      errors.push(...wrong.filter((_, at) => made[at]!.callee !== 'host-0'))
    }
    found.push(median(errors))
  }
  t.diagnostic(
    `median error of a request leg, 1 / 10 / 100 / 1000 calls: ${found.map((ms) => ms.toFixed(3)).join(' / ')} ms`,
  )
  assert.ok(found[0]! > found[1]! && found[1]! > found[2]! && found[2]! > found[3]!)
  assert.ok(found[3]! < 0.2)
})

test('what other traces prove of clocks can be given to a tree', () => {
  const clocks = { 'host-1': () => 77.7 }
  const pool = new ClockPool()
  for (let seed = 1; seed <= 20; seed++) {
    pool.add(callTree(recorded(truths({ seed, calls: 10, hosts: 2 }), clocks)))
  }
  const calls = truths({ seed: 99, calls: 1, hosts: 2 })
    .filter(({ id }) => !id.startsWith('b'))
    .map((call) => (call.id === 'r' ? call : { ...call, callee: 'host-1' }))
  const list = recorded(calls, clocks)
  const alone = byId(callTree(list).root).get('a1')!
  const pooled = byId(callTree(list, { clocks: pool }).root).get('a1')!
  assert.ok(pooled.legErrorMs! < alone.legErrorMs! / 3)
  const truth = calls.find(({ id }) => id === 'a1')!
  const wrong = Math.abs(pooled.requestLegMs! - (truth.receive - truth.request))
  assert.ok(wrong <= pooled.legErrorMs! + 0.01)
})

test('a straggler on the way is told to have been so there or back, where clocks leave no doubt', () => {
  const wayOf = (hosts: string, queueMs: number, replyMs: number) => {
    const ids = 'abcdef'.split('')
    const lines = ids.flatMap((id, at) => {
      const [queue, reply] = id === 'c' ? [queueMs, replyMs] : [1, 1]
      const from = 10 + at
      return [
        ...[`request ${id}@${from} on one`, `receive ${id}@${from + queue} on ${hosts}`],
        `respond ${id}@${from + queue + 5} on ${hosts}`,
        `finish ${id}@${from + queue + 5 + reply} on one`,
      ]
    })
    const list = entries(
      { r: null, ...Object.fromEntries(ids.map((id) => [id, 'r'])) },
      ...['request r@0 on one', 'receive r@1 on one', ...lines],
      ...['respond r@150 on one', 'finish r@151 on one'],
    ).map((entry) => (entry.id === 'r' ? entry : { ...entry, service: 'same' }))
    const [found] = stragglers(callTree(list))
    return [found?.call.id, found?.leg, found?.way]
  }
  for (const host of ['one', 'two']) {
    assert.deepEqual(wayOf(host, 100, 1), ['c', 'wait', 'request'])
    assert.deepEqual(wayOf(host, 1, 100), ['c', 'wait', 'reply'])
    assert.deepEqual(wayOf(host, 50, 50), ['c', 'wait', undefined])
  }
})

test('work of which only the callee tells lies where its host is known to be', () => {
  const list = entries(
    { r: null, a: 'r', b: 'r' },
    ...['request r@0 on one', 'receive r@1 on one', 'request a@10 on one'],
    ...['receive a@-489 on two', 'respond a@-470 on two', 'finish a@31 on one'],
    ...['receive b@-450 on two', 'respond b@-380 on two'],
    ...['respond r@99 on one', 'finish r@100 on one'],
  )
  const b = byId(callTree(list).root).get('b')!
  // Exactly 50, and it may end after whoever asked for it.
  assert.ok(Math.abs(b.offsetMs - 50) <= 1)
  assert.equal(b.handleMs, 70)
})

test('raw clocks are left as they are', () => {
  const list = entries(
    { r: null },
    ...[
      'request r@0 on one',
      'receive r@-500 on two',
      'respond r@-460 on two',
      'finish r@100 on one',
    ],
  )
  const { root, clocks } = callTree(list, { clocks: 'raw' })
  assert.deepEqual([root.handleOffsetMs, root.handleMs, root.totalMs], [-500, 40, 100])
  assert.deepEqual(
    [root.requestLegMs, root.replyLegMs, root.legErrorMs],
    [undefined, undefined, undefined],
  )
  assert.deepEqual(clocks, [])
})

test('clocks that no offsets suit are told, and nothing is thrown', () => {
  // one → two → three → one, each ahead of the one before: a negative cycle.
  const list = entries(
    { r: null, a: 'r', b: 'a', c: 'b' },
    ...['request r@0 on one', 'receive r@1 on one', 'request a@2 on one', 'receive a@103 on two'],
    ...['request b@104 on two', 'receive b@205 on three', 'request c@206 on three'],
    ...['receive c@307 on one', 'respond c@308 on one', 'finish c@209 on three'],
    ...[
      'respond b@210 on three',
      'finish b@111 on two',
      'respond a@112 on two',
      'finish a@13 on one',
    ],
    ...['respond r@14 on one', 'finish r@15 on one'],
  )
  const tree = callTree(list)
  assert.ok(
    tree.problems.some(({ kind, message }) => kind === 'clocks' && /no offsets suit/.test(message)),
  )
  const any = fc.array(
    fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      parent: fc.constantFrom('a', 'b', 'c', null),
      host: fc.constantFrom('', 'one', 'two', 'three'),
      kind: fc.constantFrom('rpc-request', 'rpc-receive', 'rpc-respond', 'rpc-finish'),
      timeMs: fc.oneof(fc.double(), fc.integer({ min: -50, max: 50 })),
      service: fc.constant('s'),
      method: fc.constant('m'),
    }),
    { maxLength: 24 },
  )
  fc.assert(
    fc.property(any, (made) => {
      const pool = new ClockPool()
      const found = callTree(made as Entry[])
      pool.add(found)
      callTree(made as Entry[], { clocks: pool })
      for (const { requestLegMs = 0, replyLegMs = 0, legErrorMs = 0 } of placesOf(found.root)) {
        assert.ok(requestLegMs >= 0 && replyLegMs >= 0 && legErrorMs >= 0)
      }
    }),
    { numRuns: 500 },
  )
})

test('the order in which calls are told does not matter', () => {
  // In the middle the clock was set.
  const told = Array.from({ length: 40 }, (_, at) => ({ at: at * 10, ms: at < 20 ? 0 : 1_000 }))
  const found = [told, told.toReversed()].map((calls) => {
    const pool = new ClockPool()
    for (const { at, ms } of calls) {
      pool.addBounds('one', 'two', { leastMs: ms - 1 - at / 400, mostMs: ms + 2 - at / 400 }, at)
    }
    return [95, 305].map((at) => pool.at(at, 'one')!.apart('one', 'two')!)
  })
  assert.deepEqual(found[0], found[1])
  assert.deepEqual(
    found[0]!.map(({ leastMs }) => Math.round(leastMs)),
    [-1, 998],
  )
})

test('what was asked for before is told anew when more is known', () => {
  const pool = new ClockPool()
  const known = (ms: number) => {
    pool.addBounds('one', 'two', { leastMs: -ms, mostMs: ms }, 5)
    return Math.round(pool.at(5, 'one')!.apart('one', 'two')!.mostMs)
  }
  assert.deepEqual([known(9), known(3), known(6)], [9, 3, 3])
})

test('however many hosts there are, memory is bounded', () => {
  const pool = new ClockPool()
  for (let at = 0; at < 100_000; at++) {
    pool.addBounds('root', `host-${at % 20_000}`, { leastMs: -1, mostMs: 1 }, at * 1000)
  }
  assert.ok(pool.leftOut > 0)
  assert.equal(pool.at(0, 'root')!.alignment.hosts.size, 4097)
})
