import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import {
  type Call,
  ErrorRegistry,
  type HeaderValue,
  RemoteError,
  type Reply,
  RpcError,
} from '../call/index.ts'
import { type FrameSink, writePublish } from './amqp-frames.ts'
import { failure, headers, ok } from './contract/fixtures.ts'
import { encodeTable, TableReader } from './field-table.ts'
import { FrameReader, readProperties } from './frame-reader.ts'
import type { Message } from './message.ts'
import { decodeReply, decodeRequest, encodeReply, encodeRequest, identityOf } from './wire.ts'

interface Captured {
  readonly args: { readonly exchange: string; readonly routing_key: string }
  readonly method_payload_hex: string
  readonly header_payload_hex: string
  readonly body_hex: string
  readonly properties: { readonly headers?: Record<string, Tagged> }
}

/** A header value with its AMQP field type: `{ "I": 42 }`. */
type Tagged = Readonly<Record<string, unknown>>

interface Exchanged {
  readonly request: Captured
  readonly reply: Captured
}

// From dist/broker or src/broker: JSON is not compiled.
const file = new URL('../../src/broker/fixtures/nameko-captures.json', import.meta.url)
const captures = JSON.parse(readFileSync(file, 'utf8'))

const tell = (problem: { readonly message: string }) => assert.fail(problem.message)
const NO_ERRORS = new ErrorRegistry()

function messageOf(captured: Captured): Message {
  const frame = Buffer.from(captured.header_payload_hex, 'hex')
  return {
    exchange: captured.args.exchange,
    routingKey: captured.args.routing_key,
    redelivered: false,
    ...readProperties(new FrameReader().over(frame, 12, frame.length)),
    body: Buffer.from(captured.body_hex, 'hex'),
  }
}

/** The frame payloads that publishing the message writes. */
function framesOf(message: Message, mandatory: boolean) {
  const written = Buffer.alloc(64 * 1024)
  const sink: FrameSink = {
    end: 0,
    reserve: () => written,
    pass: () => assert.fail('nothing is so large here'),
  }
  writePublish(sink, 1, message, mandatory, 131_072)
  const payloads: string[] = []
  for (let at = 0; at < sink.end; ) {
    const size = written.readUInt32BE(at + 3)
    payloads.push(written.toString('hex', at + 7, at + 7 + size))
    at += size + 8
  }
  return payloads
}

/** Class, weight and the properties; the body's size differs, as Python puts spaces into JSON. */
function withoutSize(headerPayload: string): string {
  return headerPayload.slice(0, 8) + headerPayload.slice(24)
}

/** Our frames must be Nameko's, byte for byte, and the bodies must mean the same. */
function assertSameFrames(message: Message, captured: Captured, mandatory: boolean): void {
  const [method, header, body] = framesOf(message, mandatory)
  assert.equal(method, captured.method_payload_hex)
  assert.equal(withoutSize(header!), withoutSize(captured.header_payload_hex))
  assert.deepEqual(
    JSON.parse(Buffer.from(body!, 'hex').toString()),
    JSON.parse(Buffer.from(captured.body_hex, 'hex').toString()),
  )
}

function plain(tagged: Tagged): unknown {
  const [[tag, value]] = Object.entries(tagged) as [[string, unknown]]
  if (tag === 'A') return (value as Tagged[]).map(plain)
  if (tag === 'F') {
    const table = Object.entries(value as Record<string, Tagged>)
    return headers(Object.fromEntries(table.map(([key, item]) => [key, plain(item)])) as never)
  }
  return value
}

const EXCHANGES: Record<string, Exchanged> = {
  'successful call': captures.successful_call_with_context_headers,
  'outer call': captures.nested_call.outer,
  'inner call': captures.nested_call.inner,
  'custom exception': captures.failing_call_custom_exception,
  'builtin exception': captures.failing_call_builtin_exception,
  'unserializable result': captures.unserializable_result,
  'method not found': captures.method_not_found,
  'first wrong signature': captures.incorrect_signature[0],
  'second wrong signature': captures.incorrect_signature[1],
  'third wrong signature': captures.incorrect_signature[2],
  'malformed request': captures.malformed_request,
  'Nameko 3': captures.nameko3_rc.successful_call,
}

function serviceOf(captured: Captured): string {
  return captured.args.routing_key.split('.')[0]!
}

describe('Nameko captures: requests', () => {
  for (const [name, { request }] of Object.entries(EXCHANGES)) {
    it(`decodes the request of a ${name}`, () => {
      const decoded = decodeRequest(messageOf(request), serviceOf(request), () => {})
      const body = JSON.parse(Buffer.from(request.body_hex, 'hex').toString())
      assert.equal(`${decoded.service}.${decoded.method}`, request.args.routing_key)
      if (name === 'malformed request') {
        assert.equal(decoded.rejected?.rawMessage, 'Message missing `args` or `kwargs`')
        return
      }
      assert.deepEqual(decoded.args, body.args)
      assert.deepEqual({ ...decoded.kwargs }, body.kwargs)
      const context = Object.entries(request.properties.headers!).map(([key, value]) => [
        key.replace(/^nameko\./, ''),
        plain(value),
      ])
      assert.deepEqual({ ...decoded.context }, Object.fromEntries(context))
    })

    if (name === 'malformed request') continue
    it(`encodes the request of a ${name} to the same bytes`, () => {
      const original = messageOf(request)
      const decoded = decodeRequest(original, serviceOf(request), tell)
      const again = encodeRequest({ ...decoded, headers: headers() }, original.replyTo, true)
      // Python tags int64 as L, which few peers can read; l means the same.
      const table = again.headers?.toString('latin1').replace('bigl\0', 'bigL\0')
      const headersAgain = Buffer.from(table!, 'latin1')
      assertSameFrames({ ...again, headers: headersAgain }, request, true)
    })
  }
})

