import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LineStreams } from './line-streams.ts'

const askedBy = (tenant: string, { signal } = new AbortController()) => ({
  subject: { name: tenant, tenant, roles: ['read'] as const },
  signal,
})
const asked = askedBy('shop')

/** Lines without end; tells how many were taken, and whether it was ended. */
function endless() {
  const told = { taken: 0, isEnded: false }
  function* lines(): Generator<string> {
    try {
      for (;;) yield `${told.taken++} ${'.'.repeat(1_000)}\n`
    } finally {
      told.isEnded = true
    }
  }
  return { told, lines: lines() }
}

const turns = async (count: number) => {
  for (let at = 0; at < count; at++) await new Promise((resolve) => setImmediate(resolve))
}

test('all lines come, and no more are made than are taken', async () => {
  const streams = new LineStreams()
  const few = ['a\n', '', 'b\n'].values()
  assert.equal(await streams.answer(few, {}, asked).text(), 'a\nb\n')
  const { told, lines } = endless()
  const { body } = streams.answer(lines, {}, asked)
  await turns(50)
  assert.ok(told.taken > 0 && told.taken < 100)
  await body!.cancel()
  assert.ok(told.isEnded)
})

test('who goes away, or takes nothing, lets others have the place', async () => {
  const streams = new LineStreams(20)
  const slow = Array.from({ length: 8 }, endless)
  const bodies = slow.map(({ lines }) => streams.answer(lines, {}, asked).body!)
  assert.throws(
    () => streams.answer(endless().lines, {}, asked),
    (error: Error & { status?: number }) => error.status === 429,
  )
  const other = streams.answer(['a'].values(), {}, askedBy('other'))
  assert.equal(await other.text(), 'a')
  while (slow.some(({ told }) => !told.isEnded)) await turns(1)
  for (const body of bodies) await assert.rejects(async () => await new Response(body).text())
  const abort = new AbortController()
  const { told, lines } = endless()
  const reader = streams.answer(lines, {}, askedBy('shop', abort)).body!.getReader()
  await reader.read()
  abort.abort()
  await assert.rejects(async () => {
    for (let at = 0; at < 1_000; at++) await reader.read()
  })
  assert.ok(told.isEnded)
})

test('what fails while it is read ends the stream', async () => {
  const streams = new LineStreams()
  function* failing(): Generator<string> {
    yield 'a\n'
    throw new Error('the disk is gone')
  }
  for (let again = 0; again < 20; again++) {
    const answer = streams.answer(failing(), {}, asked)
    await assert.rejects(() => answer.text(), /the disk is gone/u)
  }
})
