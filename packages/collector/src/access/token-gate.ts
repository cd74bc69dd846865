import { stat } from 'node:fs/promises'
import { ApiError } from '../http/api-error.ts'
import type { Gate } from '../http/gate.ts'
import type { Role, Subject } from '../http/route.ts'
import { Attempts } from './attempts.ts'
import type { AuditLog } from './audit-log.ts'
import { type Token, tokenOf } from './token.ts'
import { readTokenFile, TokenFileError } from './token-file.ts'

/** How long the file is believed not to have changed. */
const LOOK_AGAIN_MS = 1000
/** A longer header is no token, and is not looked at. */
const LONGEST_HEADER = 256

export interface TokenGateOptions {
  /** Is told of failed attempts and of tokens that were read again. @default none */
  readonly audit?: AuditLog | undefined
  /** The wall clock, by which tokens expire. @default Date.now */
  readonly nowMs?: (() => number) | undefined
}

/** Why requests were not let in. */
export type RefusalReason = 'none' | 'unknown' | 'expired' | 'role'

/**
 * Lets in who shows a token of a file, in `authorization: Bearer …` and nowhere else: not in the URL,
 * which ends in logs, nor in a cookie, which browsers send unasked. The file is read again when it
 * changes, within a second. When it is gone nobody is let in; when it is damaged the tokens read last
 * go on to count, so that a slip of an editor shuts nobody out, and {@link problem} says so.
 */
export class TokenGate implements Gate {
  readonly isOpen = false
  readonly #file: string
  readonly #audit: AuditLog | undefined
  readonly #nowMs: () => number
  readonly #attempts = new Attempts()
  readonly #refused: Record<RefusalReason, number> = { none: 0, unknown: 0, expired: 0, role: 0 }
  #tokens: ReadonlyMap<string, Token> = new Map()
  #problem: string | undefined
  /** What the file looked like when it was read. */
  #read = ''
  #lookedMs = Number.NEGATIVE_INFINITY
  #reading: Promise<void> | undefined
  /** Of tokens that were let in: fire when they count no more. */
  readonly #ends = new Map<string, AbortController>()
  #watch: NodeJS.Timeout | undefined

  constructor(file: string, options: TokenGateOptions = {}) {
    this.#file = file
    this.#audit = options.audit
    this.#nowMs = options.nowMs ?? Date.now
  }

  /** What is wrong with the file, for people; undefined while all is well. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** How many requests were not let in, by reason, since it began. */
  get refused(): Readonly<Record<RefusalReason, number>> {
    return this.#refused
  }

  /** Tokens that count or have expired. */
  get size(): number {
    return this.#tokens.size
  }

  /**
   * Reads the file again, as on SIGHUP.
   * @throws TokenFileError what is wrong with it
   */
  async reload(): Promise<void> {
    this.#read = ''
    this.#lookedMs = Number.NEGATIVE_INFINITY
    const error = await this.#look()
    if (error !== undefined) throw error
  }

