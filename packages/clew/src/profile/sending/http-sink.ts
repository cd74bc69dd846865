import { isIPv4 } from 'node:net'
import { ConfigError } from '../../call/index.ts'
import { HttpRoad, type SecureOptions } from './http-road.ts'
import { Sender } from './sender.ts'
import type { SendingOptions } from './sending-options.ts'
import type { SendingSink } from './sending-sink.ts'

export interface HttpSinkOptions extends SendingOptions {
  /** Of the collector: `http://127.0.0.1:7117`; what stands behind it in the path is kept. */
  readonly url: string | URL
  /** Shown to the collector, for those that ask: of role `ingest`. @default none */
  readonly token?: string | undefined
  /** Batches are compressed: less to carry, more to do. @default false */
  readonly gzip?: boolean | undefined
  /** For `https:`. @default what Node trusts */
  readonly tls?: SecureOptions | undefined
  /** The token may go to another machine by plain `http:`, readable on its way. @default false */
  readonly insecure?: boolean | undefined
}

/**
 * Sends traces to a collector by HTTP (`POST /v1/batches`), as they came and in batches. No call waits
 * for it or fails because of it: what waits is bounded, dropped when there is too much of it, and
 * counted. Docs: docs/sending.md.
 * @throws ConfigError for an address that is none, or a token that could be read on its way
 */
export function httpSink(options: HttpSinkOptions): SendingSink {
  const { url, token, gzip = false, tls = {}, insecure = false, ...sending } = options
  const address = addressOf(url)
  checkToken(token, address, insecure)
  return new Sender(new HttpRoad({ url: routeOf(address), token, gzip, tls }), sending)
}

function addressOf(url: string | URL): URL {
  const address = URL.parse(String(url))
  if (address === null || !/^https?:$/u.test(address.protocol)) {
    throw new ConfigError(
      `httpSink: url must be a collector's address, such as http://127.0.0.1:7117; got ${shown(url)}.`,
    )
  }
  if (address.username !== '' || address.password !== '') {
    throw new ConfigError('httpSink: a token goes into `token`, not into the address.')
  }
  return address
}

const shown = (url: string | URL) => JSON.stringify(String(url).replace(/\/\/.*@/u, '//…@'))

function routeOf(address: URL): URL {
  const route = new URL(address)
  route.pathname = `${address.pathname.replace(/\/+$/u, '')}/v1/batches`
  route.search = ''
  route.hash = ''
  return route
}

function checkToken(token: string | undefined, address: URL, insecure: boolean): void {
  if (token === undefined) return
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/u.test(token)) {
    throw new ConfigError('httpSink: token must be the text that `clew token` printed.')
  }
  if (address.protocol === 'https:' || insecure || isLoopback(address.hostname)) return
  throw new ConfigError(
    `httpSink: a token would go to ${address.host} readable by everybody on its way. Use https:, or say \`insecure: true\` where something else protects the way.`,
  )
}

function isLoopback(hostname: string): boolean {
  if (hostname === 'localhost' || hostname.endsWith('.localhost')) return true
  return hostname === '[::1]' || (isIPv4(hostname) && hostname.startsWith('127.'))
}
