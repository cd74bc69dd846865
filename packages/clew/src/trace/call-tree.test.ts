import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { verdict } from './analysis/index.ts'
import type { CallNode, CallTree } from './call-node.ts'
import { callTree } from './call-tree.ts'
import type { Entry, EntryKind, Relay, Trace } from './entry.ts'
import * as model from './model.test.ts'
import { entries, T } from './model.test.ts'

/** Service names in nested lists: [name, ...calls]. */
type Outline = [string, ...Outline[]]
const outline = (node: CallNode): Outline => [node.id, ...node.calls.map(outline)]
const modelOutline = (call: model.ModelCall): Outline => [call.id, ...call.calls.map(modelOutline)]

const kinds = (tree: CallTree) => tree.problems.map(({ kind }) => kind)

function find(node: CallNode, id: string): CallNode {
  const left = [node]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (next.id === id) return next
    left.push(...next.calls)
  }
  throw new Error(`no call ${id}`)
}

/** Model calls have clocks of their own, so hosts contradict each other. */
const othersThanClocks = (tree: CallTree) => tree.problems.filter(({ kind }) => kind !== 'clocks')

const withoutParents = (list: readonly Entry[]): Entry[] =>
  list.map(({ parent: _, seq: __, ...entry }) => entry)

/** Every call's entries with those of its calls, siblings in any order. */
function shuffled(call: model.ModelCall, all: readonly Entry[], pick: () => number): Entry[] {
  const mine = all.filter(({ id }) => id === call.id)
  const blocks = call.calls.map((child) => shuffled(child, all, pick))
  const order = blocks.map((block) => [pick(), block] as const).sort((a, b) => a[0] - b[0])
  const respond = mine.findIndex(({ kind }) => kind === 'rpc-respond')
  const at = respond < 0 ? 1 : respond
  return [...mine.slice(0, at), ...order.flatMap(([, block]) => block), ...mine.slice(at)]
}

test('the tree of a trace is the tree that was called', () => {
  fc.assert(
    fc.property(model.modelTree, (root) => {
      const tree = callTree(model.entriesOf(root, model.T0))
      assert.deepEqual(outline(tree.root), modelOutline(root))
      assert.deepEqual(othersThanClocks(tree), [])
      assert.equal(tree.calls, model.allCalls(root).length)
      for (const call of model.allCalls(root)) {
        const node = find(tree.root, call.id)
        assert.equal(node.presence, call.answered ? '1111' : '1001')
        assert.equal(Math.round(node.totalMs! * 1000), model.tookUs(call))
        assert.equal(node.status, call.status)
        assert.equal(node.edge, call.edge)
        if (call.answered) assert.equal(Math.round(node.handleMs! * 1000), call.workUs)
      }
    }),
  )
})

test('nesting alone tells the same tree, in whatever order sibling blocks stand', () => {
  fc.assert(
    fc.property(model.modelTree, fc.infiniteStream(fc.nat()), (root, stream) => {
      const all = model.entriesOf(root, model.T0)
      const pick = () => stream.next().value
      const tree = callTree(withoutParents(shuffled(root, all, pick)))
      assert.deepEqual(outline(tree.root), modelOutline(root))
      assert.deepEqual(othersThanClocks(tree), [])
    }),
  )
})

test('with parents, the order of entries does not matter at all', () => {
  fc.assert(
    fc.property(
      model.modelTree.chain((root) =>
        fc.tuple(
          fc.constant(root),
          fc.shuffledSubarray(model.entriesOf(root, model.T0), {
            minLength: model.entriesOf(root, model.T0).length,
          }),
        ),
      ),
      ([root, list]) => {
        const tree = callTree(list)
        assert.deepEqual(outline(tree.root), modelOutline(root))
        assert.deepEqual(othersThanClocks(tree), [])
      },
    ),
  )
})

