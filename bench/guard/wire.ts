import { connect, type Delivery, type Plugin, rabbitmq, run } from 'clew'
import { profile } from 'clew/profile'
import { DELIVER, PUBLISH, since, type Traffic } from '../harness/amqp-traffic.ts'
import { CountingProxy } from '../harness/counting-proxy.ts'
import { quantile } from '../harness/statistics.ts'
import { countingSink } from '../micro/counting-sink.ts'
import { ERRANDS, type Errand, OrderService, ordersOf, StockService } from './orders.ts'

const WARM_UP = 5
const CALLS = 25
const ORDER_ID = 4711

/**
 * What one call moves between a process and the broker, both directions together: the median of many. A few carry
 * more, because they tell of a pause of their process, and some have acknowledgements in one frame.
 */
export interface WireFigures {
  readonly messages: number
  readonly frames: number
  readonly bytes: number
}

/** What one call of the client moves at either side, with everything that it leads to. */
export interface WireMeasured {
  readonly errand: string
  readonly client: WireFigures
  readonly service: WireFigures
}

/** Counts what calls move over RabbitMQ, each made when nothing of the one before is under way. */
export async function measureWire(
  url: string,
  { delivery, traced }: { readonly delivery: Delivery; readonly traced: boolean },
): Promise<readonly WireMeasured[]> {
  // Names as long as everywhere, and numbers of the same size: what is told of them takes bytes.
  const profiled = (host: string): readonly Plugin[] =>
    traced ? [profile({ host, sink: countingSink() })] : []
  await using serviceSide = await CountingProxy.open(url)
  await using clientSide = await CountingProxy.open(url)
  await using _running = await run([OrderService, StockService], {
    ...{ broker: rabbitmq(serviceSide.url), delivery, use: profiled('host-1'), signals: false },
  })
  await using cluster = await connect(rabbitmq(clientSide.url), {
    ...{ delivery, use: profiled('host-2') },
  })
  const orders = ordersOf(cluster)
  const call = async ({ title, run: make, events = 0 }: Errand) => {
    const before = { client: clientSide.traffic, service: serviceSide.traffic }
    const handled = StockService.handled + events
    const { accepted } = await make(orders, ORDER_ID)
    if (accepted !== ORDER_ID) throw new Error(`${title}: the order accepted is ${accepted}`)
    do await Promise.all([clientSide.quiet(), serviceSide.quiet()])
    while (StockService.handled < handled)
    return {
      client: since(clientSide.traffic, before.client),
      service: since(serviceSide.traffic, before.service),
    }
  }
  const measured: WireMeasured[] = []
  for (const errand of ERRANDS) {
    for (let made = 0; made < WARM_UP; made++) await call(errand)
    const moved: Awaited<ReturnType<typeof call>>[] = []
    for (let made = 0; made < CALLS; made++) moved.push(await call(errand))
    measured.push({
      errand: errand.title,
      client: usual(moved.map(({ client }) => client)),
      service: usual(moved.map(({ service }) => service)),
    })
  }
  return measured
}

function usual(traffic: readonly Traffic[]): WireFigures {
  const median = (of: (one: Traffic) => number) => quantile(traffic.map(of), 0.5)
  return {
    messages: median(({ methods }) => (methods[PUBLISH] ?? 0) + (methods[DELIVER] ?? 0)),
    frames: median(({ frames }) => frames),
    bytes: median(({ bytes }) => bytes),
  }
}