  async admit(request: Request, role: Role, address: string): Promise<Subject> {
    if (performance.now() - this.#lookedMs >= LOOK_AGAIN_MS) {
      this.#reading ??= this.#look().then(() => {
        this.#reading = undefined
      })
      await this.#reading
    }
    const text = bearerOf(request)
    const token = tokenOf(text ?? '', this.#tokens)
    if (token === undefined) {
      throw this.#unauthenticated(text === undefined ? 'none' : 'unknown', address)
    }
    if (token.expiresMs !== undefined && this.#nowMs() >= token.expiresMs) {
      throw this.#unauthenticated('expired', address, token)
    }
    const { name, tenant, roles } = token
    if (!roles.includes(role) && !roles.includes('admin'))
      throw this.#forbidden(token, role, address)
    return { name, tenant, roles, ended: this.#endOf(token) }
  }

  #unauthenticated(reason: 'none' | 'unknown' | 'expired', address: string, token?: Token) {
    const retryAfterS = this.#failed(reason, address, token)
    if (retryAfterS > 0) {
      return new ApiError(
        429,
        'too_many_attempts',
        'too many attempts without a token that counts',
        {
          retryAfterS,
        },
      )
    }
    const [message, advice] = WORDS[reason]
    const challenge = reason === 'none' ? '' : ', error="invalid_token"'
    return new ApiError(401, reason === 'none' ? 'no_token' : `token_${reason}`, message, {
      advice,
      headers: { 'www-authenticate': `Bearer realm="clew"${challenge}` },
    })
  }

  #forbidden(token: Token, role: Role, address: string): ApiError {
    this.#failed('role', address, token)
    return new ApiError(403, 'role', `this takes a token of role ${role}`, {
      advice: `the token ${token.name} has ${token.roles.join(', ')}`,
      headers: { 'www-authenticate': 'Bearer realm="clew", error="insufficient_scope"' },
    })
  }

  #failed(reason: RefusalReason, address: string, token?: Token): number {
    this.#refused[reason]++
    const retryAfterS = this.#attempts.failed(address)
    // What comes beyond is counted, and would only fill the log.
    if (retryAfterS === 0) {
      this.#audit?.note({
        who: { name: token?.name ?? '', tenant: token?.tenant ?? '', address },
        what: 'attempt',
        result: reason,
      })
    }
    return retryAfterS
  }

  /** Reads the file if it is another than before. @returns what is wrong with it, if anything */
  async #look(): Promise<TokenFileError | undefined> {
    this.#lookedMs = performance.now()
    try {
      const seen = await looks(this.#file)
      if (seen === this.#read) return undefined
      this.#tokens = await readTokenFile(this.#file)
      this.#endOld()
      // When it changed in between, `seen` is of before, and it is read once more: rather that than never.
      this.#read = seen
      this.#problem = undefined
      this.#tell(`${this.#tokens.size} tokens`)
      return undefined
    } catch (error) {
      const known =
        error instanceof TokenFileError
          ? error
          : new TokenFileError('failed', `the tokens cannot be read: ${String(error)}`)
      if (known.code === 'ENOENT') this.#tokens = new Map()
      this.#endOld()
      const again = this.#problem === known.message
      this.#problem = known.message
      this.#read = ''
      if (!again) this.#tell(known.code)
      return known
    }
  }

  /** While somebody may be listening to what never ends, the file is looked at although nobody asks. */
  #endOf({ id }: Token): AbortSignal {
    let end = this.#ends.get(id)
    if (end === undefined) {
      end = new AbortController()
      this.#ends.set(id, end)
      this.#watch ??= setInterval(() => {
        this.#endOld()
        void this.#look()
      }, LOOK_AGAIN_MS).unref()
    }
    return end.signal
  }

  /** Whoever has a token that was taken out, changed, or has expired, is let go. */
  #endOld(): void {
    for (const [id, end] of this.#ends) {
      const token = this.#tokens.get(id)
      const { expiresMs = Number.POSITIVE_INFINITY } = token ?? {}
      if (token !== undefined && this.#nowMs() < expiresMs) continue
      this.#ends.delete(id)
      end.abort()
    }
    if (this.#ends.size > 0) return
    clearInterval(this.#watch)
    this.#watch = undefined
  }

  #tell(result: string): void {
    const who = { name: 'collector', tenant: '', address: '' }
    this.#audit?.note({ who, what: 'tokens read', result })
  }
}

/** @throws TokenFileError */
export async function tokenGate(file: string, options: TokenGateOptions = {}): Promise<TokenGate> {
  const gate = new TokenGate(file, options)
  await gate.reload()
  return gate
}

const WORDS = {
  none: ['this collector asks for a token', 'send it as `authorization: Bearer clew_…`'],
  unknown: [
    'this token does not count here',
    'it may be revoked, of another collector, or damaged',
  ],
  expired: ['this token has expired', 'make another with `clew token collector create`'],
} as const satisfies Record<string, readonly [string, string]>

function bearerOf(request: Request): string | undefined {
  const header = request.headers.get('authorization')
  if (header === null) return undefined
  if (header.length > LONGEST_HEADER) return ''
  return /^Bearer +(\S+)$/iu.exec(header)?.[1] ?? ''
}

/** Changes whenever the file does. */
async function looks(file: string): Promise<string> {
  const { ino, size, mtimeMs, ctimeMs } = await stat(file).catch((error: unknown) => {
    const { code = 'failed' } = error as NodeJS.ErrnoException
    const words = code === 'ENOENT' ? NONE : `the file of tokens cannot be read: ${code}`
    throw new TokenFileError(code, words, { cause: error })
  })
  return [ino, size, mtimeMs, ctimeMs].join(' ')
}

const NONE =
  'there is no such file of tokens, so nobody is let in; `clew token collector create` makes one'
