import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encodeTable, TableReader } from './field-table.ts'
import { FrameReader } from './frame-reader.ts'
import { loginRefusal, withLogin } from './login.ts'

const user = { username: 'ann', password: 'sécret' }

/** A method frame of channel 0. */
function frame(method: number, ...payload: readonly Buffer[]): Buffer {
  const body = Buffer.concat(payload)
  const head = Buffer.alloc(11)
  head[0] = 1
  head.writeUInt32BE(4 + body.length, 3)
  head.writeUInt32BE(method, 7)
  return Buffer.concat([head, body, Buffer.from([0xce])])
}

function long(bytes: Buffer): Buffer {
  const size = Buffer.alloc(4)
  size.writeUInt32BE(bytes.length)
  return Buffer.concat([size, bytes])
}

const table = long(encodeTable({ product: 'test', capabilities: { a: true } }))
const startOk = frame(
  0x000a_000b,
  ...[table, Buffer.from('\x05PLAIN'), long(Buffer.from('\0ann\0secret')), Buffer.from([0])],
)

describe('logins', () => {
  it('are left as they are for PLAIN, as is every other frame', () => {
    assert.equal(withLogin(startOk, 'PLAIN', user), startOk)
    const other = frame(0x000a_001f, Buffer.alloc(20))
    assert.equal(withLogin(other, 'AMQPLAIN', user), other)
  })

  it('are written for the other methods', () => {
    for (const method of ['AMQPLAIN', 'EXTERNAL'] as const) {
      const written = Buffer.from(withLogin(startOk, method, user))
      assert.equal(written.readUInt32BE(3), written.length - 8)
      assert.equal(written.at(-1), 0xce)
      const reader = new FrameReader().over(written, 11, written.length - 1)
      assert.deepEqual(long(reader.table()), table)
      assert.equal(reader.short(), method)
      const response = reader.table()
      assert.equal(reader.short(), '')
      assert.throws(() => reader.octet(), RangeError, 'nothing follows')
      const entries: Record<string, unknown> = {}
      const answers = new TableReader(response)
      while (answers.next()) entries[answers.key] = answers.value
      const expected = method === 'AMQPLAIN' ? { LOGIN: 'ann', PASSWORD: 'sécret' } : {}
      assert.deepEqual(entries, expected)
    }
  })

  it('are refused here where the broker does not offer them', () => {
    const start = frame(
      0x000a_000a,
      Buffer.from([0, 9]),
      table,
      long(Buffer.from('PLAIN AMQPLAIN')),
    )
    assert.equal(loginRefusal(start, 'AMQPLAIN'), undefined)
    assert.match(loginRefusal(start, 'EXTERNAL') ?? '', /only by PLAIN AMQPLAIN/)
    assert.equal(loginRefusal(startOk, 'EXTERNAL'), undefined)
  })
})
