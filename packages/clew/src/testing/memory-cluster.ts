import { memory } from '../broker/index.ts'
import type { Broker } from '../call/index.ts'
import type { ClientOptions } from '../container/index.ts'
import { type Cluster, connect, type Running, type RunOptions, run } from '../container/index.ts'
import { profile } from '../profile/index.ts'
import type { ServiceClass } from '../service/index.ts'

export interface MemoryClusterOptions extends Omit<RunOptions, 'broker' | 'signals'> {
  /** The same test on RabbitMQ: `rabbitmq(url)`. @default a broker in memory, of this cluster's own */
  readonly broker?: Broker
  /** Options of the caller that is returned. @default those of `connect` */
  readonly client?: ClientOptions
}

/** A caller, and the services it calls; closing it stops them. */
export interface MemoryCluster extends Cluster {
  readonly running: Running
}

/**
 * Runs services in this process, profiled unless `use` says otherwise, and connects a caller: the whole
 * system of an end-to-end test. Every message goes through the same wire codec as on RabbitMQ.
 * @throws ConfigError when a class or an option is wrong; whatever a dependency's start throws
 */
export async function memoryCluster(
  services: ServiceClass | readonly ServiceClass[],
  options: MemoryClusterOptions = {},
): Promise<MemoryCluster> {
  const { broker = memory(), client, use = [profile()], ...rest } = options
  const running = await run(services, { ...rest, broker, use, signals: false })
  try {
    return within(running, await connect(broker, client))
  } catch (error) {
    await running.kill()
    throw error
  }
}

function within(running: Running, cluster: Cluster): MemoryCluster {
  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= cluster.close().finally(() => running.stop())
    return closing
  }
  return {
    running,
    proxy: (service, options) => cluster.proxy(service, options),
    services: (options) => cluster.services(options),
    invoke: (service, method, args, options) => cluster.invoke(service, method, args, options),
    publish: (message, shown) => cluster.publish(message, shown),
    dispatch: (service, type, payload, options) =>
      cluster.dispatch(service, type, payload, options),
    close,
    [Symbol.asyncDispose]: close,
  }
}
