import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ErrorRegistry, errorFromWire, errorToWire, RemoteError, RpcError } from '../call/index.ts'
import { call, failure, headers, ok } from './contract/fixtures.ts'
import { RAW_MESSAGE } from './contract/raw-peer.ts'
import { decodeReply, decodeRequest, encodeReply, encodeRequest, identityOf } from './wire.ts'

const errors = new ErrorRegistry()
const silent = () => {}
const ADDRESS = { replyTo: 'key', correlationId: 'id' }

function replyTo(sent: ReturnType<typeof call>, reply: ReturnType<typeof ok>) {
  return encodeReply(reply, sent, ADDRESS, { errors, persistent: true }, silent)
}

describe('requests', () => {
  it('carry the deadline twice when there is one, and not at all when there is none', () => {
    const bounded = encodeRequest(call({ service: 's', timeoutMs: 1.2 }), 'key', true)
    assert.equal(bounded.expiration, '2')
    assert.equal(decodeRequest(bounded, 's', silent).timeoutMs, 2)
    const endless = call({ service: 's', timeoutMs: Number.POSITIVE_INFINITY })
    const unbounded = encodeRequest(endless, 'key', true)
    assert.equal(unbounded.expiration, '')
    assert.equal(unbounded.headers?.length, 0)
    const longest = encodeRequest(call({ service: 's', timeoutMs: 1e300 }), 'key', true)
    assert.equal(longest.expiration, '2147483647')
  })

  it('differ between deliveries only in their mode', () => {
    const sent = call({ service: 's' })
    const durable = encodeRequest(sent, 'key', true)
    assert.deepEqual(encodeRequest(sent, 'key', false), { ...durable, deliveryMode: 1 })
    assert.equal(durable.deliveryMode, 2)
  })

  it('refuse names and ids that no short string holds', () => {
    for (const sent of [
      call({ service: 's'.repeat(300) }),
      call({ service: 's', method: 'é'.repeat(128) }),
      call({ service: 's', id: 'i'.repeat(256) }),
    ]) {
      assert.throws(
        () => encodeRequest(sent, 'key', true),
        (error: unknown) => error instanceof RpcError && error.code === 'unserializable',
      )
    }
    encodeRequest(call({ service: 's', method: 'é'.repeat(126) }), 'key', true)
  })

  it('know attachable callers by their reply key', () => {
    const sent = call({ service: 's' })
    const plain = decodeRequest(encodeRequest(sent, 'uuid', true), 's', silent)
    const able = decodeRequest(encodeRequest(sent, 'clew1-uuid', true), 's', silent)
    assert.deepEqual([plain.attachable, able.attachable], [false, true])
  })

  it('are calls, rejected ones at worst, whatever the bytes', () => {
    const bytes = fc.uint8Array({ maxLength: 100 }).map((octets) => Buffer.from(octets))
    fc.assert(
      fc.property(bytes, bytes, fc.string(), (table, body, routingKey) => {
        const message = { ...RAW_MESSAGE, headers: table, body, routingKey }
        const decoded = decodeRequest(message, 's', silent)
        assert.ok(decoded.rejected instanceof RpcError || Array.isArray(decoded.args))
        const reply = decodeReply(message, identityOf(decoded), errors, silent)
        assert.ok(reply.error instanceof Error || 'result' in reply)
      }),
      { numRuns: 3000 },
    )
  })
})

