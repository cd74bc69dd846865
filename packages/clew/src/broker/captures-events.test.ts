import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { type FrameSink, writePublish } from './amqp-frames.ts'
import { headers } from './contract/fixtures.ts'
import { decodeArrival, encodePublication } from './publication-wire.ts'

interface Captured {
  readonly args: { readonly exchange: string; readonly routing_key: string }
  readonly method_payload_hex: string
  readonly header_payload_hex: string
  readonly body_hex: string
  readonly properties: {
    readonly headers: Readonly<Record<string, { readonly A: readonly { readonly S: string }[] }>>
  }
}

// From dist/broker or src/broker: JSON is not compiled.
const file = new URL('../../src/broker/fixtures/nameko-captures.json', import.meta.url)
const captures = JSON.parse(readFileSync(file, 'utf8'))

const tell = (problem: { readonly message: string }) => assert.fail(problem.message)

/** The frame payloads that publishing writes, as hex. */
function framesOf(message: Parameters<typeof writePublish>[2]): readonly string[] {
  const written = Buffer.alloc(64 * 1024)
  const sink: FrameSink = { end: 0, reserve: () => written, pass: () => assert.fail('large') }
  writePublish(sink, 1, message, false, 131_072)
  const payloads: string[] = []
  for (let at = 0; at < sink.end; ) {
    const size = written.readUInt32BE(at + 3)
    payloads.push(written.toString('hex', at + 7, at + 7 + size))
    at += size + 8
  }
  return payloads
}

describe('Nameko captures: events', () => {
  for (const name of ['event_from_service_worker', 'event_from_standalone_dispatcher']) {
    const captured = captures[name] as Captured
    const { exchange, routing_key: routingKey } = captured.args
    const payload = JSON.parse(Buffer.from(captured.body_hex, 'hex').toString())
    const stack = captured.properties.headers['nameko.call_id_stack']?.A.map(({ S }) => S)
    const context = headers(stack === undefined ? {} : { call_id_stack: stack })
    const message = encodePublication(
      { exchange: { name: exchange, type: 'topic' }, routingKey, payload, context, timeoutMs: 1 },
      true,
    )

    it(`writes the frames of an ${name.replaceAll('_', ' ')}`, () => {
      const [method, header, body] = framesOf(message)
      assert.equal(method, captured.method_payload_hex)
      // All but the body's size: Python puts spaces into JSON, and escapes what is not ASCII.
      const properties = (text: string) => text.slice(0, 8) + text.slice(24)
      assert.equal(properties(header!), properties(captured.header_payload_hex))
      assert.equal(header!.slice(24, 28), 'f800')
      assert.deepEqual(JSON.parse(Buffer.from(body!, 'hex').toString()), payload)
    })

    it(`reads an ${name.replaceAll('_', ' ')}`, () => {
      const body = Buffer.from(captured.body_hex, 'hex')
      assert.deepEqual(decodeArrival({ ...message, body }, tell), {
        exchange,
        routingKey,
        payload,
        unreadable: undefined,
        context,
        headers: headers(),
        correlationId: '',
        redelivered: false,
        attempt: 1,
      })
    })
  }
})
