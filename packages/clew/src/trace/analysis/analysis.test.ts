import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { CallTree } from '../call-node.ts'
import { callTree } from '../call-tree.ts'
import type { Entry } from '../entry.ts'
import * as model from '../model.test.ts'
import { criticalPath, failures, formatMs, slowestPath, stragglers, verdict } from './index.ts'

/** The tree of `kind id@ms` lines; whatever is given for an id is put to all its entries. */
function treeOf(
  parents: Record<string, string | null>,
  lines: readonly string[],
  more: Record<string, Partial<Entry>> = {},
): CallTree {
  const list = model.entries(parents, ...lines)
  return callTree(list.map((entry) => ({ ...entry, ...more[entry.id] })))
}

/** All four entries of a call whose callee worked but for a millisecond at either end. */
const whole = (id: string, from: number, to: number) => [
  `request ${id}@${from}`,
  `receive ${id}@${from + 1}`,
  `respond ${id}@${to - 1}`,
  `finish ${id}@${to}`,
]

const segments = (tree: CallTree) =>
  criticalPath(tree).map(({ call, startMs, endMs }) => `${call.id} ${startMs}-${endMs}`)

test('the critical path fills the total exactly, without gap or overlap', () => {
  fc.assert(
    fc.property(model.modelTree, (root) => {
      const tree = callTree(model.entriesOf(root, model.T0))
      const path = criticalPath(tree)
      let at = 0
      let sum = 0
      for (const { startMs, endMs } of path) {
        assert.equal(startMs, at)
        assert.ok(endMs > startMs)
        sum += endMs - startMs
        at = endMs
      }
      assert.equal(at, tree.totalMs)
      assert.ok(Math.abs(sum - tree.totalMs) < 1e-6)
    }),
  )
})

test('the critical path goes back from the end, to whoever ended last', () => {
  const tree = treeOf({ r: null, a: 'r', b: 'r', c: 'r', d: 'c' }, [
    ...whole('r', 0, 100),
    ...['request a@5', 'finish a@40', 'request b@10', 'finish b@30'],
    ...['request c@45', 'receive c@46', 'respond c@89', 'finish c@90'],
    ...['request d@50', 'finish d@60'],
  ])
  assert.deepEqual(segments(tree), [
    'r 0-5',
    'a 5-40',
    'r 40-45',
    'c 45-50',
    'd 50-60',
    'c 60-90',
    'r 90-100',
  ])
  assert.deepEqual(
    slowestPath(tree).map(({ id }) => id),
    ['r', 'c', 'd'],
  )
})

test('nobody waits for what was made after the answer, or never awaited', () => {
  const tree = treeOf({ r: null, a: 'r', b: 'r' }, [
    ...whole('r', 0, 100),
    ...['request a@99.5', 'finish a@99.9', 'request b@20'],
  ])
  assert.deepEqual(segments(tree), ['r 0-100'])
})

/** A root that makes calls of one method side by side, and how long each takes. */
function fanOut(times: readonly number[], more: Record<string, Partial<Entry>> = {}): CallTree {
  const parents: Record<string, string | null> = { r: null }
  const lines = ['request r@0', 'receive r@1']
  for (const [index, time] of times.entries()) {
    parents[`c${index}`] = 'r'
    lines.push(...whole(`c${index}`, 2, 2 + time))
    more[`c${index}`] = { service: 'storage', method: 'fetch', ...more[`c${index}`] }
  }
  const end = 3 + Math.max(...times)
  return treeOf(parents, [...lines, `respond r@${end}`, `finish r@${end + 1}`], more)
}

test('a straggler is named with its siblings, its excess and the leg it lost its time in', () => {
  const [straggler, ...others] = stragglers(fanOut([10, 11, 12, 10, 486]))
  assert.deepEqual(others, [])
  assert.equal(straggler?.call.id, 'c4')
  assert.deepEqual(
    [straggler?.siblings, straggler?.medianMs, straggler?.excessMs, straggler?.leg],
    [5, 11, 475, 'self'],
  )
  assert.equal(straggler?.impactMs, 474)
  assert.equal(straggler?.parent.id, 'r')
})

const shard = (index: number) => ({
  [`c${index}`]: { service: `shard_${index}`, method: 'search' },
})
const shards = (count: number) =>
  Object.assign({}, ...Array.from({ length: count }, (_, n) => shard(n)))

