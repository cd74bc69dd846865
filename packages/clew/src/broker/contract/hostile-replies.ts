import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import fc from 'fast-check'
import { type Connection, RemoteError, RpcError, type Stray } from '../../call/index.ts'
import type { Message } from '../message.ts'
import { type Connect, call, serviceName } from './fixtures.ts'
import type { RawPeer } from './raw-peer.ts'

/** A service played by a raw peer, which answers each call with what `answer` makes of it. */
async function impostor(
  t: TestContext,
  open: () => Promise<RawPeer>,
  answer: (request: Message) => Partial<Message>,
): Promise<string> {
  const peer = await open()
  t.after(() => peer[Symbol.asyncDispose]())
  const service = serviceName()
  await peer.listen(`${service}.*`, (request) => {
    const { replyTo: routingKey, correlationId } = request
    peer.send({ routingKey, correlationId, ...answer(request) })
  })
  return service
}

function failureOf(connection: Connection, service: string) {
  return connection.request(call({ service })).then((reply) => reply.error)
}

export function hostileReplyTests(connect: Connect, open: () => Promise<RawPeer>): void {
  it('settles calls whose reply cannot be read', async (t) => {
    const connection = await connect(t, { attachments: true })
    const bodies = [
      '',
      '{',
      'null',
      '[1]',
      '{}',
      '{"error": null}',
      '{"error": 5}',
      '{"error": []}',
    ]
    let next = 0
    const service = await impostor(t, open, () => ({ body: Buffer.from(bodies[next++]!) }))
    for (const body of bodies) {
      const error = await failureOf(connection, service)
      assert.ok(error instanceof RemoteError, body)
    }
  })

  it('makes errors of malformed errors', async (t) => {
    const connection = await connect(t)
    const errors = [
      [{}, 'Exception', ''],
      [{ exc_type: 5, exc_path: null, exc_args: 'x', value: { a: 1 } }, 'Exception', '{"a":1}'],
      [{ exc_path: 'a.b.C', value: 'v', __proto__: 1 }, 'C', 'v'],
      ['text', 'MalformedReply', undefined],
    ] as const
    let next = 0
    const service = await impostor(t, open, () => ({
      body: Buffer.from(JSON.stringify({ result: null, error: errors[next++]![0] })),
    }))
    for (const [, name, message] of errors) {
      const error = await failureOf(connection, service)
      assert.ok(error instanceof RemoteError)
      assert.equal(error.remoteName, name)
      if (message !== undefined) assert.equal(error.message, message)
    }
  })

  it('falls back to RemoteError when a registered class throws', async (t) => {
    class Picky extends Error {
      constructor(detail: { readonly text: string }) {
        super(detail.text.toUpperCase())
      }
    }
    const connection = await connect(t, { errors: { 'a.Picky': Picky } })
    const error = { exc_type: 'Picky', exc_path: 'a.Picky', exc_args: [], value: 'v' }
    const service = await impostor(t, open, () => ({
      body: Buffer.from(JSON.stringify({ result: null, error })),
    }))
    assert.ok((await failureOf(connection, service)) instanceof RemoteError)
  })

  it('knows the refusals of Nameko', async (t) => {
    const connection = await connect(t)
    const names = [
      'MethodNotFound',
      'IncorrectSignature',
      'MalformedRequest',
      'UnserializableValueError',
    ]
    let next = 0
    const service = await impostor(t, open, () => {
      const name = names[next++]!
      const path = `nameko.exceptions.${name}`
      const error = { exc_type: name, exc_path: path, exc_args: [], value: 'why' }
      return { body: Buffer.from(JSON.stringify({ result: null, error })) }
    })
    const codes: string[] = []
    for (const _ of names) {
      const error = await failureOf(connection, service)
      assert.ok(error instanceof RpcError)
      assert.match(error.message, /why/)
      codes.push(error.code)
    }
    assert.deepEqual(codes, [
      'method_not_found',
      'bad_arguments',
      'malformed_request',
      'unserializable',
    ])
  })

  it('takes a first answer and drops copies and answers to nobody', async (t) => {
    const kinds: string[] = []
    const connection = await connect(t, { onProblem: ({ kind }) => kinds.push(kind) })
    const strays: string[] = []
    const peer = await open()
    t.after(() => peer[Symbol.asyncDispose]())
    const service = serviceName()
    await peer.listen(`${service}.*`, ({ replyTo: routingKey, correlationId }) => {
      for (const result of [1, 2, 3]) {
        const body = Buffer.from(JSON.stringify({ result, error: null }))
        peer.send({ routingKey, correlationId, body })
        peer.send({ routingKey, correlationId: `other-${result}`, body })
      }
    })
    const stray = ({ kind }: Stray) => void strays.push(kind)
    const observer = { replied() {}, failed() {}, stray }
    assert.equal((await connection.request(call({ service, observer }))).result, 1)
    assert.equal((await connection.request(call({ service }))).result, 1)
    assert.deepEqual(strays, ['duplicate', 'duplicate'])
    assert.deepEqual(new Set(kinds), new Set(['stray_reply']))
  })

  it('loses the block, not the reply, when the trailer is damaged', async (t) => {
    const kinds: string[] = []
    const connection = await connect(t, {
      attachments: true,
      onProblem: ({ kind }) => kinds.push(kind),
    })
    const payload = Buffer.from('{"result": 1, "error": null, "x": ["}\\\\\\"}", {}]}')
    const trailers = [
      [],
      [1, 2, 3],
      [0xff, 0xff, 0xff, 0xff, 1, 0x63, 0x6c, 0x65, 0x77],
      [0, 0, 0, payload.length, 99, 0x63, 0x6c, 0x65, 0x77],
      [0, 0, 0, payload.length - 5, 1, 0x63, 0x6c, 0x65, 0x77],
    ]
    let next = 0
    const service = await impostor(t, open, () => ({
      contentEncoding: 'clew',
      body: Buffer.concat([payload, Buffer.from(trailers[next++]!)]),
    }))
    const outcomes: unknown[] = []
    for (const _ of trailers) {
      const reply = await connection.request(call({ service }))
      outcomes.push(reply.error?.name ?? reply.result)
      assert.equal(reply.attachment, undefined)
    }
    assert.deepEqual(outcomes, [1, 1, 1, 1, 1])
    assert.equal(kinds.filter((kind) => kind === 'malformed_attachment').length, 5)
  })

  it('settles every call, whatever bytes come back', async (t) => {
    const connection = await connect(t, { attachments: true })
    let body: Buffer = Buffer.alloc(0)
    let contentEncoding = ''
    let headers: Buffer | undefined
    const service = await impostor(t, open, () => ({ body, contentEncoding, headers }))
    const good = Buffer.from('{"result": {"a": [1, 2]}, "error": null}')
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 60 }),
        fc.nat(80),
        fc.constantFrom('utf-8', 'clew', 'binary'),
        fc.boolean(),
        async (bytes, cut, encoding, behind) => {
          body = behind
            ? Buffer.concat([good, bytes])
            : Buffer.concat([good.subarray(0, cut), bytes])
          contentEncoding = encoding
          headers = undefined
          await connection.request(call({ service }))
        },
      ),
      { numRuns: 150 },
    )
  })
}