/** The same calls, all of the kind of which both sides have to be there. */
function plain(call: model.ModelCall): model.ModelCall {
  return { ...call, edge: 'call', status: 'ok', answered: true, calls: call.calls.map(plain) }
}

test('dropped and repeated entries never throw, and the tree says what happened', () => {
  const damaged = model.modelTree.chain((any) => {
    const root = plain(any)
    const all = model.entriesOf(root, model.T0)
    return fc.tuple(
      fc.constant({ root, all }),
      fc.shuffledSubarray(all, { minLength: 0 }),
      fc.subarray(all),
      fc.boolean(),
    )
  })
  fc.assert(
    fc.property(damaged, ([{ root, all }, kept, repeated, brackets]) => {
      const list = [...kept, ...repeated]
      const distinct = new Set(list)
      const tree = callTree(brackets ? withoutParents(list) : list)
      const ids = new Set(list.map(({ id }) => id))
      assert.equal(tree.calls, ids.size)
      if (list.length > distinct.size) assert.ok(kinds(tree).includes('duplicate'))
      if (list.length === 0) assert.deepEqual(kinds(tree), ['no_entries'])
      const starts = all.filter(({ kind }) => kind === 'rpc-start')
      const lost = all.filter((entry) => !distinct.has(entry) && !starts.includes(entry))
      // Without its caller's entries, the root looks as if it had begun at the callee.
      const rooted = list.some(({ id, kind }) => id === root.id && kind === 'rpc-request')
      if (lost.length > 0 && rooted && !brackets) assert.equal(tree.complete, false)
    }),
    { numRuns: 300 },
  )
})

test('a root that lost its request begins with what is known first', () => {
  const list = entries(
    { r: null, a: 'r' },
    ...['receive r@5', 'request a@10', 'finish a@90', 'finish r@100'],
  )
  const tree = callTree(list)
  assert.equal(tree.root.totalMs, undefined)
  assert.equal(tree.startedMs, list[0]!.timeMs)
  assert.equal(tree.totalMs, 95)
  assert.equal(find(tree.root, 'a').offsetMs, 5)
  assert.match(verdict(tree).sentences[0]!, /is not known; what was seen of it took 95.0 ms/)
})

test('a root of which only the finish is left begins with the first of its calls', () => {
  const list = entries({ r: null, a: 'r' }, ...['request a@10', 'finish a@90', 'finish r@100'])
  const tree = callTree(list)
  assert.equal(tree.startedMs, list[0]!.timeMs)
  assert.equal(tree.totalMs, 90)
})

test('siblings share the place of a lost parent', () => {
  const parents = { r: null, a: 'gone', b: 'gone' }
  const lines = ['request r@0', 'receive r@1', 'respond r@99', 'finish r@100']
  const calls = ['request a@10', 'finish a@20', 'request b@15', 'finish b@40']
  const tree = callTree(entries(parents, ...lines, ...calls))
  assert.deepEqual(outline(tree.root), ['r', ['gone', ['a'], ['b']]])
  const gone = find(tree.root, 'gone')
  assert.deepEqual([gone.placeholder, gone.offsetMs, gone.totalMs], [true, 10, 30])
  assert.deepEqual(kinds(tree), ['orphan'])
  assert.equal(tree.complete, false)
})

test('a circle of parents is cut where it was closed', () => {
  const tree = callTree(
    entries(
      { r: null, a: 'b', b: 'c', c: 'a' },
      'request r@0',
      'request a@1',
      'request b@2',
      'request c@3',
    ),
  )
  assert.deepEqual(outline(tree.root), ['r', ['c', ['b', ['a']]]])
  assert.deepEqual(kinds(tree), ['cycle', 'orphan'])
  assert.deepEqual(kinds(callTree(entries({ a: 'a' }, 'request a@1'))), ['cycle'])
})

