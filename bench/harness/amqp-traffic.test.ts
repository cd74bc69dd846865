import assert from 'node:assert/strict'
import { type AddressInfo, createServer, connect as tcpConnect } from 'node:net'
import { describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import fc from 'fast-check'
import { DELIVER, FrameCounter, PUBLISH, since, together } from './amqp-traffic.ts'
import { CountingProxy } from './counting-proxy.ts'

const GREETING = Buffer.from('AMQP\0\0\x09\x01', 'latin1')

function frame(type: number, payload: readonly number[]): Buffer {
  const head = Buffer.from([type, 0, 1, 0, 0, 0, 0])
  head.writeUInt32BE(payload.length, 3)
  return Buffer.concat([head, Buffer.from(payload), Buffer.from([0xce])])
}

const publish = frame(1, [0, 60, 0, 40, 0, 0, 1, 65, 1, 66, 0])
const deliver = frame(1, [0, 60, 0, 60, 1, 65])
const header = frame(
  2,
  Array.from({ length: 14 }, () => 0),
)
const body = frame(3, [1])
const empty = frame(3, [])
const heartbeat = frame(8, [])

const sent = Buffer.concat([publish, header, body, heartbeat, empty, deliver, heartbeat, deliver])
const expected = {
  frames: 6,
  bytes: publish.length + header.length + body.length + empty.length + 2 * deliver.length,
  methods: { [PUBLISH]: 1, [DELIVER]: 2 },
}

describe('traffic', () => {
  it('is counted the same however it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 12 })), fc.boolean(), (sizes, greeted) => {
        const counter = new FrameCounter(greeted)
        let rest = greeted ? Buffer.concat([GREETING, sent]) : sent
        for (const size of sizes) {
          counter.take(rest.subarray(0, size))
          rest = rest.subarray(size)
        }
        counter.take(rest)
        assert.deepEqual(counter.traffic, expected)
      }),
    )
  })

  it('adds up, and is told since an earlier look', () => {
    const twice = together(expected, expected)
    assert.deepEqual(twice.methods, { [PUBLISH]: 2, [DELIVER]: 4 })
    assert.deepEqual(since(twice, expected), expected)
  })

  it('passes a proxy unchanged, in both directions', async (context) => {
    const arrived: Buffer[] = []
    const upstream = createServer((socket) => {
      socket.on('data', (chunk) => arrived.push(chunk))
      socket.write(sent)
    })
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
    context.after(() => upstream.close())
    const { port } = upstream.address() as AddressInfo
    await using proxy = await CountingProxy.open(`amqp://127.0.0.1:${port}`)
    const client = tcpConnect(Number(new URL(proxy.url).port), '127.0.0.1')
    const answered: Buffer[] = []
    client.on('data', (chunk) => answered.push(chunk))
    client.write(GREETING)
    client.write(sent)
    const seen = () => [Buffer.concat(arrived), Buffer.concat(answered)]
    for (let look = 0; look < 1_000 && seen().some((b) => b.length < sent.length); look++) {
      await setTimeout(5)
    }
    await proxy.quiet()
    assert.deepEqual(seen(), [Buffer.concat([GREETING, sent]), sent])
    assert.deepEqual(proxy.traffic, together(expected, expected))
  })
})
