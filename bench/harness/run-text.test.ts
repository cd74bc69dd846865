import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runText } from './run-text.ts'

test('a run is told with its machine, and one of a thing as one', () => {
  const machine = {
    ...{ processor: 'Some', cores: 1, memoryGb: 4, system: 'Linux 6', node: 'v24.1.0' },
    clew: '0.1.0',
  }
  const run = { startedAt: '2026-11-26T08:00:00.000Z', seconds: 42.4, rounds: 1, machine }
  const on = 'Node 24.1.0, Clew 0.1.0, Some, 1 core, 4 GB, Linux 6.'
  assert.equal(runText(run), `Run on 2026-11-26 in 42 seconds: 1 round, ${on}`)
  const longer = { ...run, seconds: 186, rounds: 12, otherWork: { before: 0.014, after: 0.5 } }
  assert.equal(
    runText(longer, ['delivery `fast`']),
    `Run on 2026-11-26 in 3.1 minutes: 12 rounds, delivery \`fast\`, ${on} Other work kept 1 % of the cores busy just before the run and 50 % just after it.`,
  )
  assert.match(
    runText({ ...run, otherWork: { before: 0 } }),
    / kept 0 % of the cores busy just before\.$/,
  )
})
