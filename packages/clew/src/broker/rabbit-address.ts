import type { ConnectionOptions } from 'node:tls'
import { ConfigError } from '../call/index.ts'

/** Keys and authorities for `amqps:`, as Node's `tls` takes them. */
export type TlsOptions = Pick<
  ConnectionOptions,
  'key' | 'cert' | 'pfx' | 'passphrase' | 'ca' | 'servername' | 'ciphers' | 'minVersion'
>

export interface RabbitAddress {
  /** For the client, with the password. */
  readonly url: string
  /** For people, without it. */
  readonly shown: string
  readonly user: string
  readonly vhost: string
}

/** The largest frame RabbitMQ offers: a content header must fit into one. */
export const FRAME_MAX = 131_072

/**
 * Reads an address and adds what is to be negotiated.
 * @throws ConfigError when it is no AMQP address; without repeating a password
 */
export function readAddress(
  address: string,
  heartbeatSeconds: number,
  name: string,
): RabbitAddress {
  let url: URL
  let user: string
  let vhost: string
  try {
    url = new URL(address)
    user = decodeURIComponent(url.username) || 'guest'
    vhost = decodeURIComponent(url.pathname.slice(1)) || '/'
    decodeURIComponent(url.password)
  } catch {
    throw new ConfigError(
      'the address of RabbitMQ cannot be read: it should look like amqp://user:password@host:5672/vhost, with %-escapes for special characters',
    )
  }
  if (url.protocol !== 'amqp:' && url.protocol !== 'amqps:') {
    throw new ConfigError(
      `the address of RabbitMQ begins with ${url.protocol}// instead of amqp:// or amqps://`,
    )
  }
  const host = url.hostname === '' ? 'localhost' : url.hostname
  const port = url.port === '' ? (url.protocol === 'amqps:' ? '5671' : '5672') : url.port
  url.searchParams.set('frameMax', String(FRAME_MAX))
  url.searchParams.set('heartbeat', String(heartbeatSeconds))
  if (!url.searchParams.has('name')) url.searchParams.set('name', name)
  return {
    url: url.href,
    shown: `${url.protocol}//${encodeURIComponent(user)}@${host}:${port}/${vhost === '/' ? '' : vhost}`,
    user,
    vhost,
  }
}

/** Why a connection could not be opened and what to do about it, for people. */
export function explain(
  { shown, user, vhost }: RabbitAddress,
  reason: string,
  code: string | undefined,
): string {
  const at = `RabbitMQ at ${shown}`
  const refused = code === 'ECONNREFUSED' || reason.includes('ECONNREFUSED')
  if (refused) {
    return `${at} cannot be reached: the connection was refused (ECONNREFUSED). Is it running, and is the address right?`
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return `${at} cannot be reached: the host name is not known (${code}). Check the address.`
  }
  if (reason.includes('ACCESS_REFUSED') || reason.includes('(403)')) {
    return `${at} refuses the login of user ${user}: check user, password and permissions (${reason})`
  }
  if (reason.includes('NOT_ALLOWED') || reason.includes('(530)')) {
    return /not found/.test(reason)
      ? `${at} has no vhost ${vhost}: create it (rabbitmqctl add_vhost) or check the address (${reason})`
      : `${at} does not let user ${user} into vhost ${vhost}: grant it (rabbitmqctl set_permissions) (${reason})`
  }
  if (code !== undefined && /CERT|SSL|TLS|SIGNED|ALTNAME/.test(code)) {
    return `${at} cannot be reached by TLS: ${reason} (${code}). Check the certificates, the \`tls\` option and that the port speaks TLS.`
  }
  return `${at} cannot be reached: ${reason}${code === undefined ? '' : ` (${code})`}`
}
