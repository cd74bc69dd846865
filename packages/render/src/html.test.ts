import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CallTree, callTree } from 'clew/trace'
import fc from 'fast-check'
import type { PageContent } from './html/format.ts'
import { unpacked } from './html/unpack.ts'
import { renderHtml } from './html.ts'
import { trees } from './samples/random.ts'
import { traceOf } from './samples/spec.ts'
import * as samples from './samples/traces.ts'

function contentOf(page: string): PageContent {
  const found = /<script id="content" type="application\/json">(.*?)<\/script>/s.exec(page)
  return JSON.parse(found![1]!)
}

/** Tags of the page, without what is in its style and script. */
const tags = (page: string) =>
  page.replace(/(<(?:style|script)[^>]*>).*?(<\/(?:style|script)>)/gs, '$1$2').match(/<[^>]*>/g)!

test('the page holds all calls, in order, with their times', () => {
  const tree = callTree(samples.checkout())
  const { traces, strings } = contentOf(renderHtml([tree]))
  const [trace] = traces
  assert.equal(trace?.rows, 25)
  assert.equal(trace.totalUs, 486_000)
  const totals = unpacked(trace.columns.total, trace.rows)
  assert.deepEqual([...totals.slice(0, 3)], [486_000, 12_300, 6600])
  const methods = unpacked(trace.columns.method, trace.rows)
  assert.equal(strings[methods[1]!], 'CheckSession')
  const failed = unpacked(trace.columns.status, trace.rows).indexOf(1)
  assert.equal(strings[methods[failed]!], 'Capture')
  const critical = trace.critical.to.map((to, index) => to - trace.critical.from[index]!)
  assert.equal(
    critical.reduce((sum, us) => sum + us, 0),
    486_000,
  )
})

test('no name breaks out of the page, whatever it is', () => {
  const harmless = tags(renderHtml([callTree(samples.single())]))
  fc.assert(
    fc.property(trees(12), (tree) => {
      const page = renderHtml([tree])
      assert.doesNotMatch(page, /[\u2028\u2029\p{Bidi_Control}]|\p{Cs}/u)
      assert.equal(page.match(/<script/g)?.length, 2)
      const shape = (all: readonly string[]) => all.filter((tag) => !/^<\/?p>$/.test(tag))
      assert.deepEqual(shape(tags(page)).length, shape(harmless).length)
      contentOf(page)
    }),
    { numRuns: 60 },
  )
})

test('the page asks nobody for anything', () => {
  const page = renderHtml([callTree(samples.hostile())])
  assert.doesNotMatch(page.replaceAll('http://www.w3.org/2000/svg', ''), /https?:\/\//)
  assert.match(page, /default-src 'none'; script-src 'sha256-[\w+/=]{44}'/)
})

test('of large trees the critical path, failures and the largest calls stay, the rest is counted', () => {
  const tree = callTree(samples.wide(10_000))
  const [trace] = contentOf(renderHtml([tree], { maxCalls: 500 })).traces
  const kinds = unpacked(trace!.columns.kind, trace!.rows)
  const counts = unpacked(trace!.columns.count, trace!.rows)
  const calls = kinds.filter((kind) => kind === 0).length
  assert.equal(calls, 500)
  const folded = counts.filter((_, row) => kinds[row] === 3).reduce((sum, count) => sum + count, 0)
  assert.equal(calls + folded, tree.calls)
  assert.match(trace!.notices.join(' '), /only the largest calls/)
})

test('however a tree is cut, callers stay, all calls are counted, and the path has its whole length', () => {
  fc.assert(
    fc.property(trees(30), fc.integer({ min: 1, max: 12 }), (tree, maxCalls) => {
      const [trace] = contentOf(renderHtml([tree], { maxCalls })).traces
      const { rows, columns, critical } = trace!
      const [kinds, counts, depths] = [columns.kind, columns.count, columns.depth].map((column) =>
        unpacked(column, rows),
      )
      let [calls, folded] = [0, 0]
      for (let row = 0; row < rows; row++) {
        if (row > 0) assert.ok(depths![row]! >= 1 && depths![row]! <= depths![row - 1]! + 1)
        if (kinds![row] === 0) calls++
        if (kinds![row] === 3) folded += counts![row]!
      }
      const places = placesOf(tree)
      assert.equal(calls, Math.min(maxCalls, places))
      assert.equal(calls + folded, places)
      const spent = critical.to.reduce((sum, to, index) => sum + to - critical.from[index]!, 0)
      assert.ok(Math.abs(spent - trace!.totalUs) <= critical.to.length + 1)
    }),
  )
})

function placesOf(tree: CallTree): number {
  const open = [tree.root]
  let count = 0
  for (let call = open.pop(); call !== undefined; call = open.pop()) {
    count++
    open.push(...call.calls)
  }
  return count
}

test('what the path spent in folded calls counts for the row that stands for them', () => {
  for (const maxCalls of [1, 3, 10]) {
    const [trace] = contentOf(renderHtml([callTree(samples.checkout())], { maxCalls })).traces
    const { row, from, to } = trace!.critical
    assert.equal(
      to.reduce((sum, end, index) => sum + end - from[index]!, 0),
      486_000,
    )
    assert.ok(row.every((each) => each < trace!.rows))
  }
})

test('a short call that failed is kept among thousands that did not', () => {
  const calls = Array.from({ length: 3000 }, (_, index) => ({
    ...{ name: 'store.get', at: 1, total: index === 1234 ? 0.1 : 5 },
    ...(index === 1234 ? ({ status: 'error', error: 'Lost' } as const) : {}),
  }))
  const tree = callTree(traceOf({ name: 'portal.report', at: 0, total: 10, calls }))
  const [trace] = contentOf(renderHtml([tree], { maxCalls: 20 })).traces
  assert.equal(unpacked(trace!.columns.status, trace!.rows).filter((at) => at === 1).length, 1)
})

test('a chain of 30,000 calls is cut without recursion', () => {
  const tree = callTree(samples.deep(30_000))
  const [trace] = contentOf(renderHtml([tree], { maxCalls: 1000 })).traces
  assert.ok(trace!.rows <= 2001)
})

test('small traces are whole where large ones are cut, and traces left out are told', () => {
  const [small, large] = [callTree(samples.checkout()), callTree(samples.wide(5000))]
  const page = contentOf(renderHtml([large, small, small], { maxCalls: 1000, maxTraces: 2 }))
  assert.equal(page.traces[1]?.rows, 25)
  const kinds = unpacked(page.traces[0]!.columns.kind, page.traces[0]!.rows)
  assert.equal(kinds.filter((kind) => kind === 0).length, 1000 - 26)
  assert.match(page.notices[0]!, /2 of 3 traces/)
})

test('a page of no trace, and of a trace without entries, is a page', () => {
  assert.deepEqual(contentOf(renderHtml([])).traces, [])
  assert.equal(contentOf(renderHtml([callTree([])])).traces.length, 1)
})
