import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { ApiError } from './api-error.ts'
import { withBody } from './body.ts'

const MIB = 1024 * 1024
const limits = { maxBytes: 16 * MIB, maxInflatedBytes: 64 * MIB }

function requestOf(body: Uint8Array, encoding = 'identity', signal?: AbortSignal): Request {
  const headers = { 'content-encoding': encoding }
  const init = { method: 'POST', body: body.slice(), headers, ...(signal && { signal }) }
  return new Request('http://localhost/', init)
}

test('small bodies that inflate to large ones are worked on a few at a time', async () => {
  const bomb = gzipSync(new Uint8Array(30 * MIB))
  let [held, most, done] = [0, 0, 0]
  const work = async (body: Uint8Array) => {
    held += body.length
    most = Math.max(most, held)
    await new Promise((resolve) => setTimeout(resolve, 5))
    held -= body.length
    done++
  }
  const all = Array.from({ length: 24 }, () => withBody(requestOf(bomb, 'gzip'), limits, work))
  await Promise.all(all)
  assert.deepEqual([done, held], [24, 0])
  assert.ok(most <= 96 * MIB, `${most} bytes at a time`)
})

test('bodies that come together are bounded, and room is there again when they are through', async () => {
  const large = new Uint8Array(10 * MIB)
  const send = () => withBody(requestOf(large), limits, async ({ length }) => length)
  const codes = async () => {
    const answers = await Promise.allSettled(Array.from({ length: 24 }, send))
    return answers.map((one) => (one.status === 'rejected' ? (one.reason as ApiError).status : 200))
  }
  const first = await codes()
  assert.ok(first.includes(200) && first.includes(429), `${first}`)
  assert.equal(await send(), large.length)
})

test('what somebody sent who went away is not worked on', async () => {
  const away = new AbortController()
  const request = requestOf(gzipSync('words'), 'gzip', away.signal)
  const answer = withBody(request, limits, async () => assert.fail('worked on'))
  away.abort()
  await assert.rejects(answer)
})
