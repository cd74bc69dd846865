import type { Broker, Delivery } from 'clew'
import type { Config, ConfiguredClientOptions } from 'clew/config'
import type { ClewContext } from './command.ts'
import { usageFault } from './fault.ts'

/** Where RabbitMQ answers on a machine that was not told otherwise. */
const DEFAULT_ADDRESS = 'amqp://localhost'

const LONGEST_CONNECTING_MS = 10_000

/** The key of a configuration that names the broker; Nameko's. */
export const ADDRESS_KEY = 'AMQP_URI'

/** Names the broker where `--broker` is not given. */
export const BROKER_VARIABLE = 'CLEW_BROKER'

export const brokerFlag = {
  kind: 'parsed',
  parse: String,
  optional: true,
  placeholder: 'URL',
  brief: `where RabbitMQ answers, such as amqp://user:password@host:5672/vhost or amqps://host (default: what $${BROKER_VARIABLE} says, then ${ADDRESS_KEY} of the configuration, else ${DEFAULT_ADDRESS})`,
} as const

export const deliveryFlag = {
  kind: 'enum',
  values: ['nameko', 'fast'] as const satisfies readonly Delivery[],
  default: 'nameko',
  brief: 'durable and confirmed, or transient: then a broker restart may lose calls',
} as const

/**
 * The broker to use: what was asked for, what the environment or the configuration of this directory
 * names, or RabbitMQ on this machine. Connects to nothing yet.
 * @throws Fault when the address is none
 */
export async function openBroker(
  asked: string | undefined,
  env: ClewContext['env'],
): Promise<Broker> {
  return (await openForCalls(asked, env)).broker
}

/**
 * The same, with what the configuration of this directory says of calls.
 * @param connectTimeoutMs milliseconds to wait for a connection. @default 10000, and never more
 * @throws Fault when the address is none, or the configuration says what cannot be
 */
export async function openForCalls(
  asked: string | undefined,
  env: ClewContext['env'],
  connectTimeoutMs?: number,
): Promise<{ readonly broker: Broker; readonly options: ConfiguredClientOptions }> {
  const { clientOptions, loadConfig } = await import('clew/config')
  const config = await loadConfig({ env }).catch((error: Error) => {
    throw usageFault(error.message, { code: 'config', cause: error })
  })
  const address = asked ?? (env[BROKER_VARIABLE] || undefined)
  const values = { ...config.values, ...(address && { [ADDRESS_KEY]: address }) }
  const broker = await configuredBroker({ ...config, values }, connectTimeoutMs)
  return { broker, options: clientOptions(config) }
}

/**
 * The broker that a configuration names. Connects to nothing yet.
 * @throws Fault when the address is none, or is that of the broker in this process
 */
export async function configuredBroker(
  config: Config,
  connectTimeoutMs: number = LONGEST_CONNECTING_MS,
): Promise<Broker> {
  const { brokerOf } = await import('clew/config')
  let broker: Broker
  try {
    broker = brokerOf(config, DEFAULT_ADDRESS, {
      connectTimeoutMs: Math.min(connectTimeoutMs, LONGEST_CONNECTING_MS),
    })
  } catch (error) {
    throw usageFault(error instanceof Error ? error.message : String(error), {
      next: [`--broker ${DEFAULT_ADDRESS}`],
      cause: error,
    })
  }
  if (broker.name === 'memory') {
    throw usageFault('the in-process broker reaches nobody outside this process', {
      next: [`--broker ${DEFAULT_ADDRESS}`, 'clew demo   for services and caller in one process'],
    })
  }
  return broker
}