test('services asked at once for the same method are siblings', () => {
  const [straggler, ...others] = stragglers(fanOut([10, 11, 12, 10, 486], shards(5)))
  assert.equal(others.length, 0)
  assert.deepEqual(
    [straggler?.call.service, straggler?.siblings, straggler?.services],
    ['shard_4', 5, 5],
  )
  assert.match(
    verdict(fanOut([10, 11, 12, 10, 486], shards(5))).sentences[0]!,
    /^shard_4\.search on \S+, one of 5 calls of search at once, took 486 ms/,
  )
  const oneByOne = treeOf(
    { r: null, c0: 'r', c1: 'r', c2: 'r', c3: 'r' },
    [
      ...whole('r', 0, 700),
      ...[...whole('c0', 10, 20), ...whole('c1', 30, 40), ...whole('c2', 50, 60)],
      ...whole('c3', 70, 600),
    ],
    shards(4),
  )
  assert.deepEqual(stragglers(oneByOne), [])
})

test('the slowest path follows nobody that the answer did not wait for', () => {
  const tree = treeOf(
    { r: null, a: 'r', b: 'r' },
    [...whole('r', 0, 100), ...whole('a', 10, 50), ...whole('b', 10, 400)],
    { b: { edge: 'event' } },
  )
  assert.deepEqual(
    slowestPath(tree).map(({ id }) => id),
    ['r', 'a'],
  )
})

test('no straggler among few, among alike, or off the critical path', () => {
  assert.deepEqual(stragglers(fanOut([10, 10, 486])), [])
  assert.deepEqual(stragglers(fanOut([10, 11, 12, 13, 14])), [])
  assert.deepEqual(stragglers(fanOut([0.01, 0.01, 0.01, 0.01, 0.5])), [])
  assert.deepEqual(
    stragglers(fanOut([10, 10, 10, 10, 1500, 2000])).map(({ call }) => call.id),
    ['c5'],
  )
})

const failed = (tree: CallTree) =>
  failures(tree).map(
    ({ origin, kind, passedOn, masked }) =>
      `${masked ? 'masked ' : ''}${kind} ${origin.id} > ${passedOn.map(({ id }) => id).join(' ')}`,
  )

const error = { status: 'error', error: 'NotFound' } as const

test('who failed first is told from who only passed it on', () => {
  const parents = { r: null, a: 'r', b: 'a', c: 'a' }
  const lines = [
    ...whole('r', 0, 100),
    ...whole('a', 5, 90),
    ...whole('b', 10, 30),
    ...whole('c', 40, 50),
  ]
  assert.deepEqual(failed(treeOf(parents, lines, { r: error, a: error, c: error })), [
    'error c > a r',
  ])
  assert.deepEqual(failed(treeOf(parents, lines, { c: error })), ['masked error c > '])
  assert.deepEqual(failed(treeOf(parents, lines, { a: error, c: error })), ['masked error c > a'])
  const both = treeOf(parents, lines, { r: error, a: error, b: error, c: error })
  assert.deepEqual(failed(both), ['error b > a r', 'error c > a r'])
})

test('a failed try that a later one made good is masked, and does not explain a later error', () => {
  const parents = { r: null, a: 'r', b: 'r' }
  const lines = [...whole('r', 0, 100), ...whole('a', 5, 20), ...whole('b', 30, 50)]
  const names = { service: 's', method: 'm' }
  const more = { a: { ...names, ...error }, b: { ...names, attempt: 2 } }
  assert.deepEqual(failed(treeOf(parents, lines, more)), ['masked error a > '])
  assert.deepEqual(failed(treeOf(parents, lines, { ...more, r: error })), [
    'error r > ',
    'masked error a > ',
  ])
})

test('the verdict tells of failures that did not reach the answer', () => {
  const lines = [...whole('r', 0, 100), ...whole('a', 5, 20), ...whole('b', 30, 50)]
  const parents = { r: null, a: 'r', b: 'r' }
  const sentencesOf = (more: Record<string, Partial<Entry>>) =>
    verdict(treeOf(parents, lines, more)).sentences
  assert.match(
    sentencesOf({ a: error })[1]!,
    /^One failure did not reach the answer: service-a\.work /,
  )
  assert.match(
    sentencesOf({ a: error, b: error })[1]!,
    /^2 failures .*; the first: service-a\.work /,
  )
  assert.equal(sentencesOf({}).length, 1)
  assert.doesNotMatch(sentencesOf({ r: error, a: error }).join(' '), /did not reach/)
})

