import { connect, memory, type Plugin, rpc, run } from 'clew'
import { profile } from 'clew/profile'
import { countingSink } from './counting-sink.ts'
import type { Step } from './step.ts'

class OrderService {
  static readonly name = 'order_service'
  @rpc async placeOrder(order: { readonly order_id: number }): Promise<{ accepted: number }> {
    return { accepted: order.order_id }
  }
}

/** Whole calls from a client to a service, both in this process, over `memory()`. */
export async function wholeCalls(): Promise<readonly Step[]> {
  const sink = countingSink()
  const untraced = await calling([], [])
  const traced = await calling([profile({ host: 'orders' })], [profile({ host: 'client', sink })])
  const tracedRun = async (times: number) => {
    const before = sink.counts.taken
    const sum = await traced(times)
    // The last is handed over in a later turn.
    const taken = sink.counts.taken - before
    if (taken < times - 1) throw new Error(`${taken} of ${times} calls were traced`)
    return sum
  }
  return [
    {
      ...{ key: 'memoryUntraced', title: 'over memory(), nothing installed', group: 'whole' },
      run: untraced,
    },
    {
      ...{ key: 'memoryTraced', title: 'over memory(), every call traced', group: 'whole' },
      run: tracedRun,
    },
  ]
}

async function calling(
  service: readonly Plugin[],
  client: readonly Plugin[],
): Promise<(times: number) => Promise<number>> {
  const broker = memory()
  await run([OrderService], { broker, use: service, signals: false })
  const cluster = await connect(broker, { use: client })
  const orders = cluster.proxy<OrderService>('order_service')
  return async (times) => {
    let sum = 0
    for (let index = 0; index < times; index++) {
      sum += (await orders.placeOrder({ order_id: index })).accepted
    }
    return sum
  }
}
