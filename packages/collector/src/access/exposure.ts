import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { isLoopback } from './loopback.ts'

export interface Exposure {
  /** Where it is to listen: an address or a name. */
  readonly host: string
  /** It speaks TLS itself. */
  readonly tls: boolean
  /** It asks for tokens. */
  readonly tokens: boolean
  /** Somebody said that a proxy in front of it speaks TLS. @default false */
  readonly behindProxy?: boolean | undefined
}

/** A collector that would let in whoever comes. */
export class ExposureError extends Error {
  override readonly name = 'ExposureError'
}

/**
 * Where to listen, when that may be: beyond this machine only with TLS and tokens. A name is looked
 * up, once, and every address of it counts; the answer is an address, so that nobody who answers for
 * names can choose another one afterwards.
 * @throws ExposureError that says how to configure it
 */
export async function checkExposure(
  wish: Exposure,
  resolve: (name: string) => Promise<readonly string[]> = addressesOf,
): Promise<{ readonly address: string; readonly loopback: boolean }> {
  const { host, tls, tokens, behindProxy = false } = wish
  if (behindProxy && !tokens) {
    throw new ExposureError(
      'Behind a proxy everybody whom the proxy lets in reaches the collector, so it needs tokens. Make some with `clew token collector create` and start it with --tokens tokens.json.',
    )
  }
  const addresses = isIP(host) === 0 ? await resolve(host) : [host]
  const [address] = addresses
  if (address === undefined) throw new ExposureError(`There is no address of ${quoted(host)}.`)
  if (addresses.every(isLoopback)) return { address, loopback: true }
  const lacking = [
    ...(tokens ? [] : ['tokens (`clew token collector create`, then --tokens tokens.json)']),
    ...(tls || behindProxy
      ? []
      : [
          'TLS (--tls-cert cert.pem --tls-key key.pem; or --behind-tls-proxy where a proxy in front of it speaks TLS and nothing else can reach it)',
        ]),
  ]
  if (lacking.length === 0) return { address, loopback: false }
  const named = isIP(host) === 0 ? `${quoted(host)} (${addresses.join(', ')})` : host
  throw new ExposureError(
    `${named} can be reached from other machines, and traces tell what a system is made of. That needs ${lacking.join(' and ')}. For this machine alone take --host 127.0.0.1.`,
  )
}

async function addressesOf(name: string): Promise<readonly string[]> {
  try {
    return (await lookup(name, { all: true })).map(({ address }) => address)
  } catch {
    throw new ExposureError(`The name ${quoted(name)} has no address here.`)
  }
}

const quoted = (name: string) => JSON.stringify(name.slice(0, 255))
