import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ContextKey, ContextValues } from '../call/index.ts'
import { memory, type Plugin, workerContext } from '../index.ts'
import { websocket } from './index.ts'
import { Client, serve } from './test-client.ts'

const PASSED = new ContextKey<string>('passed')

/** Admits whoever says please, and shows them how often they asked. */
function polite(visitors: string[]): Plugin {
  return {
    name: 'polite',
    boundary: {
      async admit({ service, header }) {
        const grant = header('clew-grant')
        visitors.push(`${service} ${grant}`)
        let passes = 0
        return {
          refused: undefined,
          pass() {
            const values = new ContextValues()
            values.set(PASSED, `pass ${++passes}`)
            const shown = grant === 'please' ? { 'server-timing': values.get(PASSED)! } : {}
            return {
              headers: { traceparent: 'believed' },
              values,
              depart: () => shown as Readonly<Record<string, string>>,
            }
          },
        }
      },
    },
  }
}

class Asked {
  static readonly name = 'asked'
  worker = workerContext()
  @websocket ask(_socketId: string): unknown[] {
    const { values, headers, method, edge } = this.worker.call
    return [values.get(PASSED), headers.traceparent, method, edge ?? 'call']
  }
  @websocket fail(_socketId: string) {
    throw new RangeError('no')
  }
}

test('a socket is judged once, each of its requests passes by itself', async () => {
  const visitors: string[] = []
  await using server = await serve(Asked, { broker: memory(), use: [polite(visitors)] })
  const { client } = await Client.open(server.socketUrl, { headers: { 'clew-grant': 'please' } })
  for (const pass of ['pass 1', 'pass 2']) {
    assert.deepEqual(await client.ask({ method: 'ask' }), {
      type: 'result',
      success: true,
      data: [pass, 'believed', 'ask', 'call'],
      correlation_id: null,
      trace: { 'server-timing': pass },
    })
  }
  const failed = (await client.ask({ method: 'fail' })) as { trace: unknown; error: object }
  assert.deepEqual(failed.trace, { 'server-timing': 'pass 3' })
  assert.deepEqual(visitors, ['asked please'])
})

test('where nothing may be seen, frames are what they are without a boundary', async () => {
  const frames: string[][] = []
  for (const use of [[], [polite([])]]) {
    await using server = await serve(Asked, { broker: memory(), use })
    const { client } = await Client.open(server.socketUrl)
    for (const method of ['fail', 'nosuch']) client.send({ method, correlation_id: 7 })
    frames.push([await client.nextText(), await client.nextText()])
  }
  assert.deepEqual(frames[1], frames[0])
})

test('a page brings its grant among the protocols it offers, and is not told it back', async () => {
  const visitors: string[] = []
  await using server = await serve(Asked, { broker: memory(), use: [polite(visitors)] })
  const offers: readonly [offered: string[], chosen: string][] = [
    [['clew', 'clew-grant.please'], 'clew'],
    [['clew-grant.please', 'clew'], 'clew'],
    [['clew-grant.please'], 'clew-grant.please'],
    [['other'], 'other'],
  ]
  for (const [offered, chosen] of offers) {
    const { client } = await Client.open(server.socketUrl, {}, offered)
    assert.equal(client.socket.protocol, chosen)
    await client.close()
  }
  assert.deepEqual(visitors, [...Array(3).fill('asked please'), 'asked undefined'])
})

test('a boundary that throws lets nothing out, and harms no request', async () => {
  const broken: Plugin = {
    name: 'broken',
    boundary: { admit: () => Promise.reject(new Error('no judge')) },
  }
  await using server = await serve(Asked, { broker: memory(), use: [broken] })
  const { client } = await Client.open(server.socketUrl)
  const answer = (await client.ask({ method: 'ask' })) as { success: boolean }
  assert.equal(answer.success, true)
})
