import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Assembly } from '../trace/blocks.ts'
import { callTree } from '../trace/index.ts'
import type { CallRecord } from '../trace/records.ts'
import { Post } from './post.ts'
import { WorkerLog } from './worker-log.ts'

const OWNER = {
  ...{ traceId: 'ab'.repeat(16), callId: 'cd'.repeat(8), service: 'orders', method: 'list' },
  ...{ host: 'h', pid: 1 },
}
const T = 1_795_386_521_833_470
const BUDGET = 16 * 1024

/** One of three statements, and every thousandth time one that fails. */
function operation(seq: number): CallRecord {
  const failed = seq % 1_000 === 999
  return {
    ...{ id: seq.toString(16).padStart(16, '0'), service: 'orders.db', edge: 'down', attempt: 1 },
    ...{ method: `SELECT * FROM orders WHERE ${'abc'[seq % 3]} = $1`, seq },
    ...{ requestUs: T + seq * 100, finishUs: T + seq * 100 + 90 },
    ...(failed ? { status: 'error', error: 'Gone' } : { status: 'ok', error: undefined }),
  }
}

test('ten thousand operations fit into the budget where no inbox can be reached, and are counted', () => {
  // Without a mailbox no inbox is reachable.
  const carrier = { host: OWNER.host, pid: OWNER.pid, budget: BUDGET, post: new Post() }
  const belonging = { traceId: OWNER.traceId, flags: '01', state: undefined, parentId: null }
  const log = new WorkerLog(OWNER.callId, OWNER, belonging, 0, T, carrier)
  for (let seq = 0; seq < 10_000; seq++) {
    const record = operation(seq)
    log.begin(record).leave()
    log.end(record, undefined)
  }
  const own = { receiveUs: T, respondUs: T + 1_000_100, status: 'ok', inFlight: 1 } as const
  const block = log.close({ ...own, redelivered: false, calls: log.calls })
  assert.ok(block.length <= BUDGET, `${block.length} bytes`)
  const root: CallRecord = {
    ...{ id: OWNER.callId, service: 'orders', method: 'list', edge: 'call', seq: 0, attempt: 1 },
    ...{ requestUs: T - 10, finishUs: T + 1_000_200, status: 'ok', error: undefined },
  }
  const assembly = new Assembly(OWNER.traceId)
  assembly.addRoot(root, { host: 'h', pid: 1 }, block)
  const tree = callTree(assembly.finish())
  assert.equal(tree.calls + tree.missingCalls, 10_001)
  assert.equal(tree.root.missingCalls, 0, 'merged, not cut')
  assert.deepEqual(
    tree.root.folds.map(({ edge }) => edge),
    ['down', 'down', 'down'],
  )
  const failed = tree.root.calls.filter(({ status }) => status === 'error')
  assert.equal(failed.length, 10)
})