test('a try that failed after a good one is to blame', () => {
  const parents = { r: null, a: 'r', b: 'r', c: 'r' }
  const lines = [
    ...whole('r', 0, 100),
    ...whole('a', 5, 20),
    ...whole('b', 30, 40),
    ...whole('c', 50, 60),
  ]
  const names = { service: 's', method: 'm' }
  const more = { a: { ...names, attempt: 2 }, b: { ...names, attempt: 3, ...error }, r: error }
  assert.deepEqual(failed(treeOf(parents, lines, more)), ['error b > r'])
})

test('a timeout leads to the call that was waited for, and says what is known of it', () => {
  const timeout = { status: 'timeout' } as const
  const parents = { r: null, a: 'r', b: 'a' }
  const root = ['request r@0', 'finish r@50']
  const open = ['receive r@1', 'request a@2', 'receive a@3', 'request b@5', 'receive b@6']
  assert.deepEqual(failed(treeOf(parents, [...root, ...open], { r: timeout })), ['crash b > a r'])
  assert.deepEqual(failed(treeOf(parents, [...root, ...open.slice(0, 4)], { r: timeout })), [
    'unanswered b > a r',
  ])
  assert.deepEqual(failed(treeOf(parents, root, { r: timeout })), ['unanswered r > '])
  const late = treeOf(
    parents,
    [...root, 'receive r@1', 'respond r@80', 'request a@2', 'finish a@70'],
    {
      r: timeout,
    },
  )
  assert.deepEqual(failed(late), ['timeout r > '])
  assert.equal(failures(late)[0]?.suspect?.id, 'a')
})

test('what was cancelled because a sibling failed is no failure of its own', () => {
  const parents = { r: null, a: 'r', b: 'r' }
  const lines = [...whole('r', 0, 100), ...whole('a', 5, 20), 'request b@5', 'finish b@21']
  const cancelled = { status: 'cancelled' } as const
  assert.deepEqual(failed(treeOf(parents, lines, { r: error, a: error, b: cancelled })), [
    'error a > r',
  ])
  assert.deepEqual(failed(treeOf(parents, lines, { r: error, b: cancelled })), ['cancelled b > r'])
  assert.deepEqual(failed(treeOf(parents, lines, { b: cancelled })), ['masked cancelled b > '])
})

test('the verdict names what failed, what straggled, or where the time went', () => {
  const parents = { r: null, a: 'r' }
  const lines = [...whole('r', 0, 100), ...whole('a', 5, 90)]
  const names = { a: { service: 'orders', method: 'get' } }
  const [failure] = verdict(
    treeOf(parents, lines, { r: error, a: { ...names.a, ...error } }),
  ).sentences
  assert.equal(
    failure,
    'orders.get on one-host failed with NotFound after 85.0 ms; service-r.work only passed it on.',
  )
  assert.deepEqual(verdict(treeOf(parents, lines, names)).sentences, [
    '83 % of 100 ms went to orders.get on one-host.',
  ])
  const straggling = verdict(fanOut([10, 11, 12, 10, 486]))
  assert.deepEqual(straggling.sentences, [
    'One of 5 calls to storage.fetch on one-host took 486 ms where half of them took 11.0 ms or less: ' +
      'the difference is 97 % of the whole, most of it in the method itself.',
  ])
  assert.equal(straggling.bottleneck?.service, 'storage')
  assert.deepEqual(verdict(callTree([])).sentences, ['There is no call in this trace.'])
})

test('the verdict says plainly when it is not clear', () => {
  const parents: Record<string, string | null> = { r: null }
  const lines = ['request r@0', 'receive r@0.5', 'respond r@99.5', 'finish r@100']
  for (let index = 0; index < 9; index++) {
    parents[`c${index}`] = 'r'
    lines.push(`request c${index}@${1 + index * 11}`, `finish c${index}@${11 + index * 11}`)
  }
  const [unclear] = verdict(treeOf(parents, lines)).sentences
  assert.match(
    unclear!,
    /^No single place explains the 100 ms: the most, 10 %, went to service-c\d\.work, then/,
  )
  const tree = treeOf({ r: null }, whole('r', 0, 10), { r: { calls: 3 } })
  assert.match(verdict(tree).sentences[1]!, /^3 calls are merged or missing/)
})

test('durations have three significant digits', () => {
  const shown = [
    486,
    12.34,
    5.7,
    0.85,
    1234,
    0,
    999.6,
    0.9996,
    9.996,
    99.96,
    123_456,
    -3,
    Number.NaN,
  ]
  assert.deepEqual(shown.map(formatMs), [
    ...['486 ms', '12.3 ms', '5.70 ms', '850 µs', '1.23 s', '0 ms', '1.00 s', '1.00 ms'],
    ...['10.0 ms', '100 ms', '123 s', '-3.00 ms', '?'],
  ])
})

