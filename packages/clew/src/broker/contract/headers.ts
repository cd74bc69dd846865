import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Call } from '../../call/index.ts'
import { type Connect, call, headers, ok, serviceName } from './fixtures.ts'

export function headerTests(connect: Connect): void {
  it('hands context data on under its names and headers as they are', async (t) => {
    const connection = await connect(t)
    const service = serviceName()
    let seen: Call | undefined
    await connection.serve(
      service,
      async (received) => {
        seen = received
        return ok(null)
      },
      { prefetch: 10 },
    )
    await connection.request(
      call({
        service,
        timeoutMs: Number.POSITIVE_INFINITY,
        context: headers({
          call_id_stack: ['a.b.1', 'c.d.2'],
          user_id: 42,
          big: 2 ** 40,
          negative: -(2 ** 40),
          ratio: 1.1,
          flag: true,
          nothing: null,
          table: headers({ x: 1, nested: [null, 'y'] }),
          shadowed: 'context',
        }),
        headers: headers({
          'x-raw': 'raw',
          shadowed: 'header',
          traceparent: '00-aa-bb-01',
          bytes: new Uint8Array([1, 2, 3]),
          short: 300,
        }),
      }),
    )
    assert.ok(seen)
    const own = {
      'x-raw': 'raw',
      shadowed: 'header',
      bytes: new Uint8Array([1, 2, 3]),
      short: 300,
      traceparent: '00-aa-bb-01',
    }
    assert.deepEqual(seen.headers, headers(own))
    assert.deepEqual(
      seen.context,
      headers({
        call_id_stack: ['a.b.1', 'c.d.2'],
        user_id: 42,
        big: 2 ** 40,
        negative: -(2 ** 40),
        ratio: 1.1,
        flag: true,
        table: headers({ x: 1, nested: [null, 'y'] }),
        ...own,
      }),
    )
  })

  it('takes names that reach prototypes elsewhere as plain names', async (t) => {
    const connection = await connect(t)
    const service = serviceName()
    let seen: Call | undefined
    await connection.serve(
      service,
      async (received) => {
        seen = received
        return ok(received.kwargs.constructor)
      },
      { prefetch: 10 },
    )
    const hostile = headers({ ['__proto__']: headers({ isAdmin: true }), constructor: 'c' })
    const sent = call({ service, context: hostile, kwargs: hostile })
    assert.equal((await connection.request(sent)).result, 'c')
    assert.ok(seen)
    assert.equal(seen.context.toString, undefined)
    assert.equal(seen.context.isAdmin, undefined)
    assert.equal(seen.kwargs.isAdmin, undefined)
    assert.deepEqual(Object.keys(seen.context), ['__proto__', 'constructor'])
    assert.equal(({} as { isAdmin?: boolean }).isAdmin, undefined)
  })
}