test('several roots hang below a made-up one', () => {
  const tree = callTree(
    entries(undefined, 'request a@0', 'finish a@5', 'request b@7', 'finish b@9'),
  )
  assert.deepEqual(outline(tree.root), ['', ['a'], ['b']])
  assert.deepEqual([tree.root.placeholder, tree.root.totalMs, tree.calls], [true, 9, 2])
  assert.deepEqual(kinds(tree), ['several_roots'])
})

test('whatever entries of a call came is told by its presence', () => {
  const moments = ['request', 'receive', 'respond', 'finish']
  for (const presence of ['1111', '1001', '1000', '1100', '1110', '0110', '0111', '1101']) {
    const lines = moments.flatMap((moment, at) =>
      presence[at] === '1' ? [`${moment} a@${at}`] : [],
    )
    const parents = { r: null, a: 'r' }
    const root = ['request r@-9', 'receive r@-5', 'respond r@50', 'finish r@60']
    for (const tree of [
      callTree(entries(parents, ...root, ...lines)),
      callTree(entries(undefined, ...root.slice(0, 2), ...lines, ...root.slice(2))),
    ]) {
      const node = find(tree.root, 'a')
      assert.deepEqual(outline(tree.root), ['r', ['a']])
      assert.equal(node.presence, presence)
      assert.equal(tree.complete, presence === '1111')
      const ended = presence[3] === '1' || presence === '0110'
      assert.equal(node.status, ended ? 'ok' : 'pending', presence)
    }
  }
})

test('calls that wait side by side are siblings though their entries interleave', () => {
  const tree = callTree(
    entries(
      undefined,
      ...['request r@0', 'receive r@1'],
      ...['request a@2', 'request b@3', 'receive a@4', 'respond a@5'],
      ...['receive b@6', 'respond b@8', 'finish a@9', 'finish b@10'],
      ...['respond r@11', 'finish r@12'],
    ),
  )
  assert.deepEqual(outline(tree.root), ['r', ['a'], ['b']])
  assert.deepEqual(kinds(tree), ['interleaved'])
})

test('what begins after a call has answered is not below it, though it has not finished', () => {
  const a = ['request a@2', 'receive a@3', 'respond a@4', 'request b@5', 'finish b@6', 'finish a@9']
  const tree = callTree(
    entries(undefined, 'request r@0', 'receive r@1', ...a, 'respond r@11', 'finish r@12'),
  )
  assert.deepEqual(outline(tree.root), ['r', ['a'], ['b']])
})

test('calls stand in the order in which they were made, whatever their clocks say', () => {
  const seqs: Record<string, number> = { a: 2, b: 0, c: 1 }
  const list = entries(
    { r: null, a: 'r', b: 'r', c: 'r' },
    ...['request r@0', 'request a@1', 'request b@2', 'request c@3'],
  ).map((entry) => ({ ...entry, seq: seqs[entry.id] ?? 0 }))
  assert.deepEqual(outline(callTree(list).root), ['r', ['b'], ['c'], ['a']])
})

test('a request that was delivered twice shows both executions and whose calls are whose', () => {
  const lines = [
    ...['request r@0 on one', 'receive r@1 on two', 'request a@2 on two'],
    ...['receive r@20 on three', 'request b@21 on three', 'finish b@25 on three'],
    ...['respond r@30 on three', 'finish r@31 on one'],
  ]
  const list = entries({ r: null, a: 'r', b: 'r' }, ...lines).map((entry, at) =>
    at === 3 ? { ...entry, redelivered: true } : entry,
  )
  const tree = callTree(list)
  assert.deepEqual(outline(tree.root), ['r', ['r#1', ['a']], ['b']])
  assert.deepEqual([tree.root.host, tree.root.redelivered, tree.root.handleMs], ['three', true, 10])
  assert.deepEqual([tree.root.calls[0]!.host, tree.root.calls[0]!.presence], ['two', '0100'])
  assert.deepEqual([tree.calls, tree.complete], [3, false])
})

