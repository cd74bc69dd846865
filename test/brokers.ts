import { type Broker, type Delivery, memory, rabbitmq } from 'clew'

/** A way for calls to travel in tests, or the reason why it cannot be tried here. */
export interface Road {
  readonly name: string
  readonly delivery: Delivery
  readonly skip: string | false
  broker(): Broker
}

const url = process.env.CLEW_AMQP_URL
const skip = url === undefined && 'needs RabbitMQ: set CLEW_AMQP_URL, or run `npm test`'

/** Every road a call can take: each end-to-end test runs on all of them. */
export const ROADS: readonly Road[] = [
  { name: 'memory', delivery: 'nameko', skip: false, broker: () => memory() },
  { name: 'rabbitmq, nameko', delivery: 'nameko', skip, broker: () => rabbitmq(url ?? '') },
  { name: 'rabbitmq, fast', delivery: 'fast', skip, broker: () => rabbitmq(url ?? '') },
]

let counter = 0

/** A service name of this test run's own, so that runs beside it share no queue. */
export function uniqueName(stem: string): string {
  return `${stem}_${process.pid}_${Date.now() % 1_000_000}_${++counter}`
}