test('no tree makes the analysis throw, deep or damaged', () => {
  fc.assert(
    fc.property(
      model.modelTree.chain((root) => fc.shuffledSubarray(model.entriesOf(root, model.T0))),
      (list) => {
        const tree = callTree(list)
        assert.ok(verdict(tree).sentences.length > 0)
        assert.equal(slowestPath(tree)[0], tree.root)
      },
    ),
    { numRuns: 300 },
  )
  const deep: Entry[] = []
  for (let id = 0; id < 20_000; id++) {
    const call = {
      host: 'h',
      service: 's',
      method: 'm',
      id: `${id}`,
      parent: id ? `${id - 1}` : null,
    }
    deep.push({ kind: 'rpc-request', timeMs: id, ...call })
    deep.push({ kind: 'rpc-finish', timeMs: 90_000 - id, ...call, status: 'error' })
  }
  assert.ok(verdict(callTree(deep)).failure)
})

test('an operation that failed is named as the origin, with its statement', () => {
  const tree = treeOf({ r: null, q: 'r' }, [...whole('r', 0, 100), 'request q@10', 'finish q@40'], {
    r: { service: 'orders', method: 'create', status: 'error', error: 'DatabaseError' },
    q: {
      ...{ service: 'orders.db', method: 'INSERT INTO orders VALUES (?)', edge: 'down' },
      ...{ status: 'error', error: 'DatabaseError' },
    },
  })
  const { sentences, failure } = verdict(tree)
  assert.deepEqual(sentences, [
    'orders.db INSERT INTO orders VALUES (?) failed with DatabaseError after 30.0 ms; orders.create only passed it on.',
  ])
  assert.equal(failure?.masked, false)
})

test('an operation that was given up is not taken for a service that nobody heard of', () => {
  const tree = treeOf({ r: null, q: 'r' }, [...whole('r', 0, 100), 'request q@10', 'finish q@40'], {
    q: { service: 'orders.db', method: 'SELECT', edge: 'down', status: 'timeout' },
  })
  assert.deepEqual(
    failures(tree).map(({ kind, suspect }) => [kind, suspect?.id]),
    [['timeout', 'q']],
  )
})

test('a handler that failed for good is told beside the verdict, and blames nobody above', () => {
  const tree = treeOf(
    { r: null, e: 'r', h: 'e', q: 'h' },
    [
      ...whole('r', 0, 100),
      ...['request e@10', 'finish e@12', 'receive h@11', 'respond h@300'],
      ...['request q@20', 'finish q@290'],
    ],
    {
      e: { service: 'orders.events', method: 'order_created', edge: 'event' },
      h: { service: 'products', method: 'on order_created', edge: 'event', status: 'error' },
      q: {
        service: 'products.cache',
        method: 'HINCRBY',
        edge: 'down',
        status: 'error',
        error: 'Gone',
      },
    },
  )
  const { sentences, failure, bottleneck } = verdict(tree)
  assert.equal(failure, undefined)
  assert.equal(bottleneck?.edge, 'call')
  assert.deepEqual(sentences, [
    '96 % of 100 ms went to service-r.work on one-host.',
    'Nobody waited for it, but products.cache HINCRBY failed with Gone after 270 ms; products on order_created only passed it on.',
  ])
  assert.deepEqual(
    failures(tree).map(({ origin, handler, masked }) => [origin.id, handler?.id, masked]),
    [['q', 'h', true]],
  )
})

test('a handler whose message was tried again with success is not told beside the verdict', () => {
  const tree = treeOf(
    { r: null, e: 'r', one: 'e', two: 'e' },
    [
      ...[...whole('r', 0, 100), 'request e@10', 'finish e@12'],
      ...['receive one@11', 'respond one@20', 'receive two@120', 'respond two@130'],
    ],
    {
      e: { service: 'orders.events', method: 'order_created', edge: 'event' },
      one: { service: 'p', method: 'on order_created', edge: 'event', status: 'error', attempt: 1 },
      two: { service: 'p', method: 'on order_created', edge: 'event', attempt: 2 },
    },
  )
  assert.deepEqual(
    failures(tree).map(({ origin, handler, masked }) => [origin.id, handler, masked]),
    [['one', undefined, true]],
  )
  assert.equal(verdict(tree).sentences.length, 1)
})