test('of several executions, the one whose answer was in time is shown', () => {
  const lines = ['request r@0 on one', 'receive r@1 on two', 'receive r@5 on three']
  const answers = ['respond r@8 on two', 'respond r@9 on three', 'finish r@10 on one']
  const list = entries({ r: null }, ...lines, ...answers)
  assert.equal(callTree(list).root.host, 'two')
  const late = list.map((entry, at) => (at === 3 ? { ...entry, late: true } : entry))
  assert.equal(callTree(late).root.host, 'three')
})

test('handlers of an event are below it, each by its own name', () => {
  const list = entries(
    { r: null },
    ...['request r@0 on one', 'finish r@1 on one', 'receive r@3 on two', 'respond r@5 on two'],
    ...['receive r@4 on three', 'respond r@9 on three'],
  ).map((entry) => ({
    ...entry,
    edge: 'event' as const,
    service: entry.host === 'one' ? 'shop' : `handler-${entry.host}`,
  }))
  const { root, complete } = callTree(list)
  assert.deepEqual([root.service, root.presence, root.totalMs], ['shop', '1001', 1])
  assert.deepEqual(
    root.calls.map(({ service, handleMs }) => [service, handleMs]),
    [
      ['handler-two', 2],
      ['handler-three', 5],
    ],
  )
  assert.equal(complete, true)
})

function traceOf(list: Entry[], over: Partial<Trace> = {}): Trace {
  return { id: '', entries: list, folds: [], missing: [], relays: [], complete: true, ...over }
}

test('peers without entries take their place between the calls around them', () => {
  const parents = { r: null, p: 'r', x: 'p', y: 'p' }
  const list = entries(
    parents,
    ...['request r@0', 'receive r@1', 'request p@2', 'finish p@50', 'respond r@51', 'finish r@52'],
    ...['receive x@10', 'respond x@20', 'receive y@25', 'respond y@45'],
  )
  const path = [{ service: 'python', method: 'pass', id: 'python.pass.1' }]
  const relays = ['x', 'y', 'y'].map((below) => ({ below, path }))
  const tree = callTree(traceOf(list, { relays }))
  const relay = tree.root.calls[0]!.calls[0]!
  assert.deepEqual(outline(relay), [relay.id, ['x'], ['y']])
  assert.deepEqual(
    [relay.service, relay.method, relay.placeholder, relay.offsetMs, relay.totalMs],
    ['python', 'pass', true, 10, 35],
  )
  assert.deepEqual([tree.calls, tree.complete], [4, false])
})

test('a peer without entries that its caller has called has no second place', () => {
  const list = entries(
    { r: null, p: 'r', x: 'p' },
    ...['request r@0', 'receive r@1', 'request p@2', 'finish p@50', 'respond r@51', 'finish r@52'],
    ...['receive x@10', 'respond x@20'],
  )
  const called = list.find(({ id }) => id === 'p')!
  const inner = { service: 'python', method: 'inner', id: 'python.inner.1' }
  const path = [{ service: called.service, method: called.method, id: 'python.p.1' }, inner]
  const below = (relays: readonly Relay[], edge: 'call' | 'event') => {
    const typed = list.map((entry) => (entry.id === 'p' ? { ...entry, edge } : entry))
    return outline(callTree(traceOf(typed, { relays: [...relays] })).root.calls[0]!)
  }
  const relays = [{ below: 'x', path }]
  assert.deepEqual(below(relays, 'call'), ['p', ['relay:p/python.inner.1', ['x']]])
  assert.deepEqual(below(relays, 'event'), [
    'p',
    ['relay:p/python.p.1', ['relay:relay:p/python.p.1/python.inner.1', ['x']]],
  ])
})

