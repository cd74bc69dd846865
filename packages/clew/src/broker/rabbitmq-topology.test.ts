import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { ConfigError, newHalfId } from '../call/index.ts'
import { call, echo, ok } from './contract/fixtures.ts'
import { TcpProxy } from './contract/tcp-proxy.ts'
import { GuardedClient } from './frame-guard.ts'
import { rabbitmq } from './rabbitmq.ts'

const url = process.env.CLEW_AMQP_URL
const skip = url === undefined && 'needs RabbitMQ: set CLEW_AMQP_URL, or run `npm test`'

// From dist/broker or src/broker: JSON is not compiled.
const file = new URL('../../src/broker/fixtures/nameko-captures.json', import.meta.url)
const captures = JSON.parse(readFileSync(file, 'utf8'))

interface Declaration {
  readonly method: string
  readonly args: Record<string, unknown>
  readonly payload_hex?: string
}

/** Frames that were sent on a connection: type, and the payload as latin1 text. */
function framesOf(sent: Buffer): { readonly type: number; readonly text: string }[] {
  const frames: { type: number; text: string }[] = []
  // The protocol header that a connection begins with is no frame.
  let at = sent.subarray(0, 4).toString() === 'AMQP' ? 8 : 0
  while (at < sent.length) {
    const size = sent.readUInt32BE(at + 3)
    frames.push({ type: sent[at]!, text: sent.toString('latin1', at + 7, at + 7 + size) })
    at += size + 8
  }
  return frames
}

/** What real Nameko declared, with our names in the place of its. */
function nameko(names: Record<string, string>): string[] {
  return (captures.topology_declarations_in_order as Declaration[])
    .filter(({ payload_hex }) => payload_hex !== undefined)
    .map(({ payload_hex }) => {
      let text = Buffer.from(payload_hex!, 'hex').toString('latin1')
      for (const [theirs, ours] of Object.entries(names)) {
        assert.equal(theirs.length, ours.length)
        text = text.replace(theirs, ours)
      }
      return text
    })
}

const EXCHANGE_DECLARE = '\0\x28\0\x0a'
const QUEUE_DECLARE = '\0\x32\0\x0a'
const CONFIRM_SELECT = '\0\x55\0\x0a'
const BASIC_CONSUME = '\0\x3c\0\x14'

describe('rabbitmq, topology', { skip }, () => {
  it('has its reply queue before the first call, for who asks for that', async (t) => {
    for (const repliesAtOnce of [false, true]) {
      const proxy = await TcpProxy.open(url!)
      t.after(() => proxy[Symbol.asyncDispose]())
      const connection = await rabbitmq(proxy.url).connect({ repliesAtOnce })
      t.after(() => connection.close())
      const texts = proxy.sent.flatMap(framesOf).map(({ text }) => text)
      const declared = texts.filter((text) => text.startsWith(QUEUE_DECLARE))
      assert.equal(declared.length, repliesAtOnce ? 1 : 0)
    }
  })

  it('is declared byte for byte as Nameko does', async (t) => {
    const proxy = await TcpProxy.open(url!)
    t.after(() => proxy[Symbol.asyncDispose]())
    // As long as "cap_leaf", so that lengths in the captured bytes stay right.
    const service = `cap_${newHalfId().slice(0, 4)}`
    const connection = await rabbitmq(proxy.url).connect({})
    t.after(() => connection.close())
    await connection.serve(service, echo, { prefetch: 10 })
    await connection.request(call({ service }))
    const texts = proxy.sent.flatMap(framesOf).map(({ text }) => text)
    const declared = texts.filter(
      (text) => text.startsWith(EXCHANGE_DECLARE) || text.startsWith(QUEUE_DECLARE),
    )
    const uuid = /standalone_rpc_proxy-([0-9a-f-]{36})/.exec(declared.join(' '))?.[1]
    assert.ok(uuid)
    const theirs = nameko({ cap_leaf: service, 'b3921555-5d81-4632-9a3d-5e77e16d6bad': uuid })
    for (const declaration of declared) {
      assert.ok(theirs.includes(declaration), JSON.stringify(declaration))
    }
    assert.equal(declared.filter((text) => text.startsWith(QUEUE_DECLARE)).length, 2)
    const consumed = texts.filter((text) => text.startsWith(BASIC_CONSUME))
    assert.ok(consumed.some((text) => text.includes(`rpc-${service}`)))
  })

  it('shares a queue with fast servers and serves callers of either delivery', async (t) => {
    const connections = await Promise.all(
      (['nameko', 'fast'] as const).map((delivery) => rabbitmq(url!).connect({ delivery })),
    )
    t.after(() => Promise.all(connections.map((connection) => connection.close())))
    const service = `cap_${newHalfId()}`
    for (const server of connections) await server.serve(service, echo, { prefetch: 1 })
    for (const client of connections) {
      const replies = await Promise.all(
        [1, 2, 3, 4].map((argument) => client.request(call({ service, args: [argument] }))),
      )
      assert.deepEqual(
        replies.map(({ result }) => result),
        [1, 2, 3, 4],
      )
    }
  })

  it('says so when the queue of a service was declared otherwise', async (t) => {
    const connection = await rabbitmq(url!).connect({})
    t.after(() => connection.close())
    const service = `cap_${newHalfId()}`
    const client = new GuardedClient(url!)
    await client.connect()
    const channel = await client.channel()
    await channel.queueDeclare(`rpc-${service}`, { durable: false, autoDelete: true })
    await assert.rejects(
      connection.serve(service, echo, { prefetch: 1 }),
      (error: unknown) => error instanceof ConfigError && /other properties/.test(error.message),
    )
    await channel.queueDelete(`rpc-${service}`)
    await client.close()
    await connection.serve(service, echo, { prefetch: 1 })
    assert.equal((await connection.request(call({ service, args: [1] }))).result, 1)
  })

  it('acknowledges a request only after the broker has its reply', async (t) => {
    const proxy = await TcpProxy.open(url!)
    t.after(() => proxy[Symbol.asyncDispose]())
    const server = await rabbitmq(proxy.url).connect({})
    const client = await rabbitmq(url!).connect({})
    t.after(() => Promise.all([server.close(), client.close()]))
    const service = `cap_${newHalfId()}`
    const redelivered: boolean[] = []
    await server.serve(
      service,
      async (received) => {
        // From here on no reply reaches the broker; acknowledgements, on the other connection, would.
        if (redelivered.push(received.redelivered) === 1) {
          proxy.silence((sent) => sent.includes(CONFIRM_SELECT))
        }
        return ok('answered')
      },
      { prefetch: 1 },
    )
    const reply = client.request(call({ service }))
    while (!proxy.wasSilent) await new Promise((resolve) => setTimeout(resolve, 5))
    await new Promise((resolve) => setTimeout(resolve, 100))
    proxy.silent = false
    proxy.reset()
    // The reply that could not be sent is sent now; the request that was not acknowledged comes again.
    assert.equal((await reply).result, 'answered')
    while (redelivered.length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.deepEqual(redelivered, [false, true])
  })
})
