import { ConfigError, shownAddress } from '../call/index.ts'
import {
  atLeastOne,
  boundedWait,
  type Configured,
  Dependency,
  gotInstead,
  inject,
  optionsFor,
  type WorkerContext,
} from '../service/index.ts'
import { clientOf, type RedisClient, type Sending } from './client.ts'
import type { RedisDriver } from './driver.ts'
import { RedisError, RedisTimeout, RedisUnavailable, toRedisError } from './errors.ts'
import type { AddressOptions } from './ioredis-driver.ts'

export interface RedisOptions {
  /**
   * `redis://user:password@host:6379/11` (the number is the database's), `rediss:` for TLS, or
   * `memory:`, `memory:name` for strings and hashes in this process.
   * @default the configuration's REDIS_URI
   */
  readonly url?: string
  /** Milliseconds to wait for the connection. @default 5000 */
  readonly connectTimeoutMs?: number
  /** Milliseconds to wait for an answer; never more than the worker's caller still waits. @default 5000 */
  readonly commandTimeoutMs?: number
  /** Commands without an answer at a time; more are refused. @default 1000 */
  readonly pending?: number
  /** Some other way to a Redis. @default by `url` */
  readonly driver?: RedisDriver
}

/**
 * Declares a field that holds a Redis, bound to the worker: commands appear in its trace one layer
 * down, named `{service}.{field}`, as `HGETALL products:?`. All workers share one connection, which
 * comes back by itself after an outage.
 * @param options or a function of the configuration given to `run`
 */
export function redis(options: Configured<RedisOptions> = {}): RedisClient {
  return inject(new RedisDependency(options))
}

class RedisDependency extends Dependency<RedisClient> {
  readonly #configured: Configured<RedisOptions>
  #sending: Omit<Sending, 'worker' | 'service'> | undefined
  #driver: RedisDriver | undefined
  #connectTimeoutMs = 0

  constructor(configured: Configured<RedisOptions>) {
    super()
    this.#configured = configured
  }

  override async setup(): Promise<void> {
    const { service, config } = this.host
    const options = optionsFor(this.#configured, this.host)
    const name = `${service}.${this.field}`
    const connectTimeoutMs = atLeastOne(name, 'connectTimeoutMs', options.connectTimeoutMs ?? 5000)
    this.#connectTimeoutMs = connectTimeoutMs
    const commandTimeoutMs = atLeastOne(name, 'commandTimeoutMs', options.commandTimeoutMs ?? 5000)
    const most = atLeastOne(name, 'pending', options.pending ?? 1000)
    const url = options.driver === undefined ? addressOf(options.url, config, service) : ''
    this.#driver = options.driver ?? (await driverFor({ url, connectTimeoutMs, application: name }))
    const label = url === '' ? name : `${name} (${shownAddress(url)})`
    this.#sending = sendingThrough(this.#driver, { label, commandTimeoutMs, most })
  }

  override async start(): Promise<void> {
    const limits = {
      timeoutMs: this.#connectTimeoutMs,
      worker: undefined,
      what: 'connecting',
      error: limitError,
    }
    await boundedWait(limits, () => this.#driver!.open()).catch((error: unknown) => {
      const message = `${this.host.service}.${this.field} cannot be reached yet; going on trying`
      this.host.log({ level: 'warn', message, service: this.host.service, error })
    })
  }

  override get(worker: WorkerContext): RedisClient {
    return clientOf({ ...this.#sending!, worker, service: `${this.host.service}.${this.field}` })
  }

  override stop(): Promise<void> | undefined {
    return this.#driver?.close()
  }

  override kill(): Promise<void> | undefined {
    return this.#driver?.close()
  }
}

interface Bounds {
  readonly label: string
  readonly commandTimeoutMs: number
  readonly most: number
}

function sendingThrough(
  driver: RedisDriver,
  { label, commandTimeoutMs, most }: Bounds,
): Omit<Sending, 'worker' | 'service'> {
  let pending = 0
  const bounded = async <T>(worker: WorkerContext, shown: string, begin: () => Promise<T>) => {
    if (pending >= most) {
      throw new RedisUnavailable(`${label} owes ${most} answers already; ${shown} was not sent.`)
    }
    const what = `${shown} on ${label}`
    const limits = { timeoutMs: commandTimeoutMs, worker, what, error: limitError }
    try {
      return await boundedWait(limits, () => {
        pending++
        return begin().finally(() => pending--)
      })
    } catch (error) {
      throw toRedisError(error, label)
    }
  }
  return {
    keysOf: driver.keysOf,
    send: (worker, command, shown) => bounded(worker, shown, () => driver.send(command)),
    batch: (worker, commands, atomic, shown) =>
      bounded(worker, shown, () => driver.batch(commands, atomic)),
  }
}

function limitError(code: 'timeout' | 'cancelled', message: string): RedisError {
  return code === 'timeout' ? new RedisTimeout(message) : new RedisError(code, message)
}

async function driverFor(options: AddressOptions): Promise<RedisDriver> {
  if (options.url.startsWith('memory:')) {
    const { memoryDriver } = await import('./memory-driver.ts')
    return memoryDriver(options.url)
  }
  try {
    const { ioredisDriver } = await import('./ioredis-driver.ts')
    return ioredisDriver(options)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    const message = `${options.application}: ${shownAddress(options.url)} needs the package ioredis, which is not installed: "npm install ioredis".`
    throw new ConfigError(message, { cause: error })
  }
}

function addressOf(
  given: string | undefined,
  config: Readonly<Record<string, unknown>>,
  service: string,
): string {
  const url: unknown = given ?? config.REDIS_URI
  if (typeof url === 'string' && /^(?:rediss?:\/\/|memory:)/.test(url)) {
    if (URL.canParse(url)) return url
    // The library's own error would hold the whole of it.
    throw new ConfigError(
      `The address of the Redis of service ${service} cannot be read: it should look like redis://user:password@host:6379/11, with %-escapes for special characters.`,
    )
  }
  const got = gotInstead(url)
  throw new ConfigError(
    `Service ${service} needs the address of its Redis: redis({ url }), or REDIS_URI in the configuration, such as redis://localhost:6379/11, or memory: for one in this process. Got ${got}.`,
  )
}