test('missing calls are counted once, and not any more when they have come after all', () => {
  const root = [
    'request r@0',
    'receive r@1',
    'request a@2',
    'finish a@3',
    'respond r@9',
    'finish r@10',
  ]
  const made = (calls: number) =>
    entries({ r: null, a: 'r' }, ...root).map((entry) =>
      entry.kind === 'rpc-respond' && entry.id === 'r' ? { ...entry, calls } : entry,
    )
  const lost = { parent: 'r', calls: 5, reason: 'lost' } as const
  assert.equal(callTree(traceOf(made(1))).missingCalls, 0)
  assert.equal(callTree(traceOf(made(3))).missingCalls, 2)
  assert.equal(callTree(traceOf(made(3), { missing: [lost] })).missingCalls, 5)
  assert.equal(callTree(traceOf(made(1), { missing: [lost] })).missingCalls, 0)
  const fold = { service: 's', method: 'm', count: 2, calls: 4, minMs: 1, medianMs: 1, maxMs: 1 }
  const folds = [{ parent: 'r', host: 'h', ...fold, sumMs: 2, timeMs: T + 4 }]
  const tree = callTree(traceOf(made(3), { folds }))
  assert.deepEqual([tree.missingCalls, tree.complete], [4, false])
  assert.deepEqual(tree.root.folds, [{ ...fold, edge: 'call', sumMs: 2, offsetMs: 4 }])
})

test('self time leaves out the union of waits, not their sum', () => {
  const parents = { r: null, a: 'r', b: 'r', c: 'r' }
  const list = entries(
    parents,
    ...['request r@0', 'receive r@10', 'respond r@110', 'finish r@120'],
    ...['request a@20', 'finish a@60', 'request b@40', 'finish b@70'],
    'request c@100',
  )
  assert.equal(callTree(list).root.selfMs, 50)
  const turned = list.map((entry) => ({ ...entry, seq: 'cba'.indexOf(entry.id) }))
  assert.equal(callTree(turned).root.selfMs, 50)
})

test('self time leaves out calls of which only the callee tells, where they were waited for', () => {
  const parents = { r: null, a: 'r', b: 'r', c: 'a' }
  const list = entries(
    parents,
    ...['receive r@0', 'respond r@100', 'receive a@10', 'respond a@40', 'receive b@30'],
    ...['respond b@60', 'receive c@20', 'respond c@25'],
  )
  const { root } = callTree(list)
  assert.deepEqual([root.selfMs, root.calls[0]!.selfMs], [50, 25])
  // One after the other, what all spent themselves is what the root took.
  const inTurn = callTree(list.filter(({ id }) => id !== 'b'))
  const spent = [inTurn.root, find(inTurn.root, 'a'), find(inTurn.root, 'c')]
  assert.equal(
    spent.reduce((sum, { selfMs }) => sum + selfMs!, 0),
    100,
  )
  const skewed = list.map((entry) =>
    entry.id === 'a' ? { ...entry, host: 'two', timeMs: entry.timeMs - 500 } : entry,
  )
  assert.equal(callTree(skewed.filter(({ id }) => id !== 'b' && id !== 'c')).root.selfMs, 70)
  const handlers = list.map((entry) =>
    entry.kind === 'rpc-receive' && entry.id !== 'r' ? { ...entry, edge: 'event' as const } : entry,
  )
  assert.equal(callTree(handlers).root.selfMs, 100)
})

test('a callee is moved only when its clock cannot be right, and then to the middle', () => {
  const place = (receive: number, respond: number, host: string) => {
    const list = entries(
      { r: null },
      ...['request r@0 on one', `receive r@${receive} on ${host}`],
      ...[`respond r@${respond} on ${host}`, 'finish r@100 on one'],
    )
    const { root } = callTree(list)
    assert.deepEqual([root.totalMs, root.handleMs], [100, respond - receive])
    return root.handleOffsetMs
  }
  assert.equal(place(5, 45, 'two'), 5)
  assert.equal(place(-500, -460, 'two'), 30)
  assert.equal(place(900, 940, 'two'), 30)
  assert.equal(place(-500, -460, 'one'), -500)
  assert.equal(place(-20, 200, 'two'), 0)
  assert.equal(place(20, 200, 'two'), 20)
})

