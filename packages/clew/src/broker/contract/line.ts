import type { TestContext } from 'node:test'
import type { Connection, Delivery, Problem } from '../../call/index.ts'
import { type Channel, GuardedClient } from '../frame-guard.ts'
import { type RabbitmqOptions, rabbitmq } from '../rabbitmq.ts'
import { TcpProxy } from './tcp-proxy.ts'

const url = process.env.CLEW_AMQP_URL

export interface Line {
  readonly proxy: TcpProxy
  readonly connection: Connection
  readonly problems: Problem[]
  /** Resolves when a problem of that kind is told. */
  told(kind: string): Promise<void>
}

/** A connection over a network that can be broken. */
export async function line(
  t: TestContext,
  delivery: Delivery = 'nameko',
  options: RabbitmqOptions = {},
): Promise<Line> {
  const proxy = await TcpProxy.open(url!)
  const problems: Problem[] = []
  const waiting: [string, () => void][] = []
  const onProblem = (problem: Problem) => {
    problems.push(problem)
    for (const [kind, resolve] of waiting) if (kind === problem.kind) resolve()
  }
  const connection = await rabbitmq(proxy.url, options).connect({ delivery, onProblem })
  t.after(async () => {
    await connection.close()
    await proxy[Symbol.asyncDispose]()
  })
  const told = (kind: string) =>
    new Promise<void>((resolve) => {
      waiting.push([kind, resolve])
      if (problems.some((problem) => problem.kind === kind)) resolve()
    })
  return { proxy, connection, problems, told }
}

export async function direct(t: TestContext): Promise<Connection> {
  const connection = await rabbitmq(url!).connect({})
  t.after(() => connection.close())
  return connection
}

/** Frame of a connection-level method, as the broker would send it. */
function connectionFrame(method: number, payload: Buffer): Buffer {
  const head = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 10, 0, method])
  head.writeUInt32BE(4 + payload.length, 3)
  return Buffer.concat([head, payload, Buffer.from([0xce])])
}

export const BLOCKED = connectionFrame(60, Buffer.from('\x0alow memory'))
export const UNBLOCKED = connectionFrame(61, Buffer.alloc(0))

/** Does something at the broker behind everybody's back. */
export async function behind(act: (channel: Channel) => Promise<unknown>): Promise<void> {
  const client = new GuardedClient(url!)
  await client.connect()
  await act(await client.channel())
  await client.close()
}

export async function deleteQueue(name: string): Promise<void> {
  await behind((channel) => channel.queueDelete(name))
}
