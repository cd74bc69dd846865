import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { FIELDS, formatFilter, parseFilter } from '../filter/index.ts'

const path = new URL('../../../../docs/filters.md', import.meta.url)

test('every filter in the documentation can be read, and every field is in it', async () => {
  const text = await readFile(path, 'utf8')
  const [, examples] = /```filter\n([\s\S]*?)```/u.exec(text)!
  const filters = examples!.trim().split('\n')
  assert.ok(filters.length > 5)
  for (const filter of filters) {
    const read = parseFilter(filter)
    assert.deepEqual(parseFilter(formatFilter(read)), read)
  }
  for (const [, example] of text.matchAll(/`(-?@?[\w.-]+:(?:"|[>\w])[^`]*)`/gu)) {
    if (!/^-?field:|\ba,b\b/u.test(example!)) parseFilter(example!)
  }
  const table = text.split('\n').filter((line) => line.startsWith('| `'))
  for (const field of Object.keys(FIELDS)) {
    if (field === 'name' || field === 'attribute') continue
    const told = table.find((line) => line.split('|')[1]!.includes(`\`${field}\``))
    assert.ok(told?.includes(`| ${FIELDS[field as keyof typeof FIELDS].of} |`), field)
  }
})
