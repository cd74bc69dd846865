import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readPiece } from '../../trace/blocks.ts'
import { type CallNode, callTree, type Entry, encodeTrace, type Trace } from '../../trace/index.ts'
import {
  entriesOf,
  type ModelCall,
  modelCall,
  modelTree,
  T0,
  TRACE,
} from '../../trace/model.test.ts'
import { Aliases } from './alias.ts'
import { packTrace } from './pack.ts'
import { viewOf } from './view.ts'

const aliases = new Aliases('a key that only tests have')

function traceOf(root: ModelCall): Trace {
  const lists = { folds: [], missing: [], relays: [] }
  return { id: TRACE, entries: entriesOf(root, T0), ...lists, complete: true }
}

function changed(
  call: ModelCall,
  change: (call: ModelCall, depth: number) => ModelCall,
  depth = 0,
): ModelCall {
  const calls = call.calls.map((below) => changed(below, change, depth + 1))
  return change({ ...call, calls }, depth)
}

/** Every name says how deep it stands. Whoever may not see it must not find `secret` anywhere. */
const marked = modelTree.map((root) =>
  changed({ ...root, answered: true, edge: 'call' }, (call, depth) => {
    const down = depth === 1 && call.calls.length === 0 && call.workUs % 3 === 0
    const mark = depth < 2 ? `level${depth}` : 'secret'
    return {
      ...call,
      service: `${mark}-service-${call.id}`,
      method: down ? `secret-statement-${call.id}` : `${mark}-method-${call.id}`,
      host: `secret-host-${call.host}`,
      error: call.error && `${mark}-error`,
      edge: down ? 'down' : call.edge,
      // Seven digits that stand nowhere else.
      pid: 7_654_321,
    }
  }),
)

function leaked(view: Trace | undefined): string {
  const text = JSON.stringify(view) + (view === undefined ? '' : encodeTrace(view))
  const piece = view && packTrace(view, { maxBytes: 60_000, form: 'piece' })
  return text + Buffer.from(piece ?? []).toString('latin1')
}

test('views show no host, service, method, statement or process beyond their scope', () => {
  fc.assert(
    fc.property(marked, (root) => {
      const trace = traceOf(root)
      const own = leaked(viewOf(trace, { scope: 'own', aliases }))
      assert.doesNotMatch(own, /secret|7654321|inFlight|redelivered|"pid"/)
      assert.ok(own.includes(root.service))
      for (const call of root.calls) assert.ok(own.includes(call.service))
      const total = leaked(viewOf(trace, { scope: 'total', aliases }))
      assert.doesNotMatch(total, /secret|7654321|level1|-error|inFlight|host-/)
      assert.equal(viewOf(trace, { scope: 'none', aliases }), undefined)
      assert.equal(viewOf(trace, { scope: 'full', aliases }), trace)
      // Neither says which process began the trace.
      assert.ok(!(own + total).includes(TRACE))
    }),
  )
})

test('values of arguments and results are for operators alone', () => {
  fc.assert(
    fc.property(marked, (root) => {
      const plain = traceOf(root)
      const attributes = { 'args.order_id': 'a value', result: 'a value', 'args.value': '1' }
      const trace = { ...plain, entries: plain.entries.map((entry) => ({ ...entry, attributes })) }
      for (const scope of ['none', 'total', 'own'] as const) {
        const view = viewOf(trace, { scope, aliases })
        assert.doesNotMatch(JSON.stringify(view ?? ''), /value|order_id|attributes/)
      }
      assert.match(JSON.stringify(viewOf(trace, { scope: 'full', aliases })), /a value/)
    }),
  )
})

test('the total says how long it took, to the millisecond, and nothing of what is inside', () => {
  fc.assert(
    fc.property(marked, marked, (root, other) => {
      const view = viewOf(traceOf(root), { scope: 'total', aliases })!
      const [begin, end] = view.entries
      assert.equal(view.entries.length, 2)
      assert.equal(end!.timeMs - begin!.timeMs, Math.round(root.workUs / 1000))
      assert.ok(Number.isInteger(begin!.timeMs))
      const { calls, inFlight, redelivered } = other
      const elsewhere = { calls, inFlight, redelivered, host: 'elsewhere', pid: 5 }
      const without = viewOf(traceOf({ ...root, ...elsewhere }), { scope: 'total', aliases })
      assert.deepEqual(without, view)
    }),
  )
})

test('the own view is the same whatever lies deeper than the merged time', () => {
  fc.assert(
    fc.property(marked, marked, fc.infiniteStream(fc.nat()), (root, other, stream) => {
      const numbers = stream[Symbol.iterator]()
      const deeper = changed(root, (call, depth) => {
        if (depth < 2 || !call.answered) return call
        const number = numbers.next().value
        const calls = number % 2 === 0 ? [] : [{ ...other, id: 'f'.repeat(16), calls: [] }]
        const names = { service: `s${number}`, method: `m${number}`, host: `h${number}` }
        return { ...call, ...names, pid: number, inFlight: number, redelivered: true, calls }
      })
      const view = viewOf(traceOf(root), { scope: 'own', aliases })
      const same = viewOf(traceOf(deeper), { scope: 'own', aliases })
      assert.deepEqual(same, view)
    }),
  )
})

function outline(call: CallNode): unknown {
  const { service, method, edge, status, error, presence, calls } = call
  return [service, method, edge, status, error, presence, calls.map(outline)]
}

