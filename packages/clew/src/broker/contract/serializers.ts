import assert from 'node:assert/strict'
import { it } from 'node:test'
import { deserialize, serialize } from 'node:v8'
import { deflateSync, gzipSync } from 'node:zlib'
import { ConfigError, type Handler, RemoteError, type Serializer } from '../../call/index.ts'
import { encodeTable } from '../field-table.ts'
import { kombuJson, kombuValue } from '../kombu-json.ts'
import type { Message } from '../message.ts'
import { type Connect, call, failure, headers, ok, serviceName } from './fixtures.ts'
import { collect, privateQueue, publication } from './publishing.ts'
import { RAW_MESSAGE, type RawPeer } from './raw-peer.ts'

/** Bytes that are no text, and every value that JavaScript has. */
const binary: Serializer = {
  name: 'v8',
  contentType: 'application/x-v8',
  contentEncoding: 'binary',
  encode: serialize,
  decode: deserialize,
}

/** As containers do: a request that could not be read is refused. */
const answer: Handler = async ({ args, rejected }) =>
  rejected === undefined ? ok(args[0]) : failure(rejected)

const ways = { serializers: [binary, kombuJson] }

export function serializerTests(connect: Connect, peer: () => Promise<RawPeer>): void {
  it('carries calls, replies, errors and blocks by another serializer', async (t) => {
    const options = { ...ways, serializer: 'v8', attachments: true }
    const client = await connect(t, options)
    const server = await connect(t, options)
    const service = serviceName()
    const block = new Uint8Array([1, 2, 3])
    await server.serve(
      service,
      async ({ args, kwargs }) => {
        if (args.length === 0) return failure(new RangeError('none given'))
        return ok(typeof args[0] === 'string' ? () => {} : [args, { ...kwargs }], block)
      },
      { prefetch: 1 },
    )
    const value = new Map([[1n, new Date(0)]])
    const reply = await client.request(
      call({ service, args: [value], kwargs: headers({ key: 'é' }) }),
    )
    assert.deepEqual(reply.result, [[value], { key: 'é' }])
    assert.deepEqual(new Uint8Array(reply.attachment!), block)
    const failed = await client.request(call({ service }))
    assert.ok(failed.error instanceof RemoteError && failed.error.message === 'none given')
    const unwritable = await client.request(call({ service, args: ['function'] }))
    assert.match(unwritable.error?.message ?? '', /returned what v8 cannot carry/)
  })

  it('answers each request by the serializer that it was written with', async (t) => {
    const server = await connect(t, { ...ways, accept: ['json', 'v8'] })
    const service = serviceName()
    await server.serve(service, answer, { prefetch: 1 })
    for (const serializer of ['json', 'v8', 'kombu-json']) {
      const client = await connect(t, { ...ways, serializer })
      const reply = await client.request(call({ service, args: [[1, 'é']] }))
      assert.deepEqual([serializer, reply.result, reply.error], [serializer, [1, 'é'], undefined])
    }
  })

  it('refuses what it was not told to accept, by name', async (t) => {
    const server = await connect(t, ways)
    const service = serviceName()
    await server.serve(service, answer, { prefetch: 1 })
    const client = await connect(t, { ...ways, serializer: 'v8' })
    const { error } = await client.request(call({ service, args: [1] }))
    assert.match(error?.message ?? '', /content type is application\/x-v8, not application\/json/)
    const queue = privateQueue()
    const { until } = await collect(server, queue)
    await client.publish(publication({ routingKey: queue.name }))
    const [arrival] = await until(1)
    assert.match(arrival!.unreadable?.message ?? '', /application\/x-v8, not application\/json/)
  })

  it('refuses names that no serializer has', async (t) => {
    const unknown = (error: unknown) =>
      error instanceof ConfigError && /no serializer called msgpack, only json/.test(error.message)
    await assert.rejects(connect(t, { serializer: 'msgpack' }), unknown)
    await assert.rejects(connect(t, { accept: ['json', 'msgpack'] }), unknown)
    const connection = await connect(t)
    const message = publication({ routingKey: 'q', serializer: 'msgpack' })
    await assert.rejects(connection.publish(message), unknown)
  })

  it('survives a serializer that throws or returns nonsense', async (t) => {
    const broken: Serializer = {
      ...binary,
      encode: (value) => {
        if (JSON.stringify(value).includes('throw')) throw new Error('will not')
        return JSON.stringify(value).includes('nonsense') ? (7 as never) : serialize(value)
      },
      decode: () => {
        throw new Error('cannot')
      },
    }
    const service = serviceName()
    const server = await connect(t, { serializers: [broken], serializer: 'v8' })
    await server.serve(service, answer, { prefetch: 1 })
    const client = await connect(t, { ...ways, serializer: 'v8' })
    const { error } = await client.request(call({ service, args: [1] }))
    assert.match(error?.message ?? '', /it is no v8: cannot/)
    for (const [payload, text] of [
      ['throw', /will not/],
      ['nonsense', /made a number of it/],
    ] as const) {
      await assert.rejects(server.publish(publication({ routingKey: 'q', payload })), {
        code: 'unserializable',
        message: text,
      })
      await assert.rejects(server.request(call({ service, args: [payload] })), {
        code: 'unserializable',
        message: text,
      })
    }
  })

  it('writes dates, bytes and Python’s own types as newer versions of kombu do', async (t) => {
    // Known by its name alone, as a configuration file gives it.
    const connection = await connect(t, { serializer: 'kombu-json' })
    const queue = privateQueue()
    const { until } = await collect(connection, queue)
    const uuid = '01234567-89ab-cdef-0123-456789abcdef'
    const payload = {
      when: new Date('2026-11-23T10:00:00.120Z'),
      bytes: [Buffer.from('é'), new Uint8Array([0xff, 0])],
      python: [
        kombuValue('decimal', '1.10'),
        kombuValue('uuid', uuid),
        kombuValue('date', '2026-11-23'),
      ],
    }
    await connection.publish(publication({ routingKey: queue.name, payload }))
    const [arrival] = await until(1)
    assert.deepEqual(arrival!.payload, {
      when: payload.when,
      bytes: [new Uint8Array([0xc3, 0xa9]), new Uint8Array([0xff, 0])],
      python: ['1.10', uuid, '2026-11-23'],
    })
    const cyclic: unknown[] = []
    cyclic.push(cyclic)
    for (const bad of [cyclic, new Map(), new Date(Number.NaN), () => {}]) {
      await assert.rejects(connection.publish(publication({ routingKey: 'q', payload: bad })), {
        code: 'unserializable',
      })
    }
  })

  it('compresses as kombu does, and reads what that and others compressed', async (t) => {
    const connection = await connect(t)
    await using raw = await peer()
    const queue = privateQueue()
    const { until } = await collect(connection, queue)
    const payload = 'x'.repeat(100_000)
    await connection.publish(publication({ routingKey: queue.name, payload, compression: 'gzip' }))
    const [own] = await until(1)
    assert.equal(own!.payload, payload)
    assert.equal(own!.headers.compression, 'application/x-gzip')
    assert.deepEqual({ ...own!.context }, {})
    const send = (body: Buffer, compression: string) =>
      raw.send({
        ...{ exchange: '', routingKey: queue.name, body },
        headers: encodeTable({ compression }),
      })
    const text = Buffer.from('{"a":1}')
    send(deflateSync(text), 'application/x-gzip')
    send(gzipSync(text), 'gzip')
    send(text, 'application/x-gzip')
    send(text, 'application/x-bz2')
    const arrivals = (await until(5)).slice(1)
    assert.deepEqual(
      arrivals.map(({ payload: read }) => read),
      [{ a: 1 }, { a: 1 }, undefined, undefined],
    )
    assert.match(arrivals[2]!.unreadable!.message, /compressed body is damaged/)
    assert.match(arrivals[3]!.unreadable!.message, /compression is application\/x-bz2, not/)
  })

  it('lets no compressed body grow beyond its bound', async (t) => {
    const connection = await connect(t, { maxInflatedBytes: 10_000 })
    await using raw = await peer()
    const service = serviceName()
    await connection.serve(service, answer, { prefetch: 1 })
    const replied = Promise.withResolvers<Message>()
    const replyTo = serviceName()
    await raw.listen(replyTo, replied.resolve)
    const bomb = deflateSync(Buffer.alloc(10_000_000, ' '))
    const fields = { routingKey: `${service}.echo`, body: bomb, replyTo }
    raw.send({ ...RAW_MESSAGE, ...fields, headers: encodeTable({ compression: 'zlib' }) })
    assert.match((await replied.promise).body.toString(), /grows to more than 10000 bytes/)
    const small = deflateSync(Buffer.from('{"args":["small"],"kwargs":{}}'))
    const read = Promise.withResolvers<Message>()
    const otherReplyTo = serviceName()
    await raw.listen(otherReplyTo, read.resolve)
    raw.send({
      ...{ ...fields, body: small, replyTo: otherReplyTo },
      headers: encodeTable({ compression: 'zlib' }),
    })
    assert.equal((await read.promise).body.toString(), '{"result":"small","error":null}')
  })

  it('keeps calls of another RPC exchange apart', async (t) => {
    const rpcExchange = `test_${serviceName()}`
    const service = serviceName()
    const server = await connect(t, { rpcExchange })
    await server.serve(service, answer, { prefetch: 1 })
    const client = await connect(t, { rpcExchange })
    assert.equal((await client.request(call({ service, args: [1] }))).result, 1)
    await assert.rejects((await connect(t)).request(call({ service })), {
      code: 'unknown_service',
    })
  })
}