describe('replies', () => {
  it('drop the attachment for callers that cannot read it', () => {
    const attachment = new Uint8Array([1])
    const plain = replyTo(call({ service: 's' }), ok(1, attachment))
    assert.equal(plain.body.toString(), '{"result":1,"error":null}')
    assert.equal(plain.contentEncoding, 'utf-8')
    const able = call({ service: 's', attachable: true })
    const framed = replyTo(able, ok(1, attachment))
    assert.equal(framed.contentEncoding, 'clew')
    assert.equal(framed.contentType, 'application/json')
    assert.equal(replyTo(able, ok(1)).contentEncoding, 'utf-8')
  })

  it('carry whether the callee expected its error', () => {
    const sent = call({ service: 's' })
    const reply = { ...failure(new Error('x')), expected: true }
    const encoded = encodeReply(reply, sent, ADDRESS, { errors, persistent: true }, silent)
    const { error } = decodeReply(encoded, identityOf(sent), errors, silent)
    assert.ok(error instanceof RemoteError && error.expected)
  })

  it('survive errors that cannot be read or serialised', () => {
    const sent = call({ service: 's' })
    const hostile = new Error('x')
    Object.defineProperty(hostile, 'message', {
      get: () => {
        throw new Error('no')
      },
    })
    const odd = Object.assign(new Error('odd'), {
      args: [Number.NaN, 5n, () => {}, [[]], new Map()],
    })
    const cyclic = Object.assign(new Error('cyclic'), { args: [] as unknown[] })
    cyclic.args.push(cyclic.args)
    for (const error of [hostile, odd, cyclic]) {
      const decoded = decodeReply(replyTo(sent, failure(error)), identityOf(sent), errors, silent)
      assert.ok(decoded.error instanceof RemoteError)
      assert.equal(decoded.error.remotePath, 's.Error')
    }
  })
})

describe('errors', () => {
  class Base extends Error {}
  class Special extends Base {}
  const registry = new ErrorRegistry({ 'a.Base': Base })
  const identity = { service: 's', method: 'm', callId: 'id' }

  it('leave under the path of their class or of the nearest registered ancestor', () => {
    const wire = errorToWire(new Special('x'), identity, registry, false)
    assert.deepEqual(wire, { exc_type: 'Base', exc_path: 'a.Base', exc_args: ['x'], value: 'x' })
    const unknown = errorToWire(new TypeError('x'), identity, registry, false)
    assert.equal(unknown.exc_path, 's.TypeError')
    const named = Object.assign(new Error('x'), { name: 'AbortError' })
    assert.equal(errorToWire(named, identity, registry, false).exc_path, 's.AbortError')
  })

  it('are RemoteErrors or better, whatever the wire says', () => {
    fc.assert(
      fc.property(fc.anything(), (wire) => {
        assert.ok(errorFromWire(wire, identity, registry) instanceof Error)
      }),
    )
  })

  it('of calls below this one are not taken for its own', () => {
    const codes = ['timeout', 'unknown_service', 'disconnected', 'bad_arguments'] as const
    for (const code of codes) {
      const below = new RpcError(code, 'x', { ...identity, callId: 'other' })
      const wire = errorToWire(below, identity, registry, false)
      assert.match(wire.exc_path, /^clew\.errors\.[A-Z]/)
      const error = errorFromWire(wire, identity, registry)
      assert.ok(error instanceof RemoteError)
      assert.equal(error.message, `[${code}] x`)
    }
  })
})

describe('context', () => {
  it('sends a header instead of the context item of its name', () => {
    const sent = call({
      service: 's',
      timeoutMs: Number.POSITIVE_INFINITY,
      context: headers({ traceparent: 'old', b: 'from context', c: 'kept' }),
      headers: headers({ traceparent: 'new', 'nameko.b': 'from header' }),
    })
    const received = decodeRequest(encodeRequest(sent, 'key', true), 's', silent)
    assert.deepEqual({ ...received.headers }, { traceparent: 'new' })
    assert.deepEqual({ ...received.context }, { traceparent: 'new', b: 'from header', c: 'kept' })
  })

  it('hands no grant on, whether its caller showed it or handed it on', () => {
    const shown = headers({
      'clew-grant': 'a.b.c',
      'nameko.clew-grant': 'd.e.f',
      'nameko.user': 'x',
    })
    const sent = call({ service: 's', timeoutMs: 1000, context: headers({}), headers: shown })
    const received = decodeRequest(encodeRequest(sent, 'key', true), 's', silent)
    assert.equal(received.headers['clew-grant'], 'a.b.c')
    assert.deepEqual({ ...received.context }, { user: 'x' })
  })
})
