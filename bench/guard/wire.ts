import { connect, type Delivery, type Plugin, rabbitmq, rpc, run } from 'clew'
import { profile } from 'clew/profile'
import { DELIVER, PUBLISH, since, type Traffic } from '../harness/amqp-traffic.ts'
import { CountingProxy } from '../harness/counting-proxy.ts'
import { countingSink } from '../micro/counting-sink.ts'

const WARM_UP = 5
const CALLS = 40

/** What one call moves between a process and the broker, both directions together. */
export interface WireFigures {
  readonly messages: number
  readonly frames: number
  readonly bytes: number
}

export interface WireMeasured {
  readonly client: WireFigures
  readonly service: WireFigures
}

class OrderService {
  static readonly name = 'guarded_orders'
  @rpc async placeOrder(order: { readonly order_id: number }): Promise<{ accepted: number }> {
    return { accepted: order.order_id }
  }
}

/** Counts what calls move over RabbitMQ, each made when nothing of the one before is under way. */
export async function measureWire(
  url: string,
  { delivery, traced }: { readonly delivery: Delivery; readonly traced: boolean },
): Promise<WireMeasured> {
  // Names as long as everywhere, and numbers of the same size: what is told of them takes bytes.
  const profiled = (host: string): readonly Plugin[] =>
    traced ? [profile({ host, sink: countingSink() })] : []
  await using serviceSide = await CountingProxy.open(url)
  await using clientSide = await CountingProxy.open(url)
  await using _running = await run([OrderService], {
    ...{ broker: rabbitmq(serviceSide.url), delivery, use: profiled('host-1'), signals: false },
  })
  await using cluster = await connect(rabbitmq(clientSide.url), {
    ...{ delivery, use: profiled('host-2') },
  })
  const orders = cluster.proxy<OrderService>('guarded_orders')
  const call = async () => {
    const { accepted } = await orders.placeOrder({ order_id: 4711 })
    if (accepted !== 4711) throw new Error(`the order accepted is ${accepted}`)
    await Promise.all([clientSide.quiet(), serviceSide.quiet()])
  }
  for (let made = 0; made < WARM_UP; made++) await call()
  const before = [clientSide.traffic, serviceSide.traffic] as const
  for (let made = 0; made < CALLS; made++) await call()
  return {
    client: perCall(since(clientSide.traffic, before[0])),
    service: perCall(since(serviceSide.traffic, before[1])),
  }
}

function perCall({ frames, bytes, methods }: Traffic): WireFigures {
  const messages = (methods[PUBLISH] ?? 0) + (methods[DELIVER] ?? 0)
  return { messages: messages / CALLS, frames: frames / CALLS, bytes: bytes / CALLS }
}
