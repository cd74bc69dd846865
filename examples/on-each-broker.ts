import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Rpc } from 'clew'
import {
  type Broker,
  connect,
  type Interceptor,
  memory,
  rabbitmq,
  run,
  type ServiceClass,
} from 'clew'
import { profile, type Traced, traced } from 'clew/profile'
import { type CallTree, callTree, type Trace } from 'clew/trace'

/** The budget of a reply's block, in bytes. */
const BUDGET = 16 * 1024

/** One way into a cluster of services, for one test. */
export interface Cluster {
  traced<S>(service: string): Traced<Rpc<S>>
}

/** Runs a test twice: in process, and on the RabbitMQ that CLEW_AMQP_URL names. */
export function onEachBroker(
  name: string,
  services: () => readonly ServiceClass[],
  body: (cluster: Cluster) => Promise<void>,
): void {
  const address = process.env.CLEW_AMQP_URL
  test(`${name}, in memory`, () => within(memory(), services(), body))
  test(
    `${name}, on RabbitMQ`,
    { skip: address === undefined ? 'CLEW_AMQP_URL names no RabbitMQ' : false },
    () => within(rabbitmq(address!), services(), body),
  )
}

async function within(
  broker: Broker,
  services: readonly ServiceClass[],
  body: (cluster: Cluster) => Promise<void>,
): Promise<void> {
  const sizes: number[] = []
  const measure: Interceptor = (next) => async (call) => {
    const reply = await next(call)
    sizes.push(reply.attachment?.length ?? 0)
    return reply
  }
  {
    // Innermost at the caller and outermost at the callee: both see what travels.
    await using _running = await run(services, {
      broker,
      use: [{ name: 'measure', callee: measure }, profile(), { name: 'measure', caller: measure }],
      signals: false,
    })
    await using cluster = await connect(broker, { use: [measure] })
    await body({ traced: (service) => traced(cluster.proxy(service)) })
  }
  assert.ok(
    sizes.some((size) => size > 0),
    'no reply brought a block',
  )
  assert.ok(Math.max(...sizes) <= BUDGET, `a reply carried ${Math.max(...sizes)} bytes`)
}

/** The tree of a trace that must have come home whole. */
export function wholeTree(trace: Trace): CallTree {
  assert.equal(trace.complete, true)
  const tree = callTree(trace)
  assert.deepEqual(tree.problems, [])
  assert.equal(tree.missingCalls, 0)
  assert.equal(tree.complete, true)
  return tree
}
