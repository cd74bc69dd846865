import { hash, type KeyObject } from 'node:crypto'
import { ConfigError } from '../../call/index.ts'
import { EXPIRES_SECONDS, LONGEST_NAME, MOST_AUDIENCES, MOST_USES } from './issuer.ts'
import { openToken, readToken, TOKEN_TYPE } from './jwt.ts'
import type { GrantAlgorithm, GrantKey } from './keys.ts'
import { type Refusal, Refused, shown } from './refusal.ts'
import { ReplayCache } from './replay.ts'
import { isScope, type Scope } from './scope.ts'

export interface GrantVerifierOptions {
  /**
   * Grants of any of these keys are believed. To change keys, give both for as long as grants of the
   * old one live. A function is asked at each grant.
   */
  readonly keys: readonly GrantKey[] | (() => readonly GrantKey[])
  /** Names that count as us. @default the name of the service that was asked */
  readonly audience?: string | readonly string[] | undefined
  /** Issuers believed. @default any that holds one of the keys */
  readonly issuer?: string | readonly string[] | undefined
  /** Seconds that a grant may live from its `iat`; longer ones are refused. @default 300 */
  readonly maxAgeSeconds?: number | undefined
  /** Seconds that clocks may differ. @default 5 */
  readonly toleranceSeconds?: number | undefined
  /**
   * Grants remembered until they expire, so that none is used more often than it may be. When as many
   * are remembered, grants not seen before are refused.
   * @default 100000
   */
  readonly maxRemembered?: number | undefined
  /** Milliseconds since 1970. @default the system's clock */
  readonly now?: () => number
}

/** A grant that was believed. */
export interface Grant {
  readonly keyId: string
  readonly issuer: string
  readonly subject: string
  readonly audience: readonly string[]
  readonly scope: Scope
  readonly id: string
  readonly uses: number
  readonly issuedMs: number
  readonly expiresMs: number
}

export interface GrantUse {
  /** The service that was asked. */
  readonly service: string
  /** The call for which the grant is used, and whether the broker says that it delivered it before. */
  readonly call?: { readonly id: string; readonly again: boolean } | undefined
}

export interface Judgement {
  /** The grant, when it is believed. */
  readonly grant?: Grant | undefined
  /** Why not, when it is not. */
  readonly refusal?: Refusal | undefined
}

export interface GrantVerifier {
  /** Judges a grant and uses it once. Never rejects, whatever it is given. */
  verify(token: string, use: GrantUse): Promise<Judgement>
  /** Uses a believed grant once more, for another call by the same visitor. */
  again(grant: Grant, use: GrantUse): Refusal | undefined
}

/** Characters that a grant may have; longer ones are refused before anything looks at them. */
export const MOST_CHARACTERS = 4096
/** The last part may be empty: that is how a token says that it is not signed. */
const TOKEN = /^[\w-]+\.[\w-]+\.[\w-]*$/u
const ALGORITHMS: Readonly<Record<GrantAlgorithm, readonly string[]>> = {
  // The name that RFC 9864 gives to the same algorithm.
  EdDSA: ['EdDSA', 'Ed25519'],
  HS256: ['HS256'],
}

/** A token whose signature was right. */
interface Opened {
  readonly key: KeyObject
  readonly claims: Readonly<Record<string, unknown>>
}

const MOST_OPENED = 1000

/**
 * Verifies grants.
 * @throws ConfigError when an option is impossible
 */
export function grantVerifier(options: GrantVerifierOptions): GrantVerifier {
  return new Verifier(options)
}

class Verifier implements GrantVerifier {
  readonly #keys: () => readonly GrantKey[]
  readonly #audience: readonly string[] | undefined
  readonly #issuers: readonly string[] | undefined
  readonly #maxAge: number
  readonly #tolerance: number
  readonly #replays: ReplayCache
  readonly #now: () => number
  /** Grants of several uses, by their digests: a signature takes a hundred times as long as all else. */
  readonly #opened = new Map<string, Opened>()

