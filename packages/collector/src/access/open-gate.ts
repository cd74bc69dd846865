import { ApiError } from '../http/api-error.ts'
import type { Gate } from '../http/gate.ts'
import type { Subject } from '../http/route.ts'
import { isLoopback } from './loopback.ts'

const LOCAL: Subject = { name: 'local', tenant: 'default', roles: ['ingest', 'read', 'admin'] }

/** What a proxy adds. They are never believed, but where one stands, so does a proxy. */
const OF_PROXIES = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip']

/**
 * Lets in everybody, as `local` of tenant `default`: for a collector that only this machine reaches
 * ({@link checkExposure}). Two ways lead round that and are closed: a proxy that somebody put in front
 * without saying so, and a page in a browser here that calls the collector by a name of its own (DNS
 * rebinding). Requests with no address come from the program itself.
 */
export function openGate(): Gate {
  return {
    isOpen: true,
    problem: undefined,
    async admit(request, _role, address) {
      if (address === '') return LOCAL
      if (!isLoopback(address)) {
        throw refusal('not_local', 'this collector has no tokens and answers this machine alone')
      }
      if (OF_PROXIES.some((name) => request.headers.has(name))) {
        throw refusal(
          'proxy',
          'this came through a proxy, and without tokens only this machine is answered',
        )
      }
      const { hostname } = new URL(request.url)
      if (!isLocalName(hostname)) {
        throw refusal('host', 'without tokens only localhost and addresses of it are answered')
      }
      return LOCAL
    },
  }
}

function isLocalName(hostname: string): boolean {
  const name = hostname.replace(/^\[(.*)\]$/u, '$1').toLowerCase()
  return isLoopback(name) || name === 'localhost' || name.endsWith('.localhost')
}

const refusal = (code: string, message: string) =>
  new ApiError(403, code, message, {
    advice: 'start the collector with --tokens and TLS, or with --behind-tls-proxy and --tokens',
  })
