import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readOptions as figures } from './figures/options.ts'
import { readOptions as micro } from './micro/options.ts'
import { readOptions as overhead } from './overhead/options.ts'
import { readOptions as peers } from './peers/options.ts'
import { SUITES } from './suites.ts'

test('every suite takes the options that keep it short, and writes nothing', () => {
  const readers = { figures, micro, overhead, peers }
  assert.deepEqual(Object.keys(SUITES).toSorted(), Object.keys(readers))
  for (const [suite, options] of Object.entries(SUITES)) {
    const { write } = readers[suite as keyof typeof SUITES](options)
    assert.equal(write, false, suite)
  }
})
