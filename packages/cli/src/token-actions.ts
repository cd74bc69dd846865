import { stat, writeFile } from 'node:fs/promises'
import type { GrantKey, Scope, UnverifiedToken } from 'clew/profile'
import {
  generateGrantKey,
  grantIssuer,
  grantVerifier,
  readGrantKeys,
  readUnverified,
} from 'clew/profile'
import type { ClewContext } from './command.ts'
import { parseDuration } from './duration.ts'
import { EXIT, type ExitCode } from './exit.ts'
import { Fault, fileFault, usageFault } from './fault.ts'
import { harmless, harmlessJson } from './harmless.ts'

/** What the command line says. */
export interface TokenFlags {
  readonly key: readonly string[] | undefined
  readonly audience: readonly string[] | undefined
  readonly scope: Scope | undefined
  readonly subject: string | undefined
  readonly issuer: string | undefined
  readonly expires: string | undefined
  readonly uses: number
  readonly kid: string | undefined
  readonly role: readonly ('ingest' | 'read' | 'admin')[] | undefined
  readonly tenant: string | undefined
  readonly name: string | undefined
  readonly file: string | undefined
  readonly algorithm: 'ed25519' | 'hmac'
  readonly out: string | undefined
  readonly printPrivate: boolean
  readonly json: boolean
}

/** What verifiers let a grant live where they are not told otherwise. */
const USUAL_MS = 300_000
const MOST_STDIN = 64 * 1024

/** `clew token key`: the private half goes into a file of our own, or where it was asked for. */
export async function makeKey({ output }: ClewContext, flags: TokenFlags): Promise<ExitCode> {
  const { out, printPrivate, kid } = flags
  if (out === undefined && !printPrivate) {
    throw usageFault('where should the private key go?', {
      next: ['clew token key -o grants.key.json', 'clew token key --print-private'],
    })
  }
  const algorithm = flags.algorithm === 'hmac' ? 'HS256' : 'EdDSA'
  const made = await orFault(generateGrantKey({ algorithm, ...(kid === undefined ? {} : { kid }) }))
  if (out !== undefined) {
    try {
      // Only for us, and never over a key that somebody may still need.
      await writeFile(out, `${JSON.stringify(made.private, null, 2)}\n`, {
        mode: 0o600,
        flag: 'wx',
      })
    } catch (error) {
      throw fileFault('write', out, error)
    }
    output.say(`the private key is in ${harmless(out)}; only you can read it`)
  }
  const shown = {
    kid: made.kid,
    public: made.public,
    ...(printPrivate && { private: made.private }),
  }
  if (flags.json) output.printJson(shown)
  else if (printPrivate) output.print(harmlessJson(made.private))
  else if (made.public !== undefined) output.print(harmlessJson(made.public))
  else output.say('a secret for HMAC has no public half: who verifies grants can make them too')
  return EXIT.ok
}

/** `clew token make`. */
export async function makeToken(context: ClewContext, flags: TokenFlags): Promise<ExitCode> {
  const { output } = context
  const { audience, scope, subject = 'anonymous', issuer = 'clew', uses } = flags
  const expires = flags.expires === undefined ? USUAL_MS : parseDuration(flags.expires)
  if (audience === undefined) {
    throw usageFault('--audience is missing: at which service does the grant count?', {
      next: ['--audience gateway'],
    })
  }
  if (scope === undefined) {
    throw usageFault('--scope is missing: what may its holder see?', {
      next: ['--scope total', '--scope own', '--scope full'],
    })
  }
  const key = chooseSigning(await keysOf(context, flags), flags.kid)
  const expiresSeconds = Math.max(1, Math.round(expires / 1000))
  if (expires > USUAL_MS) {
    output.say('this is longer than 5m: verifiers refuse it unless their maxAgeSeconds allows it')
  }
  const claims = { subject, audience, scope, uses, expiresSeconds }
  const token = await orFault((async () => grantIssuer({ key, issuer }).issue(claims))())
  if (flags.json) output.printJson({ token, ...readUnverified(token) })
  else output.print(token)
  return EXIT.ok
}

/** `clew token explain`. */
export async function explainToken(
  context: ClewContext,
  flags: TokenFlags,
  given: string | undefined,
): Promise<ExitCode> {
  const token = (given ?? (await stdin())).trim()
  const read = readUnverified(token)
  if (read === undefined) {
    throw new Fault(token === '' ? 'there is no token on stdin' : 'this is no token', {
      exit: EXIT.partial,
      code: 'no_token',
      why: 'a grant is three parts of letters, digits, - and _, with dots between',
      next: ['clew token explain TOKEN', 'clew token make … | clew token explain'],
    })
  }
  const verdict = flags.key === undefined ? undefined : await judged(context, flags, token, read)
  if (flags.json) context.output.printJson({ ...read, ...verdict })
  else printExplained(context, read, verdict)
  return verdict?.refusal === undefined ? EXIT.ok : EXIT.failed
}

