import type { Token } from '@clew/collector/tokens'
import type { ClewContext } from './command.ts'
import { parseDuration } from './duration.ts'
import { EXIT, type ExitCode } from './exit.ts'
import { Fault, usageFault } from './fault.ts'
import { harmless } from './harmless.ts'
import { loadCollectorTokens } from './load-collector.ts'
import { Page } from './page.ts'
import type { TokenFlags } from './token-actions.ts'

export const COLLECTOR_ACTIONS = ['create', 'list', 'revoke'] as const

const DAY_MS = 24 * 3_600_000
const USUAL_FILE = 'tokens.json'

/** `clew token collector create|list|revoke`: who may use a collector, in a file that it reads. */
export async function collectorTokens(
  context: ClewContext,
  flags: TokenFlags,
  [action, name]: readonly [string | undefined, string | undefined],
): Promise<ExitCode> {
  if (action !== 'create' && action !== 'list' && action !== 'revoke') {
    const got = action === undefined ? 'an action is missing' : `${JSON.stringify(action)} is none`
    throw usageFault(`clew token collector: ${got} of ${COLLECTOR_ACTIONS.join(', ')}`, {
      next: ['clew token collector create --role ingest --name orders', 'clew token --help'],
    })
  }
  if (action === 'list' && name !== undefined) {
    throw usageFault('clew token collector list takes no name')
  }
  const tokens = await loadCollectorTokens()
  const path = flags.file ?? USUAL_FILE
  const { TokenFileError } = tokens
  try {
    if (action === 'create')
      return await create(context, tokens, path, { wish: wishOf(flags, name), json: flags.json })
    if (action === 'list')
      return list(context, [...(await tokens.readTokenFile(path)).values()], flags)
    return await revoke(context, tokens, path, { name: name ?? flags.name, json: flags.json })
  } catch (error) {
    if (error instanceof TypeError) throw usageFault(error.message, { cause: error })
    if (!(error instanceof TokenFileError)) throw error
    const missing = error.code === 'ENOENT' && action !== 'create'
    throw new Fault(harmless(error.message), {
      exit: missing ? EXIT.notFound : EXIT.failed,
      ...{ code: missing ? 'no_such_file' : 'bad_token_file', cause: error },
    })
  }
}

type Tokens = typeof import('@clew/collector/tokens')
type Wish = Parameters<Tokens['createToken']>[1]

function wishOf(flags: TokenFlags, second: string | undefined): Wish {
  const { role: roles, tenant, expires = '90d' } = flags
  const name = flags.name ?? second
  if (roles === undefined) {
    throw usageFault('--role is missing: what is the token for?', {
      next: ['--role ingest', '--role read', '--role admin', '--role ingest,read'],
    })
  }
  if (name === undefined) {
    throw usageFault('--name is missing: who will use the token?', { next: ['--name orders'] })
  }
  return { name, roles: roles as Wish['roles'], tenant, lifeMs: parseLife(expires) }
}

/** `90d`, `2w`, what {@link parseDuration} reads, or `never`. */
function parseLife(text: string): number | undefined {
  if (text === 'never') return undefined
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([dw])$/.exec(text.trim()) ?? []
  if (number === undefined) return parseDuration(text)
  return Number(number) * DAY_MS * (unit === 'w' ? 7 : 1)
}

async function create(
  { output }: ClewContext,
  { createToken }: Tokens,
  path: string,
  { wish, json }: { readonly wish: Wish; readonly json: boolean },
): Promise<ExitCode> {
  const { token, text } = await createToken(path, wish)
  output.say(
    `${harmless(path)} has it now; a collector that uses the file takes it within a second`,
  )
  output.say(`keep what follows on stdout: it is shown this once (${expiry(token, Date.now())})`)
  if (json) output.printJson({ token: text, ...shown(token) })
  else output.print(text)
  return EXIT.ok
}

function list(
  context: ClewContext,
  tokens: readonly Token[],
  { json }: Pick<TokenFlags, 'json'>,
): ExitCode {
  if (json) {
    context.output.printJson({ tokens: tokens.map(shown) })
    return EXIT.ok
  }
  const now = Date.now()
  const page = new Page(context, false)
  page.table(
    [
      { title: 'TOKEN' },
      { title: 'ROLES' },
      { title: 'TENANT' },
      { title: 'EXPIRES' },
      { title: 'ID' },
    ],
    tokens.map((token) => ({
      cells: [token.name, token.roles.join(','), token.tenant, expiry(token, now), token.id],
      red: token.expiresMs !== undefined && token.expiresMs <= now,
    })),
  )
  return EXIT.ok
}

async function revoke(
  { output }: ClewContext,
  { revokeToken, readTokenFile }: Tokens,
  path: string,
  { name, json }: { readonly name: string | undefined; readonly json: boolean },
): Promise<ExitCode> {
  if (name === undefined) {
    throw usageFault('which token?', { next: ['clew token collector list'] })
  }
  if (!(await revokeToken(path, name))) {
    const names = [...(await readTokenFile(path)).values()].map((token) => token.name)
    throw new Fault(`there is no token ${JSON.stringify(name)} in ${harmless(path)}`, {
      ...{ exit: EXIT.notFound, code: 'no_such_token', meant: names.slice(0, 10) },
    })
  }
  if (json) output.printJson({ revoked: name })
  output.say(`${name} is revoked; collectors that use the file refuse it within a second`)
  return EXIT.ok
}

const shown = ({ id, name, roles, tenant, createdMs, expiresMs }: Token) => ({
  ...{ id, name, roles, tenant, created: new Date(createdMs).toISOString() },
  expires: expiresMs === undefined ? 'never' : new Date(expiresMs).toISOString(),
})

function expiry({ expiresMs }: Token, now: number): string {
  if (expiresMs === undefined) return 'never expires'
  const day = new Date(expiresMs).toISOString().slice(0, 10)
  const days = Math.floor(Math.abs(expiresMs - now) / DAY_MS)
  return expiresMs <= now ? `expired ${day}` : `until ${day}, ${days} d`
}
