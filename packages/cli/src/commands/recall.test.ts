import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createCollector, memoryStore, serve } from '@clew/collector'
import { connect, type Plugin, proxy, rabbitmq, rpc, run } from 'clew'
import { profile } from 'clew/profile'
import { parseTraces } from 'clew/trace'
import { runClew, withDirectory } from '../run-clew.test.ts'

const url = process.env.CLEW_AMQP_URL
const skip = url === undefined && 'needs RabbitMQ: set CLEW_AMQP_URL, or run `npm test`'

const hex = (digits: number) =>
  Array.from({ length: digits }, () => Math.floor(Math.random() * 16).toString(16)).join('')

/** A service that asks another, which has not answered yet, for a caller with a trace of its own. */
async function hanging(traceId: string) {
  const [front, back] = [`front_${process.pid}`, `back_${process.pid}`]
  const gate = Promise.withResolvers<void>()
  const reached = Promise.withResolvers<void>()
  class Back {
    static readonly name: string = back
    @rpc async work(): Promise<string> {
      reached.resolve()
      await gate.promise
      return 'done'
    }
  }
  class Front {
    static readonly name: string = front
    back = proxy<Back>(back)
    @rpc async ask(): Promise<string> {
      return this.back.work()
    }
  }
  const traceparent = `00-${traceId}-${hex(16)}-01`
  const peer: Plugin = {
    name: 'peer',
    caller: (next) => (call) => next({ ...call, headers: { ...call.headers, traceparent } }),
  }
  const broker = rabbitmq(url ?? '')
  const running = await run([Front, Back], { broker, use: [profile()], signals: false })
  const cluster = await connect(broker, { use: [peer] })
  const answer = cluster.proxy<Front>(front).ask()
  await reached.promise
  return {
    ...{ front, back },
    async [Symbol.asyncDispose]() {
      gate.resolve()
      await answer
      await cluster.close()
      await running.stop()
    },
  }
}

describe('clew recall', { skip }, () => {
  test('tells on which service a call waits, and keeps what it was told', () =>
    withDirectory(async (cwd) => {
      const id = hex(32)
      await using services = await hanging(id)
      const words = ['recall', id, '--broker', url ?? '']
      const { code, stdout, stderr } = await runClew([...words, '-o', 'hung.jsonl'], { cwd })
      assert.equal(code, 0, stderr)
      const first = `${services.back}.work on \\S+ was still at work .* after it had begun;`
      assert.match(stdout.replace(/\n/gu, ' '), new RegExp(`^${first}`, 'u'))
      assert.match(stdout, /… at work /u)
      const { traces } = parseTraces(await readFile(join(cwd, 'hung.jsonl'), 'utf8'))
      const [kept] = traces
      assert.equal(kept?.id, id)
      assert.ok(kept.entries.some(({ runningMs }) => runningMs !== undefined))
      const json = JSON.parse((await runClew([...words, '--json'], { cwd })).stdout)
      assert.equal(json.trace.id, id)
      assert.ok(json.answers > 0)
      assert.match(json.trace.sentences[0], /still at work/u)
    }))

  test('has a collector ask, which keeps it', async () => {
    const id = hex(32)
    await using collector = createCollector({ store: memoryStore() })
    await collector.start()
    await collector.consume(rabbitmq(url ?? ''), { queue: `collect_${id}` })
    const serving = await serve(collector, { port: 0 })
    try {
      await using services = await hanging(id)
      const { code, stdout, stderr } = await runClew(['recall', id, '--collector', serving.url])
      assert.equal(code, 0, stderr)
      assert.match(stdout, new RegExp(`^${services.back}.work on`, 'u'))
      const shown = await runClew(['show', id.slice(0, 12), '--collector', serving.url])
      assert.match(shown.stdout, /still at work/u)
    } finally {
      await serving.close()
    }
  })

  test('says what it cannot do, and what to do', async () => {
    const id = hex(32)
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [['recall', 'hello'], 2, /32 hex digits/u],
      [['recall', 'abcd', '--broker', url ?? ''], 2, /all 32 digits/u],
      [['recall', id, '--broker', 'amqp://127.0.0.1:1'], 5, /127\.0\.0\.1/u],
      [['recall', id, '--broker', url ?? '', '--collector', '127.0.0.1:1'], 2, /its own broker/u],
      [['recall', id, '--collector', 'http://127.0.0.1:1'], 5, /no collector at/u],
    ]
    for (const [words, exit, told] of cases) {
      const { code, stderr } = await runClew(words)
      assert.equal(code, exit, `${words.join(' ')}: ${stderr}`)
      assert.match(stderr, told)
    }
    await using _services = await hanging(hex(32))
    const unknown = await runClew(['recall', id, '--broker', url ?? '', '--wait', '200ms'])
    assert.equal(unknown.code, 3)
    assert.match(unknown.stderr, /no service knows anything/u)
  })
})
