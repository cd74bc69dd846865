import { ConfigError } from '../call/index.ts'

/** Tells whether a page may open a socket. */
export type Origins = (origin: string | undefined, host: string | undefined) => boolean

/** Reads `websocket.origins`. @throws ConfigError when an entry is no origin */
export function readOrigins(origins: unknown): Origins {
  if (origins === '*') return () => true
  if (origins === undefined) return (origin, host) => origin === undefined || sameHost(origin, host)
  if (!Array.isArray(origins)) {
    throw new ConfigError(
      `websocket.origins must be '*' or a list such as ['https://shop.example']; got ${JSON.stringify(origins)}.`,
    )
  }
  const known = new Set(origins.map(checked))
  return (origin, host) =>
    origin === undefined || known.has(origin.toLowerCase()) || sameHost(origin, host)
}

function checked(origin: unknown): string {
  const parsed = typeof origin === 'string' && URL.canParse(origin) ? new URL(origin) : undefined
  // 'null' is what sandboxed pages and files have for an origin: any page can make itself one.
  if (
    parsed === undefined ||
    parsed.origin === 'null' ||
    parsed.origin !== String(origin).toLowerCase()
  ) {
    throw new ConfigError(
      `websocket.origins: ${JSON.stringify(origin)} is no origin; write scheme, host and port only, such as 'https://shop.example'.`,
    )
  }
  return parsed.origin
}

function sameHost(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase()
}
