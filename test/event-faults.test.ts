/** Events while processes and brokers end. */
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { connect, event, rabbitmq, run } from 'clew'
import { eventually } from 'clew/testing'
import { uniqueName } from './brokers.ts'
import { startProcess, type WorkerProcess } from './processes/start.ts'
import { control, spareBroker } from './spare-broker.ts'

const url = process.env.CLEW_AMQP_URL
const EVENTS = 300

/** Dispatches events to two processes; `disturb` is told of them when both are at work. */
async function handledDuring(
  t: TestContext,
  disturb: (processes: WorkerProcess[], start: () => Promise<WorkerProcess>) => Promise<void>,
): Promise<readonly number[]> {
  const environment = { NAME: uniqueName('listener'), SOURCE: uniqueName('orders') }
  const processes: WorkerProcess[] = []
  const start = async () => {
    const started = await startProcess(t, 'listener', environment)
    processes.push(started)
    return started
  }
  await start()
  await start()
  await using cluster = await connect(rabbitmq(url!), { timeoutMs: 30_000 })
  const ids = Array.from({ length: EVENTS }, (_, id) => id)
  await Promise.all(ids.map((id) => cluster.dispatch(environment.SOURCE, 'created', { id })))
  await eventually(() => processes.every(({ lines }) => lines.length > 5))
  await disturb(processes, start)
  return await eventually(() => {
    const lines = processes.flatMap((one) => one.lines)
    const handled = lines.flatMap((line) => /^handled (\d+)$/.exec(line)?.[1] ?? []).map(Number)
    assert.equal(new Set(handled).size, EVENTS)
    return handled
  }, 30_000)
}

describe('a process that handles events', { skip: url === undefined && 'needs RabbitMQ' }, () => {
  it('loses none of them when it is killed: others handle those it had', async (t) => {
    const handled = await handledDuring(t, async (processes, start) => {
      processes[0]!.child.kill('SIGKILL')
      await start()
      processes[1]!.child.kill('SIGKILL')
      await start()
    })
    // Those it had begun, and perhaps ended without a word, are handled again.
    assert.ok(handled.length < EVENTS + 20)
  })

  it('hands over without handling any twice when it is told to stop', async (t) => {
    const handled = await handledDuring(t, async (processes, start) => {
      for (const process of processes.slice(0, 2)) {
        await start()
        process.child.kill('SIGTERM')
        assert.equal(await process.exited(), 0)
        assert.equal(process.lines.at(-1), 'stopped')
      }
    })
    assert.equal(handled.length, EVENTS)
  })
})

describe('a broker that ends', {
  skip: control === undefined && 'needs a private RabbitMQ',
}, () => {
  it('keeps events that wait, for a handler or for their next attempt', async () => {
    const broker = await spareBroker()
    const source = uniqueName('orders')
    let isMended = false
    const failed = new Set<number>()
    const handled: number[] = []
    class Listener {
      static readonly name: string = uniqueName('listener')
      @event(source, 'created', { requeueOnError: { backoffMs: 3000 } })
      handle({ id }: { id: number }) {
        if (isMended) {
          handled.push(id)
          return
        }
        failed.add(id)
        throw new RangeError('not yet')
      }
    }
    class Away {
      static readonly name: string = uniqueName('away')
      @event(source, 'created') handle({ id }: { id: number }) {
        handled.push(id)
      }
    }
    const options = { broker: rabbitmq(broker.url), signals: false, log: () => {} }
    await (await run(Away, options)).stop()
    await using _running = await run(Listener, options)
    await using cluster = await connect(rabbitmq(broker.url), { timeoutMs: 60_000 })
    const ids = Array.from({ length: 20 }, (_, id) => id)
    await Promise.all(ids.map((id) => cluster.dispatch(source, 'created', { id })))
    await eventually(() => assert.equal(failed.size, 20))
    await broker.tell('kill')
    const dispatched = cluster.dispatch(source, 'created', { id: 20 })
    isMended = true
    await broker.tell('start')
    await dispatched
    await using _away = await run(Away, options)
    await eventually(() => assert.equal(new Set(handled).size, 21), 60_000)
    await eventually(() => assert.ok(handled.length >= 42), 60_000)
    await broker.tell('stop')
  })
})
