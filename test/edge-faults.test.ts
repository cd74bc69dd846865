/** Processes with several kinds of entrypoints, killed and replaced at work. */
import assert from 'node:assert/strict'
import { once as heard } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { connect, rabbitmq } from 'clew'
import { profile } from 'clew/profile'
import { eventually } from 'clew/testing'
import { WebSocket } from 'ws'
import { uniqueName } from './brokers.ts'
import { everyCall, KeptTraces, outlineOf } from './kept-traces.ts'
import { startProcess, type WorkerProcess } from './processes/start.ts'

const url = process.env.CLEW_AMQP_URL

interface Orders {
  create(id: number): Promise<number>
}

const urlOf = ({ lines }: WorkerProcess): string =>
  lines.find((line) => line.startsWith('url '))!.slice(4)

const handledBy = (replicas: readonly WorkerProcess[]): readonly number[] =>
  replicas
    .flatMap(({ lines }) => lines)
    .flatMap((line) => /^handled (\d+)$/.exec(line)?.[1] ?? [])
    .map(Number)

describe('a process with every kind of entrypoint', {
  skip: url === undefined && 'needs RabbitMQ: set CLEW_AMQP_URL, or run `npm test`',
}, () => {
  it('is killed while it handles an event: another does, and one tree says so', async (t) => {
    const NAME = uniqueName('orders')
    const first = await startProcess(t, 'replica', { NAME, MODE: 'hang' })
    const sink = new KeptTraces()
    await using cluster = await connect(rabbitmq(url!), { use: [profile({ sink })] })
    await cluster.dispatch(NAME, 'created', { id: 7 })
    await first.says('handling 7')
    first.child.kill('SIGKILL')
    const second = await startProcess(t, 'replica', { NAME })
    await second.says('handled 7')
    const tree = await sink.until(({ root }) =>
      [...everyCall(root)].some(({ method }) => method === 'on created'),
    )
    assert.deepEqual(outlineOf(tree), ['created', '  on created'])
    const handler = [...everyCall(tree.root)].at(-1)!
    assert.deepEqual(
      [handler.redelivered, handler.status, handler.pid],
      [true, 'ok', second.child.pid],
      'by the other, and not for the first time',
    )
    assert.ok(first.lines.every((line) => !line.startsWith('handled')))
    assert.deepEqual([sink.trees.length, tree.problems], [1, []])
  })

  it('fails nobody when its replicas are replaced one by one under load', async (t) => {
    const NAME = uniqueName('orders')
    const all: WorkerProcess[] = []
    const start = async () => {
      const replica = await startProcess(t, 'replica', { NAME })
      all.push(replica)
      return replica
    }
    const live = await Promise.all([start(), start(), start()])
    await using cluster = await connect(rabbitmq(url!), { timeoutMs: 30_000 })
    const load = new Load(live, cluster.proxy<Orders>(NAME))
    for (const retired of [...live]) {
      await load.goesOn()
      const replacement = await start()
      live.splice(live.indexOf(retired), 1, replacement)
      retired.child.kill('SIGTERM')
      assert.equal(await retired.exited(), 0)
      assert.equal(retired.lines.at(-1), 'stopped')
    }
    await load.goesOn()
    await load.stop()
    assert.deepEqual(load.failures, [])
    const created = load.created.toSorted((a, b) => a - b)
    const handled = await eventually(() => {
      const ids = handledBy(all)
      assert.ok(ids.length >= created.length, `${ids.length} of ${created.length} were handled`)
      return ids
    })
    assert.deepEqual(
      handled.toSorted((a, b) => a - b),
      created,
      'each event was handled once',
    )
  })
})

/** Calls by every road, all the time, as clients behind a balancer would. */
class Load {
  readonly failures: unknown[] = []
  readonly created: number[] = []
  readonly #live: readonly WorkerProcess[]
  readonly #orders: { create(id: number): Promise<number> }
  readonly #callers: Promise<void>[]
  readonly #done = { http: 0, rpc: 0, socket: 0 }
  #going = true
  #ids = 0

  constructor(live: readonly WorkerProcess[], orders: Orders) {
    this.#live = live
    this.#orders = orders
    const twice = [1, 2]
    this.#callers = [
      ...twice.map(() => this.#repeat('rpc', (id) => this.#orders.create(id))),
      ...twice.map(() => this.#repeat('http', (id) => this.#page(id))),
      ...twice.map(() => this.#chat()),
    ]
  }

  /** Until some more of every kind have been answered. */
  async goesOn(): Promise<void> {
    const { http, rpc, socket } = { ...this.#done }
    await eventually(
      () =>
        this.failures.length > 0 ||
        (this.#done.http > http + 20 &&
          this.#done.rpc > rpc + 20 &&
          this.#done.socket > socket + 20),
      30_000,
    )
  }

  async stop(): Promise<void> {
    this.#going = false
    await Promise.all(this.#callers)
  }

  async #repeat(kind: 'rpc' | 'http', ask: (id: number) => Promise<number>): Promise<void> {
    while (this.#going) {
      const id = ++this.#ids
      try {
        assert.equal(await ask(id), id)
        this.created.push(id)
        this.#done[kind]++
      } catch (error) {
        this.failures.push(error)
      }
    }
  }

  #pick(): string {
    return urlOf(this.#live[Math.floor(Math.random() * this.#live.length)]!)
  }

  /** A connection that nobody takes is tried elsewhere; a request that was sent is not. */
  async #page(id: number): Promise<number> {
    for (;;) {
      try {
        const [response] = (await heard(
          get(`${this.#pick()}/orders/${id}`, { agent: false }),
          'response',
        )) as [IncomingMessage]
        const body = await text(response)
        assert.equal(response.statusCode, 200, body)
        return Number(body.replace('order ', ''))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') throw error
      }
    }
  }

  /** Asks over one socket until it says goodbye, then over another. */
  async #chat(): Promise<void> {
    while (this.#going) {
      const socket = new WebSocket(`${this.#pick().replace('http', 'ws')}/ws`)
      try {
        await this.#talk(socket)
      } catch (error) {
        // Not let in: nothing was asked.
        if (!/ECONNREFUSED|ECONNRESET|503/.test(String(error))) this.failures.push(error)
      } finally {
        socket.terminate()
      }
    }
  }

  async #talk(socket: WebSocket): Promise<void> {
    const closed = new Promise<number>((resolve) => socket.on('close', resolve))
    await heard(socket, 'message')
    while (this.#going) {
      const id = ++this.#ids
      const answer = heard(socket, 'message')
      socket.send(`{"method":"order","data":{"id":${id}},"correlation_id":${id}}`)
      const came = await Promise.race([answer, closed])
      // What crosses the goodbye on its way was not begun; a client asks it again elsewhere.
      if (came === 1001) return
      assert.ok(typeof came !== 'number', `the socket closed with ${came}`)
      const frame = JSON.parse(String(came[0]))
      if (frame.error?.exc_type === 'Disconnected') return
      assert.deepEqual([frame.correlation_id, frame.success], [id, true], String(came[0]))
      this.created.push(id)
      this.#done.socket++
    }
  }
}
