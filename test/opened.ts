import { type Broker, connect, type LogEvent, type RunOptions, run, type ServiceClass } from 'clew'
import type { Road } from './brokers.ts'

/** A cluster for one test, closed with it. */
export async function opened(road: Road) {
  const broker = road.broker()
  const log: LogEvent[] = []
  const stack = new AsyncDisposableStack()
  const cluster = await connect(broker, { delivery: road.delivery, timeoutMs: 10_000 })
  stack.use(cluster)
  return {
    broker,
    cluster,
    log,
    async start(
      services: ServiceClass | readonly ServiceClass[],
      options: Partial<RunOptions> = {},
    ) {
      const running = await run(services, quiet(road, broker, log, options))
      stack.use(running)
      return running
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

function quiet(road: Road, broker: Broker, log: LogEvent[], options: Partial<RunOptions>) {
  const { delivery } = road
  const take = (told: LogEvent) => void log.push(told)
  return { broker, delivery, signals: false, log: take, ...options }
}
