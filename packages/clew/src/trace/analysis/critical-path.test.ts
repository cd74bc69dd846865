import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { CallNode, CallTree } from '../call-node.ts'
import { callTree } from '../call-tree.ts'
import type { Entry } from '../entry.ts'
import * as model from '../model.test.ts'
import { CriticalCredits, criticalCredits, criticalPath } from './index.ts'

const T = 1_795_386_521_000

/** A piece of work that one record tells of, as other systems keep them. */
interface Work {
  readonly name: string
  readonly from: number
  readonly to: number
  readonly parent: string | null
}

function workTree(works: readonly Work[]): CallTree {
  const entries = works.flatMap(({ name, from, to, parent }): Entry[] => {
    const place = {
      host: 'h',
      service: 's',
      method: name,
      id: name,
      parent,
      edge: 'local',
    } as const
    return [
      { kind: 'rpc-receive', timeMs: T + from, ...place },
      { kind: 'rpc-respond', timeMs: T + to, ...place },
    ]
  })
  return callTree(entries)
}

const work = (name: string, from: number, to: number, parent: string | null = 'r'): Work => {
  return { name, from, to, parent }
}

const creditsOf = (...works: readonly Work[]) =>
  Object.fromEntries(criticalCredits(workTree(works)).map(({ operation, ms }) => [operation, ms]))

/** Who is credited with a moment, asked of every millisecond by itself, without a sweep. */
function oracle(works: readonly Work[]): Map<string, number> {
  const spent = new Map<string, number>()
  const give = (name: string, ms: number) => spent.set(name, (spent.get(name) ?? 0) + ms)
  const go = (name: string, from: number, to: number): void => {
    let until = to
    let left = works.filter((one) => one.parent === name)
    for (;;) {
      const fitting = left
        .map((one) => ({ ...one, from: Math.max(one.from, from), to: Math.min(one.to, to) }))
        .filter((one) => one.to > one.from && one.to <= until)
        .sort((a, b) => b.to - a.to || b.from - a.from)
      const [last] = fitting
      if (last === undefined) break
      give(name, until - last.to)
      go(last.name, last.from, last.to)
      until = last.from
      left = left.filter((one) => one.name !== last.name)
    }
    give(name, until - from)
  }
  const root = works.find((one) => one.parent === null)!
  go(root.name, root.from, root.to)
  for (const [name, ms] of spent) if (ms === 0) spent.delete(name)
  return spent
}

/** Small trees of work, children anywhere, few enough milliseconds that no overlap is below 1 %. */
const smallWorks = fc
  .array(fc.tuple(fc.nat(20), fc.nat(40), fc.integer({ min: 1, max: 30 })), { maxLength: 9 })
  .map((drawn) => {
    const works: Work[] = [work('r', 0, 40, null)]
    for (const [index, [above, from, ms]] of drawn.entries()) {
      const parent = works[above % works.length]!
      const begin = Math.min(parent.to - 1, parent.from + from)
      works.push(work(`w${index}`, begin, begin + ms, parent.name))
    }
    return works
  })

test('credits of small trees are what trying every last child gives', () => {
  fc.assert(
    fc.property(smallWorks, (works) => {
      assert.deepEqual(creditsOf(...works), Object.fromEntries(oracle(works)))
    }),
    { numRuns: 500 },
  )
})

test('credits add up to the root exactly, in whole microseconds', () => {
  fc.assert(
    fc.property(model.modelTree, (root) => {
      const tree = callTree(model.entriesOf(root, model.T0))
      const sums = new CriticalCredits()
      sums.add(tree)
      const us = sums.credits.reduce((sum, { ms }) => sum + Math.round(ms * 1000), 0)
      assert.equal(us, Math.round(tree.totalMs * 1000))
      assert.equal(us, Math.round(sums.rootMs * 1000))
      sums.add(tree)
      assert.equal(sums.traces, 2)
      assert.equal(Math.round(sums.rootMs * 1000), 2 * us)
    }),
  )
})

test('siblings that overlap by less than 1 % of their parent follow each other', () => {
  const root = work('r', 0, 1000, null)
  const [a, b] = [work('a', 100, 509), work('b', 500, 900)]
  assert.deepEqual(creditsOf(root, a, b), { a: 409, b: 400, r: 191 })
  // By 1 % they do not.
  assert.deepEqual(creditsOf(root, work('a', 100, 510), b), { r: 600, b: 400 })
  // Nor where something else begins or ends within the overlap.
  assert.deepEqual(creditsOf(root, a, b, work('c', 504, 600)), { r: 600, b: 400 })
  // One that lies around the later one was at work beside it.
  assert.deepEqual(creditsOf(root, work('a', 500, 505), work('b', 500, 900)), { r: 600, b: 400 })
})

test('children are clipped to their parent, and those outside it are left out', () => {
  const root = work('r', 100, 200, null)
  const credits = creditsOf(
    root,
    work('a', 190, 260),
    work('b', 210, 300),
    work('c', 195, 230, 'a'),
  )
  assert.deepEqual(credits, { r: 90, a: 5, c: 5 })
})

