import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aligned } from './aligned.ts'

test('columns are as wide as their cells, on the side that the table says', () => {
  const table = ['| | calls/s |', '|---|---:|', '| off | 1 |', '| every call | 20,000 |']
  const wanted = [
    ...['|            | calls/s |', '| ---------- | ------: |'],
    ...['| off        |       1 |', '| every call |  20,000 |'],
  ]
  const around = (lines: readonly string[]) => ['# Title', '', ...lines, '', 'the end'].join('\n')
  assert.equal(aligned(around(table)), around(wanted))
  assert.equal(aligned(around(wanted)), around(wanted))
  assert.equal(aligned('no table'), 'no table')
})
