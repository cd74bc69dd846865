import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Arrival, newHalfId, type Settlement } from '../call/index.ts'
import { direct } from './contract/line.ts'
import { collect } from './contract/publishing.ts'
import { rawPeer } from './contract/raw-peer.ts'
import { encodeTable } from './field-table.ts'
import { readAddress } from './rabbit-address.ts'
import { openTransport } from './rabbitmq.ts'

const url = process.env.CLEW_AMQP_URL
const skip = url === undefined && 'needs RabbitMQ: set CLEW_AMQP_URL, or run `npm test`'
const SILENT = { returned() {}, down() {}, restored() {}, blocked() {}, problem() {} }

/** Bytes of a header's value with which a message can just be sent: what a retry adds is too much. */
const FULL = 127_900

for (const settle of ['retry', 'dead'] as const) {
  test(`a message whose headers leave no room dies once, on ${settle}`, { skip }, async (t) => {
    const connection = await direct(t)
    await using raw = rawPeer(await openTransport(readAddress(url!, 10, 'raw peer'), {}, SILENT))
    const queue = { name: `test-${newHalfId()}`, arguments: { 'x-expires': 60_000 } }
    const taken: Arrival[] = []
    await connection.consume({ queue, prefetch: 1, retry: { backoffMs: 1 } }, async (arrival) => {
      taken.push(arrival)
      return arrival.payload === 'neighbour' ? 'done' : ({ settle, reason: 'why' } as Settlement)
    })
    const size = Buffer.alloc(4)
    size.writeUInt32BE(FULL)
    const large = Buffer.concat([
      Buffer.from('\x05largeS', 'latin1'),
      size,
      Buffer.alloc(FULL, 'x'),
    ])
    const headers = Buffer.concat([encodeTable({ small: 'kept' }), large])
    const address = { exchange: '', routingKey: queue.name }
    raw.send({ ...address, body: Buffer.from('"poison"'), headers })
    raw.send({ ...address, body: Buffer.from('"neighbour"') })
    const dead = await collect(connection, { name: `dead-${queue.name}` })
    const [arrival] = await dead.until(1)
    const { small, large: lost, 'clew-reason': reason } = arrival!.headers
    assert.deepEqual([arrival!.payload, small, lost], ['poison', 'kept', undefined])
    assert.match(String(reason), settle === 'dead' ? /^why$/ : /^why; its headers leave no room/)
    while (taken.length < 2) await new Promise((resolve) => setTimeout(resolve, 10))
    assert.deepEqual(
      taken.map(({ payload }) => payload),
      ['poison', 'neighbour'],
    )
  })
}