test('of what was there before its caller and after it, the time within it counts', () => {
  assert.deepEqual(creditsOf(work('r', 0, 100, null), work('a', -50, 150)), { a: 100 })
})

test('an overlap is told to the microsecond, though milliseconds since 1970 are not exact to it', () => {
  // 2 of 197 microseconds are more than 1 %, 1 of 120 are less: anywhere in the second after.
  const root = work('r', 0, 1_000, null)
  for (let at = 0.013; at < 999; at += 7.919) {
    const of = (name: string, from: number, to: number, parent: string) =>
      work(name, (at * 1000 + from) / 1000, (at * 1000 + to) / 1000, parent)
    const apart = creditsOf(
      root,
      ...[of('p', 0, 197, 'r'), of('a', 156, 189, 'p'), of('b', 187, 196, 'p')],
    )
    assert.deepEqual([apart.p, apart.a, apart.b], [0.188, undefined, 0.009], `at ${at} ms`)
    const following = creditsOf(
      root,
      ...[of('p', 0, 120, 'r'), of('a', 36, 112, 'p'), of('b', 111, 118, 'p')],
    )
    assert.deepEqual([following.p, following.a, following.b], [0.037, 0.076, 0.007], `at ${at} ms`)
  }
})

test('the way to the callee and back is its caller’s, where the caller’s record has a name', () => {
  const both = { id: 'c', parent: 'r', service: 'orders', method: 'POST /orders' }
  const root = { id: 'r', parent: null, service: 'shop', method: 'GET /', host: 'h' }
  const entries: readonly Entry[] = [
    { kind: 'rpc-receive', timeMs: T, ...root },
    {
      kind: 'rpc-request',
      timeMs: T + 10,
      host: 'h',
      from: { service: 'shop', method: 'POST' },
      ...both,
    },
    { kind: 'rpc-receive', timeMs: T + 20, host: 'h', ...both },
    { kind: 'rpc-respond', timeMs: T + 50, host: 'h', ...both },
    { kind: 'rpc-finish', timeMs: T + 55, host: 'h', ...both },
    { kind: 'rpc-respond', timeMs: T + 100, ...root },
  ]
  assert.deepEqual(criticalCredits(callTree(entries)), [
    { service: 'shop', operation: 'GET /', ms: 55 },
    { service: 'orders', operation: 'POST /orders', ms: 30 },
    { service: 'shop', operation: 'POST', ms: 15 },
  ])
})

test('a callee measured longer than its caller’s wait by up to 1 % lies within it, a longer one not', () => {
  const call = { id: 'c', parent: 'r', service: 's', method: 'c', host: '' }
  const credits = (ms: number) => {
    const root = { id: 'r', parent: null, service: 's', method: 'r', host: '' }
    const inner = { id: 'i', parent: 'c', service: 's', method: 'i', host: '' }
    const entries: readonly Entry[] = [
      { kind: 'rpc-receive', timeMs: T, ...root },
      { kind: 'rpc-request', timeMs: T + 100, ...call },
      { kind: 'rpc-receive', timeMs: T + 105, ...call },
      { kind: 'rpc-receive', timeMs: T + 55 + ms, ...inner },
      { kind: 'rpc-respond', timeMs: T + 105 + ms, ...inner },
      { kind: 'rpc-respond', timeMs: T + 105 + ms, ...call },
      { kind: 'rpc-finish', timeMs: T + 600, ...call },
      { kind: 'rpc-respond', timeMs: T + 1000, ...root },
    ]
    return criticalCredits(callTree(entries)).map(({ operation, ms: own }) => [operation, own])
  }
  assert.deepEqual(credits(504), [
    ...[
      ['r', 500],
      ['c', 450],
    ],
    ['i', 50],
  ])
  assert.deepEqual(credits(560), [
    ...[
      ['r', 500],
      ['c', 500],
    ],
  ])
})

/** A tree that `callTree` could have made, without the time that takes. */
function made(id: string, from: number, to: number, calls: readonly CallNode[]): CallNode {
  const [first] = [workTree([work(id, 0, 1, null)]).root]
  return {
    ...first,
    calls,
    offsetMs: from,
    totalMs: to - from,
    handleOffsetMs: from,
    handleMs: to - from,
  }
}

test('300,000 calls, deep or wide, are swept without recursion', () => {
  const many = 300_000
  const { root, ...rest } = workTree([work('r', 0, 1, null)])
  let deep = made('w', many, many + 1, [])
  const like = deep
  for (let at = many - 1; at >= 0; at--) {
    const ms = 2 * (many - at) + 1
    deep = { ...like, calls: [deep], offsetMs: at, totalMs: ms, handleOffsetMs: at, handleMs: ms }
  }
  const wide = Array.from({ length: many }, (_, at) => ({ ...like, offsetMs: at, totalMs: 1.001 }))
  for (const top of [deep, { ...root, calls: wide, offsetMs: 0, totalMs: many + 1 }]) {
    const path = criticalPath({ ...rest, root: top, totalMs: top.totalMs! })
    assert.ok(path.length >= many)
    assert.equal(path[0]!.startMs, 0)
    assert.equal(path.at(-1)!.endMs, top.totalMs)
  }
})
