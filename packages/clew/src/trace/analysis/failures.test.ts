import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { CallTree } from '../call-node.ts'
import { callTree } from '../call-tree.ts'
import type { Entry } from '../entry.ts'
import * as model from '../model.test.ts'
import { failures, missing, retries, verdict } from './index.ts'

type More = Record<string, Partial<Entry>>

const error = { status: 'error', error: 'Broken' } as const

/** Entries of `kind id@ms` lines; what is given for an id is put to all its entries. */
function entriesOf(parents: Record<string, string | null>, lines: readonly string[], more: More) {
  return model.entries(parents, ...lines).map((entry) => ({ ...entry, ...more[entry.id] }))
}

const about = { id: '', folds: [], missing: [], relays: [], complete: true } as const

const foreign = (
  parents: Record<string, string | null>,
  lines: readonly string[],
  more: More = {},
) => callTree({ ...about, entries: entriesOf(parents, lines, more), source: 'jaeger' })

const own = (parents: Record<string, string | null>, lines: readonly string[], more: More = {}) =>
  callTree(entriesOf(parents, lines, more))

/** A server's record alone, a client's, and both. */
const server = (id: string, from: number, to: number) => [
  `receive ${id}@${from}`,
  `respond ${id}@${to}`,
]
const client = (id: string, from: number, to: number) => [
  `request ${id}@${from}`,
  `finish ${id}@${to}`,
]
const both = (id: string, from: number, to: number) => [
  ...client(id, from, to),
  ...server(id, from + 1, to - 1),
]

const told = (tree: CallTree) =>
  failures(tree).map(({ origin, kind, masked, doubt, passedOn }) => {
    const way = passedOn.map(({ id }) => id).join(' ')
    return `${masked ? 'masked ' : ''}${kind} ${origin.id} > ${way}${doubt ? ` (${doubt})` : ''}`
  })

const CHAIN = { r: null, a: 'r', b: 'a' }
const SERVERS = [...server('r', 0, 100), ...server('a', 10, 60), ...server('b', 20, 30)]

test('foreign: whatever failed deeper explains a failure, with a doubt where calls between did well', () => {
  assert.deepEqual(told(foreign(CHAIN, SERVERS, { r: error, b: error })), ['error b > r (between)'])
  assert.deepEqual(told(foreign(CHAIN, SERVERS, { a: error, b: error })), ['masked error b > a'])
  assert.deepEqual(told(foreign(CHAIN, SERVERS, { r: error, a: error, b: error })), [
    'error b > a r',
  ])
  const verdicts = verdict(foreign(CHAIN, SERVERS, { r: error, b: error }))
  assert.equal(verdicts.unclear, true)
  assert.match(verdicts.sentences[0]!, /^service-b\.work .* unclear whether that was the reason\.$/)
  // In a trace of our own, what did well in between has coped.
  const lines = [...both('r', 0, 100), ...both('a', 10, 60), ...both('b', 20, 30)]
  assert.deepEqual(told(own(CHAIN, lines, { r: error, b: error })), [
    'error r > ',
    'masked error b > ',
  ])
})

test('foreign: of several failed calls each is an origin, and one that only its caller recorded is in doubt', () => {
  const parents = { r: null, a: 'r', b: 'r', c: 'b', d: 'r' }
  const lines = [
    ...[
      ...server('r', 0, 100),
      ...client('a', 10, 20),
      ...both('b', 30, 50),
      ...server('c', 35, 40),
    ],
    ...both('d', 60, 80),
  ]
  const tree = foreign(parents, lines, { r: error, a: error, b: error, c: error })
  assert.deepEqual(told(tree), ['error a > r (one-sided)', 'error c > b r'])
})

test('foreign: an error of the client alone is told from one of the server', () => {
  const list = entriesOf({ r: null, a: 'r' }, [...server('r', 0, 100), ...both('a', 10, 60)], {})
  const failing = (kind: Entry['kind']) =>
    callTree({
      ...{ ...about, source: 'otlp' },
      entries: list.map((entry) =>
        entry.id === 'a' && entry.kind === kind ? { ...entry, ...error } : entry,
      ),
    })
  assert.deepEqual(told(failing('rpc-finish')), ['masked caller a > '])
  const { callerStatus, calleeStatus } = failing('rpc-respond').root.calls[0]!
  assert.deepEqual([callerStatus, calleeStatus], ['ok', 'error'])
})

