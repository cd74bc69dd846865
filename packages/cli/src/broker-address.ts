import type { Broker, Delivery } from 'clew'
import type { ClewContext } from './command.ts'
import { usageFault } from './fault.ts'

/** Where RabbitMQ answers on a machine that was not told otherwise. */
const DEFAULT_ADDRESS = 'amqp://localhost'

const LONGEST_CONNECTING_MS = 10_000

/** Names the broker where `--broker` is not given. */
export const BROKER_VARIABLE = 'CLEW_BROKER'

export const brokerFlag = {
  kind: 'parsed',
  parse: String,
  optional: true,
  placeholder: 'URL',
  brief: `where RabbitMQ answers, such as amqp://user:password@host:5672/vhost or amqps://host (default: what $${BROKER_VARIABLE} says, else ${DEFAULT_ADDRESS})`,
} as const

export const deliveryFlag = {
  kind: 'enum',
  values: ['nameko', 'fast'] as const satisfies readonly Delivery[],
  default: 'nameko',
  brief: 'durable and confirmed, or transient: then a broker restart may lose calls',
} as const

/**
 * The broker to use: what was asked for, what the environment names, or RabbitMQ on this machine.
 * Connects to nothing yet.
 * @param connectTimeoutMs milliseconds to wait for a connection. @default 10000, and never more
 * @throws Fault when the address is none
 */
export async function openBroker(
  asked: string | undefined,
  env: ClewContext['env'],
  connectTimeoutMs: number = LONGEST_CONNECTING_MS,
): Promise<Broker> {
  const address = asked ?? (env[BROKER_VARIABLE] || DEFAULT_ADDRESS)
  if (address === 'memory') {
    throw usageFault('the in-process broker reaches nobody outside this process', {
      next: [`--broker ${DEFAULT_ADDRESS}`, 'clew demo   for services and caller in one process'],
    })
  }
  const { rabbitmq } = await import('clew')
  try {
    return rabbitmq(address, {
      connectTimeoutMs: Math.min(connectTimeoutMs, LONGEST_CONNECTING_MS),
    })
  } catch (error) {
    throw usageFault(error instanceof Error ? error.message : String(error), {
      next: [`--broker ${DEFAULT_ADDRESS}`],
      cause: error,
    })
  }
}
