import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CallTree, callTree, slowestPath } from 'clew/trace'
import fc from 'fast-check'
import { trees } from '../samples/random.ts'
import { type CallSpec, traceOf } from '../samples/spec.ts'
import { checkout, deep, straggler, wide } from '../samples/traces.ts'
import { type OutlineOptions, outlineOf } from './outline.ts'
import type { Outline, Place } from './place.ts'

const ROOMY: OutlineOptions = { maxPlaces: 300, maxLevels: 12, minShare: 0.01, full: false }

function placesOf(outline: Outline): readonly Place[] {
  return outline.places.map(({ place }) => place)
}

function callsIn(place: Place): number {
  switch (place.kind) {
    case 'call':
      return 1
    case 'repeats':
    case 'folded':
      return place.kind === 'repeats' ? place.calls.length : place.calls
    case 'merged':
    case 'missing':
      return 0
  }
}

function counted(tree: CallTree): number {
  let count = 0
  const open = [tree.root]
  for (let call = open.pop(); call !== undefined; call = open.pop()) {
    count++
    open.push(...call.calls)
  }
  return count
}

test('equal siblings become one place, the straggler on the slowest path stays by itself', () => {
  const { root } = outlineOf(callTree(straggler()), ROOMY)
  const [repeats, slow] = root.places
  assert.ok(repeats?.kind === 'repeats' && slow?.kind === 'call')
  assert.equal(repeats.calls.length, 9)
  assert.equal(Math.round(repeats.spread.medianMs * 10), 55)
  assert.equal(Math.round(repeats.spread.maxMs * 10), 63)
  assert.equal(slow.call.host, 'w3')
  assert.equal(slow.onPath, true)
})

test('repeats are merged with what they call, however often they call it', () => {
  const list = (items: number, at: number): CallSpec => ({
    name: 'lists.one',
    at,
    total: 5,
    calls: Array.from({ length: items }, (_, item) => ({
      name: 'items.get',
      at: at + 0.1 * item,
      total: 0.1,
    })),
  })
  const tree = callTree(
    traceOf({
      name: 'lists.all',
      at: 0,
      total: 40,
      calls: [list(3, 1), list(1, 8), list(7, 15), { name: 'slow.one', at: 20, total: 15 }],
    }),
  )
  const [lists] = outlineOf(tree, ROOMY).root.places
  assert.ok(lists?.kind === 'repeats')
  assert.equal(lists.calls.length, 3)
  assert.deepEqual(
    lists.places.map((place) => place.kind === 'repeats' && place.calls.length),
    [11],
  )
})

test('failures are not merged while there is room', () => {
  const failed = { name: 'x.get', total: 1, status: 'error' as const, error: 'E' }
  const tree = callTree(
    traceOf({
      name: 'r.run',
      at: 0,
      total: 50,
      calls: [
        { ...failed, at: 1 },
        { ...failed, at: 2 },
        { name: 'slow.one', at: 3, total: 40 },
      ],
    }),
  )
  assert.deepEqual(
    outlineOf(tree, ROOMY).root.places.map(({ kind }) => kind),
    ['call', 'call', 'call'],
  )
})

test('nothing is merged or folded in full', () => {
  const outline = outlineOf(callTree(checkout()), { ...ROOMY, full: true, maxPlaces: 2 })
  assert.equal(outline.places.length, 25)
  assert.equal(outline.foldedCalls + outline.repeatedCalls, 0)
})

test('ten thousand different calls fit, and what is left out is counted', () => {
  const tree = callTree(wide(10_000))
  const outline = outlineOf(tree, ROOMY)
  assert.ok(outline.places.length <= 300)
  assert.ok(outline.places.length > 150)
  assert.equal(
    placesOf(outline).reduce((sum, place) => sum + callsIn(place), 0),
    tree.calls,
  )
  assert.ok(outline.foldedCalls > 9000)
})

test('what is folded says how many calls, how much time, the longest, and what failed', () => {
  const small = Array.from({ length: 40 }, (_, index) => ({
    name: `small_${index}.get`,
    at: 1 + index,
    total: 0.1 + index / 100,
    ...(index === 0 ? { status: 'error' as const, error: 'Boom' } : {}),
  }))
  const tree = callTree(
    traceOf({
      name: 'r.run',
      at: 0,
      total: 99,
      calls: [...small, { name: 's.x', at: 2, total: 90 }],
    }),
  )
  const folded = (maxPlaces: number) =>
    placesOf(outlineOf(tree, { ...ROOMY, maxPlaces })).find(({ kind }) => kind === 'folded')
  const most = folded(10)
  assert.ok(most?.kind === 'folded')
  assert.deepEqual([most.why, most.calls, most.levels, most.failed], ['small', 39, 1, 0])
  assert.equal(Math.round(most.sumMs * 100), 39 * 10 + (39 * 40) / 2)
  assert.equal(Math.round(most.maxMs * 100), 49)
  const all = folded(2)
  assert.ok(all?.kind === 'folded')
  assert.deepEqual([all.calls, all.failed, all.error], [40, 1, 'Boom'])
})

test('of a long chain both ends stay, and the middle says how many levels it stands for', () => {
  const outline = outlineOf(callTree(deep(200)), ROOMY)
  const shown = placesOf(outline)
  assert.equal(shown.length, 12)
  const middle = shown.find(({ kind }) => kind === 'folded')
  assert.ok(middle?.kind === 'folded')
  assert.deepEqual(
    [middle.why, middle.levels, middle.calls, middle.onPath],
    ['middle', 189, 189, true],
  )
  const last = shown.at(-1)
  assert.ok(last?.kind === 'call')
  assert.equal(last.call.service, 'stage_199')
})

test('a chain of twenty thousand calls does not overflow the stack', () => {
  assert.equal(outlineOf(callTree(deep(20_000)), ROOMY).places.length, 12)
})

test('any tree: no call is lost, the slowest path stays, the limits hold', () => {
  const limits = fc.record({
    maxPlaces: fc.integer({ min: 1, max: 40 }),
    maxLevels: fc.integer({ min: 3, max: 8 }),
  })
  fc.assert(
    fc.property(trees(120), limits, (tree, { maxPlaces, maxLevels }) => {
      const outline = outlineOf(tree, { maxPlaces, maxLevels, minShare: 0.01, full: false })
      const places = placesOf(outline)
      assert.equal(
        places.reduce((sum, place) => sum + callsIn(place), 0),
        counted(tree),
      )
      const path = slowestPath(tree)
      const ends = places.filter((place) => place.onPath && place.kind === 'call')
      assert.ok(ends.some((place) => place.kind === 'call' && place.call === path[0]))
      assert.ok(ends.some((place) => place.kind === 'call' && place.call === path.at(-1)))
      const levels = Math.max(...outline.places.map(({ level }) => level)) + 1
      assert.ok(levels <= maxLevels + 1, `${levels} levels`)
      // The slowest path stays whatever the limit, with one place a call of it for the rest.
      assert.ok(places.length <= Math.max(maxPlaces, maxLevels * 2) + 1, `${places.length} places`)
    }),
  )
})
