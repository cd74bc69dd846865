import { ConfigError } from '../call/index.ts'
import { type Origins, readOrigins } from './origins.ts'

/** What `run({ config: { websocket: … } })` may say of sockets. */
export interface WebsocketConfig {
  /**
   * Pages that may open sockets, as browsers send them: `https://shop.example`. A browser opens
   * sockets from any page with the visitor's cookies, so others are refused with 403. Clients that
   * send no `Origin` are no browsers, and are let in. `*` lets every page in, as Nameko does.
   * @default those whose host is the one asked
   */
  readonly origins?: '*' | readonly string[]
  /** Sockets open at a time; further ones are refused with 503. @default 10000 */
  readonly maxSockets?: number
  /** Bytes of one frame from a client; a larger one closes the socket with 1009. @default 1048576 */
  readonly maxFrameBytes?: number
  /**
   * Requests of one socket that wait for the one being worked on; further ones are answered with
   * the error `Overloaded`. @default 100
   */
  readonly maxWaitingRequests?: number
  /**
   * Bytes that wait for one socket: its requests not yet begun, further ones being answered with
   * `Overloaded`; and what it has not read, beyond which it is closed with 1013. @default 4194304
   */
  readonly maxWaitingBytes?: number
  /** Channels that one socket may be subscribed to. @default 1000 */
  readonly maxSubscriptions?: number
  /**
   * Milliseconds between pings. A socket that says nothing between two of them is cut off.
   * @default 30000
   */
  readonly pingIntervalMs?: number
  /**
   * Whose errors frames name and quote: those of `expectedErrors`, or `all` as in Nameko. All others
   * are answered with `InternalServerError`, for they may name what is inside.
   * @default 'expected'
   */
  readonly errorTexts?: 'all' | 'expected'
}

/** The same with everything decided. */
export interface Limits {
  readonly origins: Origins
  readonly maxSockets: number
  readonly maxFrameBytes: number
  readonly maxWaitingRequests: number
  readonly maxWaitingBytes: number
  readonly maxSubscriptions: number
  readonly pingIntervalMs: number
  readonly errorTexts: 'all' | 'expected'
}

const NUMBERS = {
  maxSockets: 10_000,
  maxFrameBytes: 1_048_576,
  maxWaitingRequests: 100,
  maxWaitingBytes: 4_194_304,
  maxSubscriptions: 1_000,
  pingIntervalMs: 30_000,
}

const LARGEST = 0x7fffffff

/**
 * Reads `websocket` in the configuration of `run`. What is null, as YAML has it, is not given.
 * @throws ConfigError naming what is wrong in it
 */
export function limitsIn(config: Readonly<Record<string, unknown>>): Limits {
  const given = config.websocket ?? {}
  if (typeof given !== 'object' || Array.isArray(given)) {
    throw new ConfigError(
      'The setting websocket must be an object, such as { "maxSockets": 1000 }.',
    )
  }
  const { origins, errorTexts: texts, ...numbers } = given as Record<string, unknown>
  const errorTexts = texts ?? 'expected'
  if (errorTexts !== 'all' && errorTexts !== 'expected') {
    throw new ConfigError(
      `websocket.errorTexts must be 'all' or 'expected'; got ${JSON.stringify(errorTexts)}.`,
    )
  }
  const limits = { ...NUMBERS, origins: readOrigins(origins ?? undefined), errorTexts } as const
  return Object.assign({ ...limits }, Object.fromEntries(Object.entries(numbers).filter(checked)))
}

function checked([name, value]: [string, unknown]): boolean {
  if (!Object.hasOwn(NUMBERS, name)) {
    const known = ['origins', 'errorTexts', ...Object.keys(NUMBERS)].join(', ')
    throw new ConfigError(`There is no setting websocket.${name}; the settings are ${known}.`)
  }
  if (value === undefined || value === null) return false
  if (!(Number.isInteger(value) && Number(value) >= 1 && Number(value) <= LARGEST)) {
    throw new ConfigError(
      `websocket.${name} must be a whole number from 1 to ${LARGEST}; got ${JSON.stringify(value)}.`,
    )
  }
  return true
}
