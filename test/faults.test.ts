import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { connect, RpcError, rabbitmq, rpc, run } from 'clew'
import { profile, traced } from 'clew/profile'
import { callTree } from 'clew/trace'
import { uniqueName } from './brokers.ts'
import { startProcess } from './processes/start.ts'
import { control, spareBroker } from './spare-broker.ts'

const url = process.env.CLEW_AMQP_URL

interface Work {
  work(value: number): Promise<{ value: number; redelivered: boolean }>
}

const startWorker = (t: TestContext, name: string, mode: string) =>
  startProcess(t, 'worker', { NAME: name, MODE: mode })

describe('a worker that ends', { skip: url === undefined && 'needs RabbitMQ' }, () => {
  it('is replaced: its call runs again elsewhere, and the tree says so', async (t) => {
    const name = uniqueName('victim')
    const first = await startWorker(t, name, 'hang')
    await using cluster = await connect(rabbitmq(url!), { timeoutMs: 30_000 })
    const called = traced(cluster.proxy<Work>(name)).work(7)
    await first.says('received')
    first.child.kill('SIGKILL')
    await startWorker(t, name, 'answer')
    const { result, trace } = await called
    assert.deepEqual(result, { value: 7, redelivered: true })
    const { root } = callTree(trace)
    assert.equal(root.redelivered, true)
    assert.equal(root.status, 'ok')
    assert.equal(root.presence, '1111')
  })

  it('answers the calls it has before it leaves on SIGTERM', async (t) => {
    const name = uniqueName('victim')
    const worker = await startWorker(t, name, 'slow')
    await using cluster = await connect(rabbitmq(url!), { timeoutMs: 30_000 })
    const called = cluster.proxy<Work>(name).work(8)
    await worker.says('received')
    worker.child.kill('SIGTERM')
    assert.deepEqual(await called, { value: 8, redelivered: false })
    assert.equal(await worker.exited(), 0)
  })
})

describe('a broker that ends', {
  skip: control === undefined && 'needs a private RabbitMQ',
}, () => {
  it('loses no call when it restarts, orderly or killed, and calls go on by themselves', async () => {
    const broker = await spareBroker()
    const name = uniqueName('survivor')
    class Survivor {
      static readonly name: string = name
      @rpc async echo(value: number): Promise<number> {
        return value
      }
    }
    await using _running = await run(Survivor, {
      broker: rabbitmq(broker.url),
      use: [profile()],
      signals: false,
      log: () => {},
    })
    await using cluster = await connect(rabbitmq(broker.url), { timeoutMs: 60_000 })
    const survivor = cluster.proxy<Survivor>(name)
    let going = true
    const answers: number[] = []
    const callers = Array.from({ length: 4 }, async (_, caller) => {
      for (let n = 0; going; n++) {
        assert.equal(await survivor.echo(n), n, `caller ${caller}`)
        answers.push(n)
      }
    })
    await broker.tell('restart')
    await broker.tell('kill')
    await broker.tell('start')
    const before = answers.length
    assert.equal(await survivor.echo(-1), -1)
    going = false
    await Promise.all(callers)
    assert.ok(answers.length > before, 'calls went on after the broker came back')
    const { trace } = await traced(survivor).echo(1)
    assert.equal(callTree(trace).complete, true, 'and traces too')
    await broker.tell('stop')
  })

  it('fails calls at their deadline while it is away, and the connection closes', async () => {
    const broker = await spareBroker()
    const cluster = await connect(rabbitmq(broker.url), { timeoutMs: 1000 })
    await broker.tell('kill')
    await assert.rejects(
      cluster.proxy<Work>('nobody').work(1),
      (error) =>
        error instanceof RpcError && ['timeout', 'disconnected', 'overloaded'].includes(error.code),
    )
    await cluster.close()
  })

  it('refuses to connect to a broker that is not there, saying what and why', async () => {
    await assert.rejects(
      connect(rabbitmq('amqp://ada:secret@127.0.0.1:1')),
      (error) =>
        error instanceof RpcError &&
        error.code === 'disconnected' &&
        error.message.includes('127.0.0.1:1') &&
        !error.message.includes('secret'),
    )
  })
})