test('the last try decides, and earlier ones are told as what they cost', () => {
  const parents = { r: null, a: 'r', b: 'r', c: 'r', d: 'r' }
  const names = { service: 's', method: 'm' }
  const lines = [
    ...both('r', 0, 100),
    ...both('a', 5, 20),
    ...both('b', 30, 40),
    ...both('c', 50, 60),
  ]
  const more = { a: { ...names, ...error }, b: { ...names, attempt: 2, ...error } }
  const failing = own(parents, lines, { r: error, ...more, c: { ...names, attempt: 3, ...error } })
  assert.deepEqual(told(failing), ['error c > r', 'masked error a > ', 'masked error b > '])
  const [retry] = retries(failing)
  assert.deepEqual([retry?.tries.map(({ id }) => id), retry?.costMs], [['a', 'b', 'c'], 45])
  const saved = own(parents, lines, { ...more, c: { ...names, attempt: 3 } })
  assert.match(
    verdict(saved).sentences[1]!,
    /^s\.m was tried again 2 times: 45\.0 ms \(45 %\) passed/,
  )
  // Two calls of one method side by side, of which one is tried again in vain, are not mixed up.
  const twice = own(parents, [...lines, ...both('d', 30, 45)], {
    ...{
      r: error,
      a: { ...names, ...error },
      b: { ...names, attempt: 2, ...error },
      c: { ...names, ...error },
    },
    d: { ...names, attempt: 2 },
  })
  assert.deepEqual(told(twice)[0], 'error b > r')
})

test('a reply that was lost is told from a callee that was too slow', () => {
  const timeout = { status: 'timeout' } as const
  const lines = [...server('r', 0, 1000), ...client('a', 0, 900), ...server('a', 1, 11)]
  const list = (late: boolean) =>
    callTree(
      entriesOf({ r: null, a: 'r' }, lines, {}).map((entry) => ({
        ...entry,
        ...(entry.id === 'a' && entry.kind === 'rpc-finish' ? timeout : {}),
        ...(entry.id === 'a' && entry.kind === 'rpc-respond' && late ? { late: true } : {}),
      })),
    )
  assert.deepEqual(told(list(false)), ['masked lost a > '])
  assert.deepEqual(told(list(true)), ['masked timeout a > '])
})

test('a call that nobody took names its queue', () => {
  const tree = own({ r: null, a: 'r' }, [...both('r', 0, 100), ...client('a', 10, 90)], {
    r: error,
    a: { service: 'stock', status: 'timeout' },
  })
  assert.match(
    verdict(tree).sentences[0]!,
    /nothing was heard of a callee.*\(its queue is rpc-stock\)/,
  )
})

test('what is missing is told by its kind, and adds up', () => {
  const tree = own(
    { r: null, a: 'r', b: 'r', c: 'x' },
    [
      ...both('r', 0, 100),
      ...client('a', 5, 20),
      'receive b@30',
      'request b@29',
      ...both('c', 50, 60),
    ],
    { r: { calls: 4 } },
  )
  const gaps = missing(tree).map(({ kind, calls }) => `${kind} ${calls}`)
  assert.deepEqual(gaps.toSorted(), ['crashed 1', 'lost 2', 'parent 1', 'unrecorded 1'])
  assert.deepEqual(missing(own({ r: null }, both('r', 0, 10))), [])
})

test('no tree makes them throw, and every failure is told once', () => {
  const sources = fc.constantFrom(undefined, 'otlp' as const)
  fc.assert(
    fc.property(
      model.modelTree.chain((root) => fc.shuffledSubarray(model.entriesOf(root, model.T0))),
      sources,
      (entries, source) => {
        const tree = callTree({ ...about, entries, ...(source && { source }) })
        const origins = failures(tree).map(({ origin }) => origin)
        assert.equal(new Set(origins).size, origins.length)
        assert.ok(missing(tree).every(({ calls }) => calls > 0))
        for (const { costMs, tries } of retries(tree)) assert.ok(costMs >= 0 && tries.length > 1)
        assert.ok(verdict(tree).sentences.every((sentence) => !/undefined|NaN/.test(sentence)))
      },
    ),
    { numRuns: 500 },
  )
})

test('hundreds of thousands of failures in a deep or wide tree take linear time', () => {
  const entries: Entry[] = []
  const count = 200_000
  const add = (id: number, parent: number | null, more: Partial<Entry> = {}) => {
    const call = {
      host: 'h',
      service: 's',
      method: 'm',
      id: `${id}`,
      parent: parent === null ? null : `${parent}`,
    }
    entries.push({ kind: 'rpc-request', timeMs: id, ...call, ...more })
    entries.push({ kind: 'rpc-finish', timeMs: 2 * count - id, ...call, ...error })
  }
  for (let id = 0; id < count; id++)
    add(id, id === 0 ? null : id < count / 2 ? id - 1 : id % 300, { attempt: 1 + (id % 3) })
  const tree = callTree(entries)
  assert.ok(failures(tree).length > 0)
  assert.ok(verdict(tree).failure !== undefined)
})
