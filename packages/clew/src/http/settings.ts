import { ConfigError } from '../call/index.ts'

/** Where the server listens, and what it puts up with: `http` in the configuration of `run`. */
export interface HttpSettings {
  /** @default '0.0.0.0', or what `WEB_SERVER_ADDRESS` says */
  readonly host: string
  /** 0: any free port; `HttpServer.address` tells which. @default 8000, or what `WEB_SERVER_ADDRESS` says */
  readonly port: number
  /** Bytes of a request's body; more is answered with 413. @default 1048576 */
  readonly maxBodyBytes: number
  /** Bytes of a request's headers; more is answered with 431. @default 16384 */
  readonly maxHeaderBytes: number
  /** Milliseconds for a request's headers to come; then 408. @default 10000 */
  readonly headersTimeoutMs: number
  /** Milliseconds for the whole request to come; then 408. @default 60000 */
  readonly requestTimeoutMs: number
  /** Milliseconds that a connection without a request stays open. @default 65000, more than balancers keep theirs */
  readonly idleTimeoutMs: number
  /** Milliseconds that a client may leave a response unread. @default 60000 */
  readonly stallTimeoutMs: number
  /** Connections at a time; more are closed at once. @default 10000 */
  readonly maxConnections: number
  /** Requests of one service that may wait for its workers; more are answered with 503. @default 200 */
  readonly maxWaiting: number
  /**
   * Milliseconds that idle connections stay open when the server stops, so that requests on their way
   * are still answered; anew with each that comes, up to twenty times as long. @default 250
   */
  readonly idleGraceMs: number
  /**
   * Whose texts error responses carry: those of `expected` errors, or `all` as in Nameko. All others
   * are answered with the status alone, for they may name what is inside. @default 'expected'
   */
  readonly errorTexts: 'expected' | 'all'
}

const DEFAULTS: HttpSettings = {
  host: '0.0.0.0',
  port: 8000,
  maxBodyBytes: 1_048_576,
  maxHeaderBytes: 16_384,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  idleTimeoutMs: 65_000,
  stallTimeoutMs: 60_000,
  maxConnections: 10_000,
  maxWaiting: 200,
  idleGraceMs: 250,
  errorTexts: 'expected',
}

const MAY_BE_ZERO: ReadonlySet<string> = new Set(['port', 'maxWaiting', 'idleGraceMs'])
const LARGEST = 0x7fffffff

/**
 * Reads `http` and Nameko's `WEB_SERVER_ADDRESS` from a service's configuration; `http` wins.
 * @throws ConfigError naming the setting that is wrong
 */
export function settingsIn(config: Readonly<Record<string, unknown>>): HttpSettings {
  const { WEB_SERVER_ADDRESS: address } = config
  const given = config.http ?? {}
  if (typeof given !== 'object' || Array.isArray(given)) {
    throw new ConfigError(
      'The setting http must be an object, such as { "host": "127.0.0.1", "port": 8000 }.',
    )
  }
  const named = Object.entries(given).filter(([name, value]) => name !== 'server' && value != null)
  for (const [name, value] of named) check(name, value)
  return {
    ...DEFAULTS,
    ...(address == null ? {} : parseAddress(address)),
    ...Object.fromEntries(named),
  }
}

function check(name: string, value: unknown): void {
  if (!Object.hasOwn(DEFAULTS, name)) {
    throw new ConfigError(
      `There is no setting http.${name}; the settings are server, ${Object.keys(DEFAULTS).join(', ')}.`,
    )
  }
  if (name === 'host') {
    if (typeof value === 'string' && value !== '') return
    throw new ConfigError(`http.host must be a host name or an address; got ${String(value)}.`)
  }
  if (name === 'errorTexts') {
    if (value === 'expected' || value === 'all') return
    throw new ConfigError(`http.errorTexts must be 'expected' or 'all'; got ${String(value)}.`)
  }
  const least = MAY_BE_ZERO.has(name) ? 0 : 1
  const most = name === 'port' ? 65_535 : LARGEST
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
    throw new ConfigError(
      `http.${name} must be a whole number from ${least} to ${most}; got ${String(value)}.`,
    )
  }
}

/** Nameko's `[address:]port`; IPv6 addresses stand in brackets, which Nameko does not know. */
function parseAddress(address: unknown): Pick<HttpSettings, 'host' | 'port'> {
  const match = /^(?:(?:\[([^\]]+)\]|([^:]*)):)?(\d+)$/u.exec(String(address))
  const port = Number(match?.[3])
  if (match === null || port > 65_535) {
    throw new ConfigError(
      `Misconfigured bind address ${JSON.stringify(address)}: WEB_SERVER_ADDRESS should be [address:]port, such as 0.0.0.0:8000.`,
    )
  }
  return { host: match[1] || match[2] || DEFAULTS.host, port }
}
