import { randomBytes } from 'node:crypto'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Role } from '../http/route.ts'
import {
  NAME,
  newToken,
  ROLES,
  TENANT,
  TOKEN_HASH,
  TOKEN_ID,
  type Token,
  type TokenWish,
} from './token.ts'

/** Larger files are none of ours: 1 MiB holds some 4,000 tokens. */
const MOST_BYTES = 1024 * 1024
/** How long one that writes waits for another that does. */
const PATIENCE_MS = 2000

/** What is wrong with a file of tokens, and what to do. Its code is that of the system where it has one. */
export class TokenFileError extends Error {
  override readonly name = 'TokenFileError'
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/**
 * The tokens of a file, by id. It is JSON that only its owner can change and others cannot read (a
 * group may, as Kubernetes' secrets need it): `{ "version": 1, "tokens": [{ "id", "name", "sha256",
 * "roles", "tenant", "created", "expires" }] }`, times as ISO 8601, `expires` also `"never"`.
 * @throws TokenFileError `ENOENT` there is none, `mode`, `owner`, `damaged`, or as the system says
 */
export async function readTokenFile(path: string): Promise<ReadonlyMap<string, Token>> {
  let file: FileHandle | undefined
  try {
    file = await open(path, 'r')
    // Of what was opened, not of what the path names by now.
    const { mode, uid, size } = await file.stat()
    checkOwner(path, mode, uid)
    if (size > MOST_BYTES) throw damaged(path, 'it is larger than 1 MiB')
    const bytes = new Uint8Array(MOST_BYTES + 1)
    let length = 0
    while (length < bytes.length) {
      const { bytesRead } = await file.read(bytes, length)
      if (bytesRead === 0) break
      length += bytesRead
    }
    return parseTokens(path, Buffer.from(bytes.buffer, 0, length).toString('utf8'))
  } catch (error) {
    if (error instanceof TokenFileError) throw error
    throw fromSystem('read', path, error)
  } finally {
    await file?.close()
  }
}

function checkOwner(path: string, mode: number, uid: number): void {
  if (process.getuid === undefined) return
  if ((mode & 0o037) !== 0) {
    const bits = (mode & 0o777).toString(8)
    throw new TokenFileError(
      'mode',
      `others can read or change ${shown(path)} (mode ${bits}): chmod 600 ${shown(path)}`,
    )
  }
  if (uid !== 0 && uid !== process.getuid()) {
    throw new TokenFileError(
      'owner',
      `${shown(path)} belongs to user ${uid}, who could let in anybody: chown it to ${process.getuid()}`,
    )
  }
}

function parseTokens(path: string, text: string): ReadonlyMap<string, Token> {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    // The parser's own words would repeat what stands there.
    throw damaged(path, 'it is no JSON')
  }
  const { version, tokens } = (isRecord(parsed) ? parsed : {}) as Record<string, unknown>
  if (version !== 1) throw damaged(path, 'its "version" is not 1')
  if (!Array.isArray(tokens)) throw damaged(path, 'it has no list "tokens"')
  const byId = new Map<string, Token>()
  const names = new Set<string>()
  for (const [index, entry] of tokens.entries()) {
    const token = readToken(entry)
    if (typeof token === 'string') throw damaged(path, `token ${index + 1}: ${token}`)
    if (byId.has(token.id) || names.has(token.name)) {
      throw damaged(path, `token ${index + 1}: its id or name is that of another`)
    }
    names.add(token.name)
    byId.set(token.id, token)
  }
  return byId
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A token, or what is wrong with it. */
function readToken(value: unknown): Token | string {
  if (!isRecord(value)) return 'it is no object'
  const { id, name, sha256, roles, tenant, created, expires } = value
  if (typeof id !== 'string' || !TOKEN_ID.test(id)) return '"id" is not 16 hex digits'
  if (typeof name !== 'string' || !NAME.test(name)) return '"name" is none'
  if (typeof sha256 !== 'string' || !TOKEN_HASH.test(sha256)) return '"sha256" is not 64 hex digits'
  if (typeof tenant !== 'string' || !TENANT.test(tenant)) return '"tenant" is none'
  if (!Array.isArray(roles) || roles.length === 0 || !roles.every(isRole)) {
    return `"roles" is not a list of ${ROLES.join(', ')}`
  }
  const createdMs = readTime(created)
  const expiresMs = expires === 'never' ? undefined : readTime(expires)
  if (Number.isNaN(createdMs)) return '"created" is no time'
  if (Number.isNaN(expiresMs)) return '"expires" is neither a time nor "never"'
  return { id, name, hash: sha256, roles, tenant, createdMs, expiresMs }
}

const isRole = (value: unknown): value is Role => ROLES.includes(value as Role)

const readTime = (value: unknown) => (typeof value === 'string' ? Date.parse(value) : Number.NaN)

/**
 * Makes a token in a file, which is made too where there is none.
 * @returns the token, and the text that is shown this once
 * @throws TokenFileError as {@link readTokenFile}; `taken` there is one of that name
 * @throws TypeError when what is wished for is no token
 */
export function createToken(
  path: string,
  wish: TokenWish,
): Promise<{ readonly token: Token; readonly text: string }> {
  return changeFile(path, async (tokens) => {
    const made = newToken(wish)
    if ([...tokens.values()].some(({ name }) => name === wish.name)) {
      throw new TokenFileError('taken', `there is a token ${wish.name} in ${shown(path)} already`)
    }
    return { tokens: [...tokens.values(), made.token], answer: made }
  })
}

/**
 * Takes a token out of a file: collectors that use the file refuse it within a second.
 * @returns false where there was none of that name
 * @throws TokenFileError as {@link readTokenFile}
 */
export function revokeToken(path: string, name: string): Promise<boolean> {
  return changeFile(path, async (tokens) => {
    const left = [...tokens.values()].filter((token) => token.name !== name)
    return left.length === tokens.size ? { answer: false } : { tokens: left, answer: true }
  })
}

/** Reads and replaces the file, one at a time: the new file is also the lock of whoever writes it. */
async function changeFile<T>(
  path: string,
  change: (
    tokens: ReadonlyMap<string, Token>,
  ) => Promise<{ readonly tokens?: readonly Token[]; readonly answer: T }>,
): Promise<T> {
  const next = `${path}.new`
  const file = await openAlone(next)
  let renamed = false
  try {
    const before = await readTokenFile(path).catch((error: unknown) => {
      if (error instanceof TokenFileError && error.code === 'ENOENT')
        return new Map<string, Token>()
      throw error
    })
    const { tokens, answer } = await change(before)
    if (tokens !== undefined) {
      await file.writeFile(textOf(tokens))
      await file.sync()
      await rename(next, path)
      renamed = true
    }
    return answer
  } catch (error) {
    if (error instanceof TokenFileError || error instanceof TypeError) throw error
    throw fromSystem('write', path, error)
  } finally {
    await file.close()
    // Once renamed, a file of that name would be another's.
    if (!renamed) await rm(next, { force: true })
  }
}

async function openAlone(next: string): Promise<FileHandle> {
  const until = Date.now() + PATIENCE_MS
  for (;;) {
    try {
      return await open(next, 'wx', 0o600)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw fromSystem('write', next, error)
      if (Date.now() >= until) {
        throw new TokenFileError(
          'busy',
          `another command is changing the tokens; if none is, it left ${shown(next)}: remove that`,
        )
      }
      await delay(20 + (randomBytes(1)[0]! % 32))
    }
  }
}

function textOf(tokens: readonly Token[]): string {
  const written = tokens.map(({ id, name, hash, roles, tenant, createdMs, expiresMs }) => ({
    ...{ id, name, sha256: hash, roles, tenant, created: new Date(createdMs).toISOString() },
    expires: expiresMs === undefined ? 'never' : new Date(expiresMs).toISOString(),
  }))
  return `${JSON.stringify({ version: 1, tokens: written }, null, 2)}\n`
}

const shown = (path: string) => JSON.stringify(path).slice(1, -1)

const damaged = (path: string, why: string) =>
  new TokenFileError('damaged', `${shown(path)} is no file of tokens: ${why}`)

function fromSystem(verb: string, path: string, error: unknown): TokenFileError {
  const { code = 'failed' } = error as NodeJS.ErrnoException
  const why =
    code === 'ENOENT'
      ? 'there is no such file; `clew token collector create` makes one'
      : code === 'EACCES'
        ? 'permission denied'
        : code
  return new TokenFileError(code, `cannot ${verb} ${shown(path)}: ${why}`, { cause: error })
}
