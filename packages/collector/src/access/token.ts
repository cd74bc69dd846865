import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Role } from '../http/route.ts'

/** What is kept of a token: everything but its secret. */
export interface Token {
  /** 16 hex digits, part of the token: by which it is looked up. */
  readonly id: string
  /** For people: whose it is. Unique in its file. */
  readonly name: string
  /** SHA-256 of the secret, 64 hex digits. */
  readonly hash: string
  readonly roles: readonly Role[]
  /** Whose traces it gives and takes. */
  readonly tenant: string
  /** Milliseconds since 1970. */
  readonly createdMs: number
  /** Milliseconds since 1970; undefined for one that counts for ever. */
  readonly expiresMs: number | undefined
}

export interface TokenWish {
  /** 1 to 64 letters, digits and `. _ @ -`. */
  readonly name: string
  readonly roles: readonly Role[]
  /** @default 'default' */
  readonly tenant?: string | undefined
  /** How long it counts; undefined is for ever. */
  readonly lifeMs: number | undefined
}

/** How long a token counts where nobody says: 90 days. */
export const USUAL_LIFE_MS = 90 * 24 * 3_600_000

export const ROLES: readonly Role[] = ['ingest', 'read', 'admin']
export const NAME = /^[\w.@-]{1,64}$/u
export const TENANT = /^[A-Za-z0-9][\w.-]{0,62}$/u
export const TOKEN_ID = /^[0-9a-f]{16}$/u
export const TOKEN_HASH = /^[0-9a-f]{64}$/u

const WHOLE = /^clew_([0-9a-f]{16})_([\w-]{43})$/u

/**
 * A new token: what to keep, and the text for whoever will use it, `clew_<id>_<secret>`. The secret is
 * 256 random bits, so one round of SHA-256 keeps it as well as a slow hash would: there is nothing to guess.
 * @throws TypeError when name, tenant or roles are none
 */
export function newToken(wish: TokenWish, nowMs = Date.now()): { token: Token; text: string } {
  const { name, roles, tenant = 'default', lifeMs } = wish
  if (!NAME.test(name)) {
    throw new TypeError(`a token's name is 1 to 64 letters, digits and . _ @ -`)
  }
  if (!TENANT.test(tenant)) {
    throw new TypeError(
      `a tenant's name is 1 to 63 letters, digits and . _ - and begins with a letter or digit`,
    )
  }
  if (roles.length === 0 || !roles.every((role) => ROLES.includes(role))) {
    throw new TypeError(`a token has one role or more of ${ROLES.join(', ')}`)
  }
  if (lifeMs !== undefined && !(lifeMs > 0 && nowMs + lifeMs < 8.64e15)) {
    throw new TypeError('a token lives for some time, or for ever')
  }
  const id = randomBytes(8).toString('hex')
  const secret = randomBytes(32).toString('base64url')
  const token: Token = {
    ...{ id, name, tenant, hash: hashOf(secret), createdMs: nowMs },
    roles: ROLES.filter((role) => roles.includes(role)),
    expiresMs: lifeMs === undefined ? undefined : Math.round(nowMs + lifeMs),
  }
  return { token, text: `clew_${id}_${secret}` }
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

/** Stands for tokens that are not there, so that looking for one takes the same steps and time. */
const NOBODY: Token = {
  ...{ id: '', name: '', hash: '0'.repeat(64), roles: [], tenant: '', createdMs: 0 },
  expiresMs: undefined,
}

/** Which of the tokens this text is, if any; told apart in the same time whatever is wrong with it. */
export function tokenOf(text: string, tokens: ReadonlyMap<string, Token>): Token | undefined {
  const [, id = '', secret = ''] = WHOLE.exec(text) ?? []
  const token = tokens.get(id) ?? NOBODY
  const same = timingSafeEqual(Buffer.from(hashOf(secret)), Buffer.from(token.hash))
  return same && token !== NOBODY ? token : undefined
}

const SECRETS = /(clew_[0-9a-f]{16})_[\w-]{20,}/gu

/** The text with the secrets of tokens left out. */
export function withoutSecrets(text: string): string {
  return text.replace(SECRETS, '$1_…')
}
