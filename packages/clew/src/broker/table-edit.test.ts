import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Headers, HeaderValue } from '../call/index.ts'
import { encodeTable, TableReader } from './field-table.ts'
import { editTable } from './table-edit.ts'

function readAll(table: Buffer): Record<string, HeaderValue> {
  const entries: Record<string, HeaderValue> = {}
  const reader = new TableReader(table)
  while (reader.next()) entries[(reader.prefixed ? 'nameko.' : '') + reader.key] = reader.value
  return entries
}

const keepAll = () => false

describe('edited header tables', () => {
  it('keep the bytes of every field type, and lose what is dropped', () => {
    const entry = (name: string, value: string) =>
      Buffer.from(`${String.fromCharCode(name.length)}${name}${value}`, 'latin1')
    const kept = [
      entry('python', 'L\0\0\0\x01\0\0\0\0'),
      entry('short', 's\x01\x2c'),
      entry('decimal', 'D\x02\0\0\0\x07'),
      entry('none', 'V'),
      entry('bytes', 'x\0\0\0\x02\xff\0'),
      entry('table', 'F\0\0\0\x03\x01aV'),
    ]
    const table = Buffer.concat([kept[0]!, entry('gone', 'tx'), ...kept.slice(1)])
    const edited = editTable(table, (name) => name === 'gone', {})
    assert.deepEqual(edited, Buffer.concat(kept))
    assert.deepEqual(editTable(undefined, keepAll, {}), Buffer.alloc(0))
  })

  it('have what is added in the place of what had its name', () => {
    const value = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null))
    const tables = fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), value)
    fc.assert(
      fc.property(tables, tables, fc.string(), (before, add, dropped) => {
        const edited = editTable(
          encodeTable(before as Headers),
          (name) => name === dropped,
          add as Headers,
        )
        const { [dropped]: _, ...kept } = before
        assert.deepEqual(readAll(edited), { ...kept, ...add })
      }),
    )
  })

  it('end where they cannot be read, and never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const edited = editTable(Buffer.from(bytes), keepAll, { ours: 1 })
        assert.deepEqual(edited.subarray(-10), encodeTable({ ours: 1 }))
      }),
    )
  })
})