  constructor(options: GrantVerifierOptions) {
    const { keys, maxAgeSeconds, toleranceSeconds, maxRemembered, now = Date.now } = options
    this.#keys = typeof keys === 'function' ? keys : () => keys
    if (typeof keys !== 'function') checkKeys(keys)
    this.#audience = list(options.audience)
    this.#issuers = list(options.issuer)
    this.#maxAge = checked('maxAgeSeconds', maxAgeSeconds ?? EXPIRES_SECONDS, 1)
    this.#tolerance = checked('toleranceSeconds', toleranceSeconds ?? 5, 0)
    this.#replays = new ReplayCache(checked('maxRemembered', maxRemembered ?? 100_000, 1))
    this.#now = now
  }

  async verify(token: string, use: GrantUse): Promise<Judgement> {
    try {
      const grant = await this.#open(token, use.service)
      const refusal = this.#use(grant, use)
      return refusal === undefined ? { grant } : { refusal }
    } catch (error) {
      if (error instanceof Refused) return { refusal: error.refusal }
      const reason = `it cannot be read: ${error instanceof Error ? error.name : 'unknown error'}`
      return { refusal: { code: 'malformed', reason } }
    }
  }

  again(grant: Grant, use: GrantUse): Refusal | undefined {
    const late = this.#now() / 1000 - grant.expiresMs / 1000
    if (late >= this.#tolerance) return expired(late)
    return this.#use(grant, use)
  }

  #use(grant: Grant, { call }: GrantUse): Refusal | undefined {
    const { keyId, id, uses, expiresMs } = grant
    const untilSeconds = expiresMs / 1000 + this.#tolerance
    const key = `${keyId} ${id}`
    switch (this.#replays.use({ key, uses, untilSeconds }, this.#now() / 1000, call)) {
      case 'used':
        return undefined
      case 'used up':
        return {
          code: 'replayed',
          reason: `it was used before, as often as it may be (${uses === 1 ? 'once' : `${uses} times`})`,
        }
      case 'full':
        return {
          code: 'full',
          reason: `${this.#replays.size} grants are remembered already, as many as may be (maxRemembered)`,
        }
    }
  }

  async #open(token: string, service: string): Promise<Grant> {
    if (typeof token !== 'string') throw new Refused('malformed', 'it is no text')
    if (token.length > MOST_CHARACTERS) {
      throw new Refused(
        'too_large',
        `it has ${token.length} characters, more than ${MOST_CHARACTERS}`,
      )
    }
    const key = this.#keyOf(token)
    const digest = hash('sha256', token, 'base64')
    const known = this.#opened.get(digest)
    if (known?.key === key.verifying) return this.#judged(known.claims, key.kid, service)
    const claims = await openToken(token, key.verifying, ALGORITHMS[key.algorithm])
    if (claims === undefined) {
      throw new Refused('signature', `its signature is not of key ${shown(key.kid)}`)
    }
    const grant = this.#judged(claims, key.kid, service)
    if (grant.uses > 1) this.#remember(digest, { key: key.verifying, claims })
    return grant
  }

  #remember(digest: string, opened: Opened): void {
    const [oldest] = this.#opened.keys()
    if (this.#opened.size >= MOST_OPENED && oldest !== undefined) this.#opened.delete(oldest)
    this.#opened.set(digest, opened)
  }

  /** The key that a token names; everything that can be refused without looking at its signature is. */
  #keyOf(token: string): GrantKey {
    if (!TOKEN.test(token)) throw new Refused('malformed', 'it is no token of three parts')
    // Unused bits at the end of a part could be flipped without anybody noticing.
    if (!token.split('.').every(isCanonical)) {
      throw new Refused('malformed', 'a part of it has bits that mean nothing')
    }
    const header = readToken(token)?.header
    if (header === undefined) throw new Refused('malformed', 'its header or claims are no JSON')
    const { alg, kid, typ } = header
    if (typ !== undefined && typ !== TOKEN_TYPE && typ !== 'JWT') {
      throw new Refused('malformed', `its type is ${shown(typ)}, not ${TOKEN_TYPE}`)
    }
    const key = this.#keys().find((candidate) => candidate.kid === kid)
    if (typeof alg !== 'string' || alg.toLowerCase() === 'none') {
      throw new Refused('algorithm', `it is not signed: its algorithm is ${shown(alg)}`)
    }
    if (key === undefined) {
      throw new Refused(
        'unknown_key',
        kid === undefined ? 'it names no key' : `there is no key ${shown(kid)}`,
      )
    }
    if (!ALGORITHMS[key.algorithm].includes(alg)) {
      throw new Refused(
        'algorithm',
        `key ${shown(kid)} signs by ${key.algorithm}, not by ${shown(alg)}`,
      )
    }
    return key
  }

  #judged(claims: Readonly<Record<string, unknown>>, keyId: string, service: string): Grant {
    const grant = grantOf(claims, keyId)
    if (this.#issuers !== undefined && !this.#issuers.includes(grant.issuer)) {
      throw new Refused('issuer', `its issuer is ${shown(grant.issuer)}`)
    }
    const names = this.#audience ?? [service]
    if (!grant.audience.some((name) => names.includes(name))) {
      throw new Refused('audience', `it is for ${shown(grant.audience)}, not for ${shown(names)}`)
    }
    const now = this.#now() / 1000
    const { exp, iat, nbf = iat } = claims as { exp: number; iat: number; nbf?: number }
    if (exp <= now - this.#tolerance) throw refused(expired(now - exp))
    const early = Math.max(iat, nbf) - now
    if (early > this.#tolerance) {
      throw new Refused('not_yet', `it counts only in ${Math.ceil(early)} s`)
    }
    if (exp - iat > this.#maxAge) {
      throw new Refused(
        'too_long',
        `it lives ${exp - iat} s, longer than ${this.#maxAge} (maxAgeSeconds)`,
      )
    }
    return grant
  }
}

