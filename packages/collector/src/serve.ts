import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { checkExposure } from './access/exposure.ts'
import type { Collector } from './collector.ts'

export interface ServeOptions {
  /** @default '127.0.0.1' */
  readonly host?: string | undefined
  /** 0 for any that is free. @default 7117 */
  readonly port?: number | undefined
  /** A certificate chain and its key, PEM. @default none: HTTP */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
  /** A proxy in front of it speaks TLS, and nothing else can reach it. @default false */
  readonly behindProxy?: boolean | undefined
}

export interface Serving {
  /** Where it answers, for clients on this machine: `http://127.0.0.1:7117`. */
  readonly url: string
  /**
   * Takes no more connections, and resolves when all answers are sent, or `deadlineMs` are over and
   * the rest was broken off.
   * @param deadlineMs milliseconds. @default 5,000
   */
  close(deadlineMs?: number): Promise<void>
}

/** Bytes of headers, and milliseconds in which headers, and a whole request, must have come. */
const MOST_HEADER_BYTES = 16_384
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 60_000
const IDLE_TIMEOUT_MS = 30_000
/** Connections at a time; more wait in the system's queue or are refused. */
const MOST_CONNECTIONS = 1_024

/**
 * Lets a collector answer on a port: of this machine alone, unless it speaks TLS and asks for tokens.
 * @throws ExposureError where others could reach it unasked, and what listening throws (EADDRINUSE)
 */
export async function serve(collector: Collector, options: ServeOptions = {}): Promise<Serving> {
  const { host = '127.0.0.1', port = 7117, tls, behindProxy } = options
  const tokens = !collector.isOpen
  const { address } = await checkExposure({ host, tls: tls !== undefined, tokens, behindProxy })
  const listener = getRequestListener(
    // One that hung up has no address any more, and must not pass for the program itself.
    (request, { incoming }) => collector.fetch(request, incoming.socket.remoteAddress ?? 'gone'),
    { overrideGlobalObjects: false },
  )
  const settings = {
    ...{ maxHeaderSize: MOST_HEADER_BYTES, noDelay: true },
    ...{ headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
    keepAliveTimeout: IDLE_TIMEOUT_MS,
  }
  const server: Server =
    tls === undefined
      ? createServer(settings, listener)
      : createTlsServer({ ...settings, ...tls, minVersion: 'TLSv1.2' }, listener)
  server.maxConnections = MOST_CONNECTIONS
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, address, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return { url: urlOf(server, tls !== undefined), close: (ms) => closed(server, collector, ms) }
}

function urlOf(server: Server, tls: boolean): string {
  const { address, port, family } = server.address() as AddressInfo
  const anywhere = address === '0.0.0.0' || address === '::'
  const host = anywhere ? '127.0.0.1' : family === 'IPv6' ? `[${address}]` : address
  return `${tls ? 'https' : 'http'}://${host}:${port}`
}

async function closed(server: Server, collector: Collector, deadlineMs = 5_000): Promise<void> {
  const ended = new Promise<void>((resolve) => server.close(() => resolve()))
  collector.endTails()
  // A connection that has its answer would be kept alive for another request.
  const idle = setInterval(() => server.closeIdleConnections(), 50)
  const timer = setTimeout(() => server.closeAllConnections(), deadlineMs)
  await ended
  clearInterval(idle)
  clearTimeout(timer)
}