class AppError extends Error {
  readonly args: readonly unknown[]
  constructor(message: string, args: readonly unknown[]) {
    super(message)
    this.args = args
  }
}

const refusal =
  (code: 'method_not_found' | 'bad_arguments' | 'malformed_request') =>
  (request: Call, value: string) =>
    failure(new RpcError(code, value, identityOf(request)))

/** What a Clew method would have to return or throw for each captured reply. */
const REPLIES: Record<string, (request: Call, value: string) => Reply> = {
  'successful call': () => ok('Hi, world!'),
  'outer call': () => ok('deep'),
  'inner call': () => ok('deep'),
  'custom exception': (_, value) =>
    failure(new AppError(value, ['bad thing', 7, { k: [1, 2] }, 3.5, null, Buffer.from('abc')])),
  'builtin exception': () =>
    failure(
      new RemoteError({
        name: 'ValueError',
        path: 'builtins.ValueError',
        args: ['nope'],
        message: 'nope',
      }),
    ),
  'unserializable result': (request, value) =>
    failure(new RpcError('unserializable', value, identityOf(request))),
  'method not found': refusal('method_not_found'),
  'first wrong signature': refusal('bad_arguments'),
  'second wrong signature': refusal('bad_arguments'),
  'third wrong signature': refusal('bad_arguments'),
  'malformed request': refusal('malformed_request'),
  'Nameko 3': () => ok('Hi, world!'),
}

describe('Nameko captures: replies', () => {
  for (const [name, { request, reply }] of Object.entries(EXCHANGES)) {
    const body = JSON.parse(Buffer.from(reply.body_hex, 'hex').toString())
    const received = decodeRequest(messageOf(request), serviceOf(request), () => {})

    it(`encodes the reply of a ${name} to the same bytes`, () => {
      const made = REPLIES[name]!(received, body.error?.value)
      const errors = new ErrorRegistry({ 'cap_service.AppError': AppError })
      const { replyTo, correlationId } = messageOf(request)
      const address = { replyTo, correlationId }
      const encoded = encodeReply(made, received, address, { errors, persistent: true }, tell)
      assertSameFrames(encoded, reply, false)
    })

    it(`decodes the reply of a ${name}`, () => {
      const decoded = decodeReply(messageOf(reply), identityOf(received), NO_ERRORS, tell)
      assert.equal(decoded.attachment, undefined)
      if (body.error === null) {
        assert.deepEqual([decoded.result, decoded.error], [body.result, undefined])
      } else if (decoded.error instanceof RemoteError) {
        const { remoteName, remotePath, remoteArgs, message } = decoded.error
        const { exc_type, exc_path, exc_args, value } = body.error
        assert.deepEqual(
          [remoteName, remotePath, remoteArgs, message],
          [exc_type, exc_path, exc_args, value],
        )
      } else {
        assert.ok(decoded.error instanceof RpcError)
        assert.match(decoded.error.message, new RegExp(body.error.value.replace(/[(){}?*]/g, '.')))
      }
    })
  }
})

describe('Nameko captures: everything else', () => {
  it('reads and writes the properties of every captured message', () => {
    let messages = 0
    visit(captures, (captured) => {
      messages++
      const message = messageOf(captured)
      const table = message.headers === undefined ? undefined : readAll(message.headers)
      const expected = Object.entries(captured.properties.headers ?? {})
      assert.deepEqual({ ...table }, Object.fromEntries(expected.map(([k, v]) => [k, plain(v)])))
      const [, header] = framesOf(message, false)
      assert.equal(header, captured.header_payload_hex)
    })
    assert.ok(messages > 25, `${messages} messages`)
  })

  it('returns what was returned', () => {
    const { basic_return: returned } = captures.unknown_service
    const message = messageOf(returned)
    assert.equal(message.routingKey, 'nosuch_service.hello')
    assert.notEqual(message.replyTo, '')
  })
})

function visit(value: unknown, found: (captured: Captured) => void): void {
  if (value === null || typeof value !== 'object') return
  if ('header_payload_hex' in value) found(value as Captured)
  else for (const item of Object.values(value)) visit(item, found)
}

function readAll(table: Buffer): Record<string, HeaderValue> {
  const entries: Record<string, HeaderValue> = {}
  const reader = new TableReader(table)
  while (reader.next()) entries[(reader.prefixed ? 'nameko.' : '') + reader.key] = reader.value
  assert.deepEqual(encodeTable(headers(entries)).length, table.length)
  return entries
}