test('a view is a whole trace: its tree has no problems, and bytes bring it back', () => {
  fc.assert(
    fc.property(marked, fc.constantFrom('total', 'own', 'full'), (root, scope) => {
      const view = viewOf(traceOf(root), { scope, aliases })!
      const tree = callTree(view)
      const known = callTree(traceOf(root)).problems.length
      if (known === 0) assert.deepEqual(tree.problems, [])
      const back = readPiece(packTrace(view, { maxBytes: 60_000, form: 'piece' })!)!
      assert.equal(back.id, view.id)
      // The caller's side of a root does not ride in a block.
      const shape = (root: CallNode) => root.calls.map(outline)
      assert.deepEqual(shape(callTree(back).root), shape(tree.root))
    }),
  )
})

test('hosts keep their aliases with the same key, and have others with another', () => {
  const root = modelCall('a'.repeat(16), {
    calls: [
      modelCall('b'.repeat(16), { host: 'vm-1' }),
      modelCall('c'.repeat(16), { host: 'vm-2' }),
    ],
  })
  const hosts = (with_: Aliases) =>
    callTree(viewOf(traceOf(root), { scope: 'own', aliases: with_ })!).root.calls.map(
      ({ host }) => host,
    )
  const [first, second] = hosts(aliases)
  assert.notEqual(first, second)
  assert.match(first!, /^host-[0-9a-f]{8}$/)
  assert.deepEqual(hosts(new Aliases('a key that only tests have')), [first, second])
  assert.notEqual(hosts(new Aliases('another key, of others'))[0], first)
})

test('what lies below a call is one call as long as it waited', () => {
  const id = (letter: string) => letter.repeat(16)
  const bank = modelCall(id('d'), { service: 'bank', workUs: 2_000, waitUs: 500 })
  const stock = modelCall(id('e'), { service: 'stock', workUs: 1_000, waitUs: 500, edge: 'down' })
  const orders = modelCall(id('b'), { service: 'orders', workUs: 8_000, calls: [bank, stock] })
  const sql = {
    service: 'gateway.db',
    method: 'select * from prices where id = $1',
    edge: 'down',
  } as const
  const root = modelCall(id('a'), { service: 'gateway', calls: [orders, modelCall(id('c'), sql)] })
  const { root: seen } = callTree(viewOf(traceOf(root), { scope: 'own', aliases })!)
  const [own, database] = seen.calls
  assert.deepEqual([own?.service, own?.method, own?.calls.length], ['orders', 'get', 1])
  assert.deepEqual([database?.service, database?.method], ['gateway.db', 'statement'])
  const [inside] = own!.calls
  assert.deepEqual([inside?.service, inside?.method], ['internal', 'internal'])
  // bank 0..3 ms, stock 0.1..2.1 ms
  assert.equal(inside!.totalMs!.toFixed(3), '3.000')
  assert.equal(own!.handleMs!.toFixed(3), '8.000')
})

test('what is too large is merged until it fits, or not given at all', () => {
  const calls = Array.from({ length: 3000 }, (_, at) =>
    modelCall(at.toString(16).padStart(16, '0'), { host: `host-${at}`, workUs: 1000 + (at % 7) }),
  )
  const trace = traceOf(modelCall('a'.repeat(16), { calls }))
  const piece = packTrace(trace, { maxBytes: 6144, form: 'piece' })!
  assert.ok(piece.length <= 6144)
  const tree = callTree(readPiece(piece)!)
  assert.equal(tree.calls + tree.missingCalls, 3001)
  assert.equal(packTrace(trace, { maxBytes: 20, form: 'piece' }), undefined)
  assert.ok(packTrace(trace, { maxBytes: 6144, form: 'block' })!.length <= 6144)
})

test('what a trace lacks is still lacking in its bytes', () => {
  const calls = [modelCall('b'.repeat(16)), modelCall('c'.repeat(16), { edge: 'event' })]
  const missing = [{ parent: 'a'.repeat(16), trace: TRACE, calls: 41, reason: 'lost' as const }]
  const trace = traceOf(modelCall('a'.repeat(16), { calls }))
  // The count of calls made says that all direct ones are here, unless it tells otherwise.
  const entries = trace.entries.map((entry) =>
    entry.kind === 'rpc-respond' && entry.calls === 2 ? { ...entry, calls: 43 } : entry,
  )
  const lacking = { ...trace, entries, missing, complete: false }
  assert.equal(callTree(lacking).missingCalls, 41)
  const back = readPiece(packTrace(lacking, { maxBytes: 6144, form: 'piece' })!)!
  assert.deepEqual([callTree(back).calls, callTree(back).missingCalls], [3, 41])
})

test('a tree that is damaged or made up has a view, or none, and nothing throws', () => {
  const empty: Trace = { id: '', entries: [], folds: [], missing: [], relays: [], complete: false }
  for (const scope of ['total', 'own', 'full'] as const) {
    const view = viewOf(empty, { scope, aliases })
    if (view !== undefined) packTrace(view, { maxBytes: 6144, form: 'piece' })
  }
  const part = marked.chain((root) =>
    fc.tuple(fc.constant(root.id), fc.subarray(traceOf(root).entries as Entry[])),
  )
  fc.assert(
    fc.property(part, fc.constantFrom('total', 'own', 'full'), ([call, entries], scope) => {
      const view = viewOf({ ...empty, id: TRACE, entries }, { scope, aliases, call })
      if (view !== undefined) packTrace(view, { maxBytes: 6144, form: 'block' })
      if (scope !== 'full') assert.doesNotMatch(leaked(view), /secret|7654321/)
    }),
    { numRuns: 1000 },
  )
})
