import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type Connect, call, ok, serviceName } from './fixtures.ts'

export function attachmentTests(connect: Connect): void {
  const block = new Uint8Array([0, 255, 1, 2, 3])

  it('brings the attachment to callers that asked for one', async (t) => {
    const server = await connect(t)
    const reader = await connect(t, { attachments: true })
    const plain = await connect(t)
    const service = serviceName()
    const attachable: boolean[] = []
    await server.serve(
      service,
      async (received) => {
        attachable.push(received.attachable)
        return ok('result', block)
      },
      { prefetch: 10 },
    )
    const reply = await reader.request(call({ service }))
    assert.equal(reply.result, 'result')
    assert.deepEqual(new Uint8Array(reply.attachment!), block)
    assert.equal((await plain.request(call({ service }))).attachment, undefined)
    assert.deepEqual(attachable, [true, false])
  })

  it('brings the attachment of errors and of empty results too', async (t) => {
    const connection = await connect(t, { attachments: true })
    const service = serviceName()
    await connection.serve(
      service,
      async (received) =>
        received.method === 'fail'
          ? { result: undefined, error: new Error('no'), attachment: block }
          : ok(undefined, new Uint8Array(0)),
      { prefetch: 10 },
    )
    const failed = await connection.request(call({ service, method: 'fail' }))
    assert.equal(failed.error?.message, 'no')
    assert.deepEqual(new Uint8Array(failed.attachment!), block)
    const empty = await connection.request(call({ service }))
    assert.equal(empty.result, null)
    assert.equal(empty.attachment?.length, 0)
  })
}