function isCanonical(part: string): boolean {
  return Buffer.from(part, 'base64url').toString('base64url') === part
}

function expired(lateSeconds: number): Refusal {
  return { code: 'expired', reason: `it expired ${Math.max(0, Math.floor(lateSeconds))} s ago` }
}

function refused({ code, reason }: Refusal): Refused {
  return new Refused(code, reason)
}

function grantOf(claims: Readonly<Record<string, unknown>>, keyId: string): Grant {
  const { iss, sub, aud, scope, exp, iat, nbf, jti, uses = 1 } = claims
  const audience = typeof aud === 'string' ? [aud] : aud
  claim('iss', isName(iss))
  claim('sub', isName(sub))
  claim('jti', isName(jti))
  claim('aud', Array.isArray(audience) && audience.length <= MOST_AUDIENCES)
  claim('aud', (audience as unknown[]).every(isName))
  claim('scope', isScope(scope))
  claim('exp', isMoment(exp))
  claim('iat', isMoment(iat))
  claim('nbf', nbf === undefined || isMoment(nbf))
  claim('uses', Number.isInteger(uses) && (uses as number) >= 1 && (uses as number) <= MOST_USES)
  return {
    keyId,
    issuer: iss as string,
    subject: sub as string,
    audience: audience as string[],
    scope: scope as Scope,
    id: jti as string,
    uses: uses as number,
    issuedMs: (iat as number) * 1000,
    expiresMs: (exp as number) * 1000,
  }
}

function claim(name: string, holds: boolean): void {
  if (!holds) throw new Refused('claims', `its claim ${name} is missing or impossible`)
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0 && value.length <= LONGEST_NAME
}

/** Seconds since 1970; later than the year 9999 is no moment. */
function isMoment(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value < 253_402_300_800
}

function checkKeys(keys: readonly GrantKey[]): void {
  if (!Array.isArray(keys) || keys.length === 0) {
    throw new ConfigError(
      "grantVerifier needs a key at least, such as keys: await readGrantKeys('grants.pub.json').",
    )
  }
  const names = new Set(keys.map(({ kid }) => kid))
  if (names.size < keys.length) {
    throw new ConfigError('two of the grant keys have one kid; grants could not tell them apart.')
  }
}

function checked(option: string, value: number, least: number): number {
  if (value >= least && value <= 2 ** 31) return value
  throw new ConfigError(`grantVerifier: ${option} must be a number from ${least}; got ${value}.`)
}

function list(names: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof names === 'string' ? [names] : names
}
