import { ConfigError, newCallId } from '../../call/index.ts'
import { signToken } from './jwt.ts'
import type { GrantKey } from './keys.ts'
import { isScope, SCOPES, type Scope } from './scope.ts'

export interface GrantIssuerOptions {
  /** Signs the grants; one that only verifies will not do. */
  readonly key: GrantKey
  /** Who we are; verifiers may ask for a certain one. @default 'clew' */
  readonly issuer?: string
  /** Milliseconds since 1970. @default the system's clock */
  readonly now?: () => number
}

export interface GrantClaims {
  /** Whom the grant is for: a customer, a person, a service. For logs. */
  readonly subject: string
  /** Names of the services at whose edge it counts. */
  readonly audience: string | readonly string[]
  /** What they may see. */
  readonly scope: Scope
  /** @default 300. Verifiers refuse grants that live longer than their `maxAgeSeconds`. */
  readonly expiresSeconds?: number | undefined
  /** How many calls it covers, at each process that verifies. @default 1; at most 1,000,000 */
  readonly uses?: number | undefined
}

export interface GrantIssuer {
  /**
   * Signs a grant: the text that travels in the header `clew-grant`.
   * @throws ConfigError when a claim is impossible
   */
  issue(claims: GrantClaims): Promise<string>
  /**
   * Grants without end, for `connect(broker, { grant })` and `profile({ grant })`: each is handed out
   * as often as it has uses, and until half of its time is over.
   */
  source(claims: SourceClaims): (service: string) => Promise<string>
}

export interface SourceClaims extends Omit<GrantClaims, 'audience'> {
  /**
   * @default the service that is called, so that none can use its callers' grants at another. Events
   *   go to whoever listens: for them the listeners must be named.
   */
  readonly audience?: string | readonly string[] | undefined
  /** @default 1000 */
  readonly uses?: number | undefined
}

/** What a grant lives and how often it counts, where nobody says otherwise. */
export const EXPIRES_SECONDS = 300
export const MOST_USES = 1_000_000
/** Names in claims: longer ones make no grant. */
export const LONGEST_NAME = 256
export const MOST_AUDIENCES = 16

const USES_OF_SOURCE = 1000
/** Callees whose grants are kept at a time. */
const MOST_SOURCES = 1000

/**
 * Makes grants.
 * @throws ConfigError when the key cannot sign
 */
export function grantIssuer(options: GrantIssuerOptions): GrantIssuer {
  const { key, issuer = 'clew', now = Date.now } = options
  if (typeof key?.kid !== 'string') {
    throw new ConfigError(
      "grantIssuer needs a private key, such as one of await readGrantKeys('grants.key.json').",
    )
  }
  const { signing: material } = key
  if (material === undefined) {
    throw new ConfigError(
      `grant key ${key.kid} is a public one; grants are made with a private one.`,
    )
  }
  named('issuer', issuer)
  const issue = async (claims: GrantClaims): Promise<string> => {
    const { subject, audience, scope, expiresSeconds, uses } = checked(claims)
    const iat = Math.floor(now() / 1000)
    const lifetime = { iat, nbf: iat, exp: iat + expiresSeconds }
    const content = { iss: issuer, sub: subject, aud: audience, scope, ...lifetime }
    const { kid, algorithm } = key
    return signToken({ ...content, jti: newCallId(), uses }, { kid, algorithm, material })
  }
  return {
    issue,
    source(claims) {
      const { audience } = claims
      checked({ ...claims, audience: audience ?? 'any' })
      if (audience !== undefined) return reusing(issue, { ...claims, audience }, now)
      const sources = new Map<string, () => Promise<string>>()
      return (service) => {
        let next = sources.get(service)
        if (next === undefined) {
          next = reusing(issue, { ...claims, audience: service }, now)
          const [oldest] = sources.keys()
          if (sources.size >= MOST_SOURCES && oldest !== undefined) sources.delete(oldest)
          sources.set(service, next)
        }
        return next()
      }
    },
  }
}

/** Hands a grant out again while it counts. */
function reusing(
  issue: GrantIssuer['issue'],
  claims: GrantClaims,
  now: () => number,
): () => Promise<string> {
  const { uses = USES_OF_SOURCE, expiresSeconds = EXPIRES_SECONDS } = claims
  let current: Promise<string> | undefined
  let left = 0
  let until = 0
  return () => {
    if (current === undefined || left <= 0 || now() >= until) {
      left = uses
      until = now() + expiresSeconds * 500
      const made = issue({ ...claims, uses })
      made.catch(() => {
        if (current === made) current = undefined
      })
      current = made
    }
    left--
    return current
  }
}

type Checked = Required<{ [Key in keyof GrantClaims]: NonNullable<GrantClaims[Key]> }>

function checked(claims: GrantClaims): Checked {
  const { subject, audience, scope, expiresSeconds = EXPIRES_SECONDS, uses = 1 } = claims
  named('subject', subject)
  const audiences = typeof audience === 'string' ? [audience] : audience
  if (!Array.isArray(audiences) || audiences.length === 0 || audiences.length > MOST_AUDIENCES) {
    throw new ConfigError(
      `a grant's audience is a service's name, or 1 to ${MOST_AUDIENCES} of them.`,
    )
  }
  for (const name of audiences) named('audience', name)
  if (!isScope(scope)) {
    throw new ConfigError(`a grant's scope is one of ${SCOPES.join(', ')}; got ${String(scope)}.`)
  }
  if (!Number.isInteger(expiresSeconds) || expiresSeconds < 1 || expiresSeconds > 2 ** 31) {
    throw new ConfigError(
      `a grant expires after a whole number of seconds, 1 or more; got ${expiresSeconds}.`,
    )
  }
  if (!Number.isInteger(uses) || uses < 1 || uses > MOST_USES) {
    throw new ConfigError(`a grant's uses are a whole number from 1 to ${MOST_USES}; got ${uses}.`)
  }
  return { subject, audience, scope, expiresSeconds, uses }
}

function named(claim: string, value: unknown): void {
  if (typeof value === 'string' && value.length > 0 && value.length <= LONGEST_NAME) return
  throw new ConfigError(`a grant's ${claim} is a name of 1 to ${LONGEST_NAME} characters.`)
}
