import { readFileSync } from 'node:fs'
import {
  type LoginMethod,
  memory,
  type RabbitmqOptions,
  rabbitmq,
  type TlsOptions,
} from '../broker/index.ts'
import { type Broker, ConfigError } from '../call/index.ts'
import type { ClientOptions, RunOptions } from '../container/index.ts'
import type { Config } from './load-config.ts'
import { logger, logSettings } from './logging.ts'

/** What of `run`'s options a configuration can say. */
export type ConfiguredOptions = Pick<
  RunOptions,
  | 'accept'
  | 'broker'
  | 'config'
  | 'delivery'
  | 'drainTimeoutMs'
  | 'log'
  | 'maxWorkers'
  | 'prefetch'
  | 'rpcExchange'
  | 'serializer'
  | 'timeoutMs'
>

interface Known {
  readonly AMQP_URI?: string | null
  readonly AMQP_SSL?: boolean | SslFiles | null
  readonly LOGIN_METHOD?: LoginMethod | null
  readonly HEARTBEAT?: number | null
  readonly serializer?: string | null
  readonly ACCEPT?: readonly string[] | null
  readonly rpc_exchange?: string | null
  readonly max_workers?: number | null
  readonly PREFETCH_COUNT?: number | null
  readonly TIMEOUT_MS?: number | null
  readonly DRAIN_TIMEOUT_MS?: number | null
  readonly DELIVERY?: 'nameko' | 'fast' | null
}

interface SslFiles {
  readonly ca_certs?: string
  readonly certfile?: string
  readonly keyfile?: string
  readonly keyfile_password?: string
}

/** What of `connect`'s options a configuration can say. */
export type ConfiguredClientOptions = Pick<
  ClientOptions,
  'accept' | 'delivery' | 'rpcExchange' | 'serializer' | 'timeoutMs'
>

/**
 * A configuration as options: `run(services, { ...runOptions(config), use: […] })`. Keys that it does
 * not give are left to `run`.
 * @throws ConfigError when the address cannot be read, or a certificate's file cannot
 */
export function runOptions(config: Config): ConfiguredOptions {
  const values = config.values as Known
  return {
    ...clientOptions(config),
    broker: brokerOf(config),
    config: config.values,
    log: logger(logSettings(config.values)),
    ...given('maxWorkers', values.max_workers),
    ...given('prefetch', values.PREFETCH_COUNT),
    ...given('drainTimeoutMs', values.DRAIN_TIMEOUT_MS),
  }
}

/** The same for callers: `connect(brokerOf(config), clientOptions(config))`. */
export function clientOptions(config: Config): ConfiguredClientOptions {
  const values = config.values as Known
  return {
    ...given('timeoutMs', values.TIMEOUT_MS),
    ...given('delivery', values.DELIVERY),
    ...given('serializer', values.serializer),
    ...given('accept', values.ACCEPT),
    ...given('rpcExchange', values.rpc_exchange),
  }
}

function given<Name extends string, T>(
  name: Name,
  value: T | null | undefined,
): { readonly [_ in Name]?: T } {
  return value === undefined || value === null ? {} : ({ [name]: value } as { [_ in Name]: T })
}

const DEFAULT_ADDRESS = 'amqp://localhost'

/**
 * The broker that AMQP_URI, AMQP_SSL, LOGIN_METHOD and HEARTBEAT name; `memory` is one in this process.
 * @param fallback where AMQP_URI is not given. @default amqp://localhost
 * @throws ConfigError when the address cannot be read, or a certificate's file cannot
 */
export function brokerOf(
  { values, file }: Config,
  fallback: string = DEFAULT_ADDRESS,
  more: RabbitmqOptions = {},
): Broker {
  const { AMQP_URI, AMQP_SSL, LOGIN_METHOD, HEARTBEAT } = values as Known
  const address = (AMQP_URI ?? fallback).replace(/^pyamqp:/u, 'amqp:')
  if (/^memory(?::|$)/u.test(address)) return memory()
  const ssl = typeof AMQP_SSL === 'object' && AMQP_SSL !== null ? tlsOf(AMQP_SSL, file) : undefined
  const secure = ssl !== undefined || AMQP_SSL === true
  return rabbitmq(secure ? address.replace(/^amqp:/u, 'amqps:') : address, {
    ...(ssl && { tls: ssl }),
    ...given('loginMethod', LOGIN_METHOD),
    ...given('heartbeatSeconds', HEARTBEAT),
    ...more,
  })
}

function tlsOf(files: SslFiles, config: string | undefined): TlsOptions {
  const read = (key: keyof SslFiles): Buffer | undefined => {
    const path = files[key]
    if (path === undefined) return undefined
    try {
      return readFileSync(path)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      throw new ConfigError(
        `${config ?? 'AMQP_SSL'}: AMQP_SSL.${key} names ${path}, which cannot be read (${code}).`,
      )
    }
  }
  return {
    ...given('ca', read('ca_certs')),
    ...given('cert', read('certfile')),
    ...given('key', read('keyfile')),
    ...given('passphrase', files.keyfile_password),
  }
}
