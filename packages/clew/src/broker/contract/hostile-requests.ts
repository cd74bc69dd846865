import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import fc from 'fast-check'
import {
  type Call,
  type Connection,
  newCallId,
  type Problem,
  type Reply,
} from '../../call/index.ts'
import type { Message } from '../message.ts'
import { type Connect, call, failure, ok, serviceName } from './fixtures.ts'
import type { RawPeer } from './raw-peer.ts'

interface Stage {
  readonly connection: Connection
  readonly service: string
  readonly problems: Problem[]
  readonly seen: Call[]
  readonly peer: RawPeer
  /** Sends a message and waits for the answer to it. */
  ask(message: Partial<Message>): Promise<Message>
}

/** A service that echoes, and answers rejected calls as a container does. */
async function setStage(
  t: TestContext,
  connect: Connect,
  open: () => Promise<RawPeer>,
): Promise<Stage> {
  const problems: Problem[] = []
  const seen: Call[] = []
  const connection = await connect(t, { onProblem: (problem) => problems.push(problem) })
  const peer = await open()
  t.after(() => peer[Symbol.asyncDispose]())
  const service = serviceName()
  await connection.serve(
    service,
    async (received): Promise<Reply> => {
      seen.push(received)
      return received.rejected === undefined ? ok(received.args) : failure(received.rejected)
    },
    { prefetch: 10 },
  )
  const replyTo = newCallId()
  const waiting = new Map<string, (message: Message) => void>()
  await peer.listen(replyTo, (message) => waiting.get(message.correlationId)?.(message))
  const ask = (message: Partial<Message>) => {
    const correlationId = newCallId()
    const answered = new Promise<Message>((resolve) => waiting.set(correlationId, resolve))
    peer.send({ routingKey: `${service}.echo`, replyTo, correlationId, ...message })
    return answered
  }
  return { connection, service, problems, seen, peer, ask }
}

function json(message: Message) {
  return JSON.parse(message.body.toString())
}

const GOOD = Buffer.from('{"args": [1], "kwargs": {}}')
const MALFORMED = 'nameko.exceptions.MalformedRequest'
const INCORRECT = 'nameko.exceptions.IncorrectSignature'

export function hostileRequestTests(connect: Connect, open: () => Promise<RawPeer>): void {
  it('refuses bodies that are no call', async (t) => {
    const { ask } = await setStage(t, connect, open)
    const cases: [string, string][] = [
      ['{"foo": 1}', MALFORMED],
      ['[1]', MALFORMED],
      ['null', MALFORMED],
      ['', MALFORMED],
      ['{"args": [', MALFORMED],
      ['{"args": [1]}', MALFORMED],
      ['{"args": 1, "kwargs": {}}', INCORRECT],
      ['{"args": [], "kwargs": []}', INCORRECT],
    ]
    for (const [body, path] of cases) {
      const reply = json(await ask({ body: Buffer.from(body) }))
      assert.equal(reply.result, null)
      assert.equal(reply.error.exc_path, path, body)
    }
    assert.deepEqual(json(await ask({ body: GOOD })), { result: [1], error: null })
  })

  it('refuses foreign content, and takes missing properties for the usual', async (t) => {
    const { ask, problems } = await setStage(t, connect, open)
    const pickle = await ask({ contentType: 'application/x-python-serialize', body: GOOD })
    assert.equal(json(pickle).error.exc_path, MALFORMED)
    const latin = await ask({ body: Buffer.from([0x7b, 0x22, 0xe9, 0x22, 0x7d]) })
    assert.equal(json(latin).error.exc_path, MALFORMED)
    assert.equal(problems.length, 2)
    const bare = await ask({
      contentType: '',
      contentEncoding: '',
      headers: undefined,
      deliveryMode: 0,
      priority: -1,
      body: GOOD,
    })
    assert.deepEqual(json(bare), { result: [1], error: null })
    const spread = await ask({ body: Buffer.from('{"args": "xy", "kwargs": {}, "more": 1}') })
    assert.deepEqual(json(spread).result, ['x', 'y'])
  })

  it('answers without a correlation id when it got none', async (t) => {
    const { peer, service, seen } = await setStage(t, connect, open)
    const replyTo = newCallId()
    const answered = new Promise<Message>((resolve) => void peer.listen(replyTo, resolve))
    await new Promise((resolve) => setTimeout(resolve, 100))
    peer.send({ routingKey: `${service}.echo`, replyTo, body: GOOD })
    assert.equal((await answered).correlationId, '')
    assert.notEqual(seen[0]?.id, '')
  })

  it('runs a request without reply_to and acknowledges it', async (t) => {
    const { peer, service, seen, problems, connection } = await setStage(t, connect, open)
    for (let count = 0; count < 30; count++) {
      peer.send({ routingKey: `${service}.echo`, body: GOOD })
    }
    // Thirty that were never acknowledged would have used up the ten at a time.
    assert.deepEqual((await connection.request(call({ service, args: [2] }))).result, [2])
    assert.equal(seen.length, 31)
    assert.deepEqual(new Set(problems.map(({ kind }) => kind)), new Set(['reply_unroutable']))
  })

  it('reads what Python writes', async (t) => {
    const { ask, seen } = await setStage(t, connect, open)
    const body = '{"args": [NaN, 1e400, -Infinity, 12345678901234567890, "Infinity"], "kwargs": {}}'
    await ask({ body: Buffer.from(body) })
    assert.deepEqual(seen[0]?.args, [
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      12345678901234567890n,
      'Infinity',
    ])
  })

  headerTests(connect, open)
  fuzzTests(connect, open)
}

