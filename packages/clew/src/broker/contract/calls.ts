import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Call, Reply } from '../../call/index.ts'
import { type Connect, call, echo, failure, ok, serviceName } from './fixtures.ts'

export function callTests(connect: Connect): void {
  it('carries arguments there and the result back', async (t) => {
    const connection = await connect(t)
    const service = serviceName()
    let seen: Call | undefined
    await connection.serve(
      service,
      async (received) => {
        seen = received
        return ok({ sum: 3, text: 'café ☃' })
      },
      { prefetch: 10 },
    )
    const sent = call({
      service,
      method: 'add',
      args: [1, { a: [null, true] }],
      kwargs: { x: 'y' },
    })
    const reply = await connection.request(sent)
    assert.equal(reply.error, undefined)
    assert.deepEqual(reply.result, { sum: 3, text: 'café ☃' })
    assert.ok(seen)
    assert.deepEqual(
      [seen.service, seen.method, seen.args, { ...seen.kwargs }, seen.id],
      [service, 'add', [1, { a: [null, true] }], { x: 'y' }, sent.id],
    )
    assert.equal(seen.redelivered, false)
    assert.equal(seen.attachable, false)
    assert.equal(seen.rejected, undefined)
    assert.equal(Object.getPrototypeOf(seen.kwargs), null)
  })

  it('answers nothing with null', async (t) => {
    const connection = await connect(t)
    const service = serviceName()
    await connection.serve(service, async () => ok(undefined), { prefetch: 10 })
    assert.equal((await connection.request(call({ service }))).result, null)
  })

  it('keeps concurrent calls apart', async (t) => {
    const server = await connect(t)
    const client = await connect(t)
    const service = serviceName()
    await server.serve(
      service,
      async (received) => {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 5))
        return ok(received.args[0])
      },
      { prefetch: 20 },
    )
    const numbers = Array.from({ length: 200 }, (_, number) => number)
    const replies = await Promise.all(
      numbers.map((number) => client.request(call({ service, args: [number] }))),
    )
    assert.deepEqual(
      replies.map((reply) => reply.result),
      numbers,
    )
  })

  it('lets a service call itself through its own connection', async (t) => {
    const connection = await connect(t, { owner: 'looper' })
    const service = serviceName()
    await connection.serve(
      service,
      async (received) => {
        const depth = received.args[0] as number
        if (depth === 0) return ok('bottom')
        return connection.request(call({ service, args: [depth - 1] }))
      },
      { prefetch: 10 },
    )
    assert.equal((await connection.request(call({ service, args: [5] }))).result, 'bottom')
  })

  it('carries bodies larger than a frame', async (t) => {
    const connection = await connect(t)
    const service = serviceName()
    await connection.serve(service, echo, { prefetch: 10 })
    const text = 'ä0'.repeat(300_000)
    assert.equal((await connection.request(call({ service, args: [text] }))).result, text)
  })

  it('carries NaN, infinities and integers no number holds', async (t) => {
    const connection = await connect(t)
    const service = serviceName()
    await connection.serve(service, async (received) => ok(received.args), { prefetch: 10 })
    const args = [Number.NaN, Number.POSITIVE_INFINITY, [-(2n ** 70n)], 'NaN']
    assert.deepEqual((await connection.request(call({ service, args }))).result, args)
  })

  it('tells whoever follows a call how it ended, once and before its caller', async (t) => {
    const connection = await connect(t)
    const service = serviceName()
    await connection.serve(
      service,
      async ({ args }) => {
        const [how] = args
        if (how === 'late') await new Promise((resolve) => setTimeout(resolve, 300))
        return how === 'error' ? failure(new Error('on purpose')) : ok(how)
      },
      { prefetch: 10 },
    )
    const ends = async (fields: Partial<Call>, end: () => Promise<void> | void = () => {}) => {
      const told: unknown[] = []
      const observer = {
        replied: ({ result, error }: Reply) => void told.push(error ?? result),
        failed: (error: unknown) => void told.push(error),
        stray() {},
      }
      const came: unknown[] = []
      const settled = connection
        .request(call({ service, observer, ...fields }))
        .then(({ result, error }) => error ?? result)
        .catch((error: unknown) => error)
        .then((outcome) => came.push(outcome, told.length))
      await end()
      await settled
      assert.deepEqual(came, [told[0], 1], 'told what came, before it came')
      return told
    }
    const codeOf = ([error]: unknown[]) => (error as { readonly code?: string }).code
    assert.deepEqual(await ends({ args: ['well'] }), ['well'])
    assert.match(String(await ends({ args: ['error'] })), /on purpose/)
    assert.equal(codeOf(await ends({ args: [() => {}] })), 'unserializable')
    assert.equal(codeOf(await ends({ args: ['late'], timeoutMs: 100 })), 'timeout')
    assert.equal(codeOf(await ends({ service: serviceName() })), 'unknown_service')
    const leaving = new AbortController()
    const left = ends({ args: ['late'], signal: leaving.signal }, () => leaving.abort())
    assert.equal(codeOf(await left), 'cancelled')
    const closed = ends({ args: ['late'] }, () => connection.close())
    assert.equal(codeOf(await closed), 'disconnected')
    assert.equal(codeOf(await ends({})), 'disconnected')
  })
}