test('an event is handled when its handler says so, after whoever published it went on', () => {
  const place = (receive: number) => {
    const list = entries(
      { r: null, e: 'r', h: 'e' },
      ...['request r@0 on one', 'receive r@1 on one'],
      ...['request e@10 on one', 'finish e@20 on one'],
      ...[`receive h@${receive} on two`, `respond h@${receive + 5} on two`],
      ...['respond r@99 on one', 'finish r@100 on one'],
    ).map((entry) => (entry.id === 'r' ? entry : { ...entry, edge: 'event' as const }))
    return find(callTree(list).root, 'h').offsetMs
  }
  assert.equal(place(12), 12)
  assert.equal(place(500), 500, 'a later try, or a slow one')
  assert.equal(place(-500), 10, 'not before there was something to hear')
})

test('a call that never answered lies where its host was found before', () => {
  const parents = { r: null, a: 'r', b: 'r' }
  const list = entries(
    parents,
    ...['request r@0 on one', 'receive r@1 on one', 'respond r@99 on one', 'finish r@100 on one'],
    ...[
      'request a@10 on one',
      'receive a@-480 on two',
      'respond a@-470 on two',
      'finish a@30 on one',
    ],
    ...['request b@40 on one', 'receive b@-455 on two'],
  )
  const { root } = callTree(list)
  assert.deepEqual(
    root.calls.map(({ handleOffsetMs }) => Math.round(handleOffsetMs! * 10) / 10),
    [17.5, 42.5],
  )
  const later = list.map((entry) =>
    entry.timeMs === model.T - 455 ? { ...entry, timeMs: model.T - 445 } : entry,
  )
  assert.equal(Math.round(callTree(later).root.calls[1]!.handleOffsetMs!), 50)
})

test('work that went on after its caller gave up says nothing about the network', () => {
  const lines = ['request r@0', 'receive r@5', 'respond r@80', 'finish r@100']
  const network = (over: Partial<Entry>, finish = 100) =>
    callTree(
      entries({ r: null }, ...lines.slice(0, 3), `finish r@${finish}`).map((entry) => ({
        ...entry,
        ...over,
      })),
    ).root.networkMs
  assert.deepEqual(
    [network({}), network({ late: true }), network({}, 50)],
    [25, undefined, undefined],
  )
})

test('a clock that was set back is told, and no time is negative', () => {
  const tree = callTree(
    entries({ r: null }, 'request r@0', 'receive r@9', 'respond r@3', 'finish r@-4'),
  )
  assert.deepEqual([tree.root.totalMs, tree.root.handleMs, tree.root.selfMs], [0, 0, 0])
  assert.deepEqual(kinds(tree), ['negative_duration', 'negative_duration'])
})

test('neither depth nor width is a danger', () => {
  const chain: Entry[] = []
  const entry = (kind: EntryKind, id: number, parent: number | null): Entry => ({
    ...{ kind, timeMs: T + id, host: 'h', service: 's', method: 'm', id: String(id) },
    ...(parent === null ? { parent: null } : { parent: String(parent) }),
  })
  const depth = 50_000
  for (let id = 0; id < depth; id++) chain.push(entry('rpc-request', id, id === 0 ? null : id - 1))
  for (let id = depth - 1; id >= 0; id--)
    chain.push(entry('rpc-finish', id, id === 0 ? null : id - 1))
  for (const list of [chain, withoutParents(chain)]) {
    const tree = callTree(list)
    assert.equal(tree.calls, depth)
    let levels = 0
    for (let node: CallNode | undefined = tree.root; node; node = node.calls[0]) levels++
    assert.equal(levels, depth)
  }
  const wide = [entry('rpc-request', 0, null)]
  for (let id = 1; id < depth; id++) wide.push(entry('rpc-request', id, 0))
  assert.equal(callTree(wide).root.calls.length, depth - 1)
})