function headerTests(connect: Connect, open: () => Promise<RawPeer>): void {
  it('reads int64 as Python tags it', async (t) => {
    const { ask, seen } = await setStage(t, connect, open)
    const headers = Buffer.concat([
      entry('nameko.big', Buffer.from([0x4c, 0, 0, 1, 0, 0, 0, 0, 0])),
      entry('x-signed', Buffer.from([0x6c, 255, 255, 255, 255, 255, 255, 255, 254])),
    ])
    await ask({ headers, body: GOOD })
    assert.equal(seen[0]?.context.big, 2 ** 40)
    assert.equal(seen[0]?.headers['x-signed'], -2)
  })

  it('drops header tables that nest deep or lie about their length, and runs the call', async (t) => {
    const { ask, seen, problems } = await setStage(t, connect, open)
    const deep = (levels: number) => {
      let value = Buffer.from([0x56])
      for (let level = 0; level < levels; level++) {
        const table = entry('x', value)
        const head = Buffer.alloc(5)
        head[0] = 0x46
        head.writeUInt32BE(table.length, 1)
        value = Buffer.concat([head, table])
      }
      return entry('nameko.deep', value)
    }
    await ask({ headers: deep(8), body: GOOD })
    assert.ok(seen[0] && 'deep' in seen[0].context)
    for (const levels of [9, 5000]) {
      const reply = await ask({ headers: deep(levels), body: GOOD })
      assert.deepEqual(json(reply).result, [1])
      assert.deepEqual(Object.keys(seen.at(-1)!.context), [])
      assert.equal(problems.at(-1)?.kind, 'malformed_headers')
    }
    assert.equal(problems.length, 2)
  })
}

function entry(key: string, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([key.length]), Buffer.from(key), value])
}

const FRAMED = { contentEncoding: 'clew' } as const

function fuzzTests(connect: Connect, open: () => Promise<RawPeer>): void {
  it('survives any body and any trailer beside calls that are not disturbed', async (t) => {
    const { ask, connection, service } = await setStage(t, connect, open)
    let disturbed = 0
    const beside = async () => {
      const argument = newCallId()
      const { result } = await connection.request(call({ service, args: [argument] }))
      if ((result as unknown[])[0] !== argument) disturbed++
    }
    const trailer = Buffer.from([0, 0, 0, GOOD.length, 1, 0x63, 0x6c, 0x65, 0x77])
    const mangled = fc
      .tuple(fc.constantFrom(GOOD, Buffer.concat([GOOD, trailer])), fc.nat(40), fc.nat(255))
      .map(([good, at, octet]) => {
        const bad = Buffer.from(good)
        bad[at % bad.length] = octet
        return bad
      })
    const anything = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))
    await fc.assert(
      fc.asyncProperty(fc.oneof(anything, mangled), fc.boolean(), async (body, framed) => {
        const [reply] = await Promise.all([ask({ body, ...(framed ? FRAMED : {}) }), beside()])
        const { result, error } = json(reply)
        assert.ok(error !== null || Array.isArray(result))
      }),
      { numRuns: 150 },
    )
    assert.equal(disturbed, 0)
  })
}