interface Verdict {
  readonly believed: boolean
  readonly refusal?: { readonly code: string; readonly reason: string } | undefined
}

async function judged(
  context: ClewContext,
  flags: TokenFlags,
  token: string,
  { claims }: UnverifiedToken,
): Promise<Verdict> {
  const keys = await keysOf(context, flags)
  const { issuer } = flags
  // Who does not say whose edge it is meant for asks about everything else.
  const own = [claims.aud].flat().filter((name): name is string => typeof name === 'string')
  const audience = flags.audience ?? (own.length > 0 ? own : ['nobody'])
  const verifier = await orFault(
    (async () => grantVerifier({ keys, audience, ...(issuer === undefined ? {} : { issuer }) }))(),
  )
  const { refusal } = await verifier.verify(token, { service: '' })
  return refusal === undefined ? { believed: true } : { believed: false, refusal }
}

function printExplained(
  { output }: ClewContext,
  { header, claims }: UnverifiedToken,
  verdict: Verdict | undefined,
): void {
  const { paint } = output
  const rows: readonly (readonly [string, unknown])[] = [
    ['for', claims.aud],
    ['scope', claims.scope],
    ['subject', claims.sub],
    ['issuer', claims.iss],
    ['uses', claims.uses ?? 1],
    ['issued', moment(claims.iat)],
    ['expires', moment(claims.exp)],
    ['id', claims.jti],
    ['key', header.kid],
    ['algorithm', header.alg],
  ]
  for (const [name, value] of rows) {
    const plain = Array.isArray(value) ? value.join(', ') : value
    const words = typeof plain === 'string' ? plain : (JSON.stringify(plain) ?? '-')
    output.print(`${paint.dim(name.padEnd(9))} ${harmless(words)}`)
  }
  if (verdict === undefined) {
    output.print(`${paint.dim('verdict  ')} not verified; --key FILE says whether it is believed`)
  } else if (verdict.refusal === undefined) {
    output.print(`${paint.dim('verdict  ')} believed`)
  } else {
    const { code, reason } = verdict.refusal
    output.print(`${paint.dim('verdict  ')} refused (${code}): ${harmless(reason)}`)
  }
}

function moment(seconds: unknown): string {
  if (typeof seconds !== 'number' || !(Math.abs(seconds) < 8e12)) return String(seconds ?? '-')
  const away = Math.round(seconds - Date.now() / 1000)
  const when = away < 0 ? `${-away} s ago` : `in ${away} s`
  return `${new Date(seconds * 1000).toISOString()} (${when})`
}

async function keysOf({ output }: ClewContext, flags: TokenFlags): Promise<readonly GrantKey[]> {
  const { key: sources = [] } = flags
  if (sources.length === 0) {
    throw usageFault('--key is missing', { next: ['--key grants.key.json', '--key env:GRANT_KEY'] })
  }
  const keys: GrantKey[] = []
  for (const source of sources) {
    const open = source.startsWith('env:') ? false : await isOpen(source)
    const read = await orFault(readGrantKeys(source))
    keys.push(...read)
    if (open && read.some(({ signing }) => signing !== undefined)) {
      output.say(`others can read ${harmless(source)}, which makes grants: chmod 600 it`)
    }
  }
  return keys
}

/** True when a file can be read by others than its owner. */
async function isOpen(path: string): Promise<boolean> {
  try {
    return ((await stat(path)).mode & 0o044) !== 0
  } catch (error) {
    throw fileFault('read', path, error)
  }
}

function chooseSigning(keys: readonly GrantKey[], kid: string | undefined): GrantKey {
  const signing = keys.filter((key) => key.signing !== undefined)
  const key = kid === undefined ? signing[0] : signing.find((candidate) => candidate.kid === kid)
  if (key !== undefined) return key
  const names = signing.map((candidate) => candidate.kid)
  throw new Fault(
    kid === undefined
      ? 'this is a public key: grants are made with the private one'
      : `there is no key ${JSON.stringify(kid)} that makes grants`,
    { exit: EXIT.failed, code: 'bad_key', meant: names.map((name) => `--kid ${name}`) },
  )
}

/** What the library refuses, in its own words. */
async function orFault<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new Fault(harmless(message), { exit: EXIT.failed, code: 'bad_key', cause: error })
  }
}

async function stdin(): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += chunk
    if (text.length > MOST_STDIN) break
  }
  return text
}
