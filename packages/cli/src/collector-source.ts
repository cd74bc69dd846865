import type { CollectorClient, CollectorError } from '@clew/collector/client'
import type { ClewContext } from './command.ts'
import { EXIT } from './exit.ts'
import { Fault, usageFault } from './fault.ts'
import { harmless } from './harmless.ts'

/** Names the collector where `--collector` is not given. */
export const COLLECTOR_VARIABLE = 'CLEW_COLLECTOR'
/** What lets in, where the collector asks for it: an argument would show in lists of processes. */
export const TOKEN_VARIABLE = 'CLEW_COLLECTOR_TOKEN'

export interface CollectorFlags {
  readonly collector: string | undefined
  readonly since: string | undefined
  readonly until: string | undefined
  readonly limit: number | undefined
}

/** How Node calls what is wrong with a certificate. */
const UNTRUSTED = /CERT|LEAF_SIGNATURE/u
const MOST_TRACES = 100_000
const USUAL_TRACES = 1_000

/** The flags of a command that reads files, or what a collector has. */
export const COLLECTOR_FLAGS = {
  collector: {
    kind: 'parsed',
    parse: parseUrl,
    optional: true,
    placeholder: 'URL',
    brief: `ask a collector instead of files; what else is given is a filter (or $${COLLECTOR_VARIABLE})`,
  },
  since: {
    kind: 'parsed',
    parse: String,
    optional: true,
    placeholder: 'TIME',
    brief:
      'with a collector: traces that began since, such as 15m, 2h, 7d or 2026-01-31T12:00Z (default: 1h)',
  },
  until: {
    kind: 'parsed',
    parse: String,
    optional: true,
    placeholder: 'TIME',
    brief: 'with a collector: and before (default: now)',
  },
  limit: {
    kind: 'parsed',
    parse: parseLimit,
    optional: true,
    placeholder: 'N',
    brief: `with a collector: how many traces at most, an even sample (default: ${USUAL_TRACES})`,
  },
} as const

/** What is asked of a collector in place of a file. */
interface Source {
  readonly url: string
  readonly filter: string
  readonly since: string | undefined
  readonly until: string | undefined
  readonly limit: number
  /** One trace by its id. */
  readonly id?: string | undefined
}

const PREFIX = 'collector:'

/** A source as a path, for everything that reads paths. */
const toPath = (source: Source) => PREFIX + JSON.stringify(source)

/** The source that a path stands for; undefined for a file. */
export function sourceIn(path: string): Source | undefined {
  return path.startsWith(`${PREFIX}{`)
    ? (JSON.parse(path.slice(PREFIX.length)) as Source)
    : undefined
}

/** A path as it is told to people. */
export function spokenPath(path: string): string {
  const source = sourceIn(path)
  if (source !== undefined) return `the collector at ${harmless(source.url)}`
  return path === '-' ? 'stdin' : harmless(path)
}

/**
 * What a command is to read: files as they were given, or one path that stands for a collector, whose
 * filter are the words. A collector that the environment names is asked where no file is given.
 * @param example what to type, where nothing says what to read
 * @throws Fault
 */
export function sourcesOf(
  { env }: ClewContext,
  flags: CollectorFlags,
  words: readonly string[],
  example: string,
): readonly string[] {
  const named = env[COLLECTOR_VARIABLE]
  const url = flags.collector ?? (words.length === 0 && named ? parseUrl(named) : undefined)
  if (url !== undefined) return [toPath({ ...sourceOf(flags, url), filter: words.join(' ') })]
  checkUnused(flags)
  if (words.length > 0) return words
  throw usageFault('FILE is missing', {
    next: [example, `${example.split(' ').slice(0, 2).join(' ')} --collector URL`],
  })
}

/** A path that stands for one trace of a collector. */
export const tracePathOf = (url: string, id: string) =>
  toPath({ ...sourceOf({ since: undefined, until: undefined, limit: undefined }, url), id })

/** Two filters of one collector, to be compared. */
export const filterPathsOf = (
  flags: CollectorFlags,
  url: string,
  filters: readonly string[],
): readonly string[] => filters.map((filter) => toPath({ ...sourceOf(flags, url), filter }))

function sourceOf(
  { since, until, limit = USUAL_TRACES }: Pick<CollectorFlags, 'since' | 'until' | 'limit'>,
  url: string,
): Source {
  return { url, filter: '', since, until, limit }
}

export function checkUnused({ since, until, limit }: CollectorFlags): void {
  const flag = since !== undefined ? '--since' : until !== undefined ? '--until' : '--limit'
  if (since === undefined && until === undefined && limit === undefined) return
  throw usageFault(`${flag} is for what a collector has`, { next: ['--collector URL'] })
}

/** Reads what a path stands for. @throws Fault */
export async function* readSource(source: Source): AsyncGenerator<Uint8Array> {
  const client = await clientOf(source.url, process.env)
  try {
    if (source.id !== undefined) {
      yield new TextEncoder().encode(await client.trace(source.id))
      return
    }
    const { since: from, until: to, filter, limit } = source
    const asked = { filter, from, to, limit, order: 'sample' } as const
    const { traces, matching, body } = await client.export(asked)
    if (matching === 0) throw nothingMatches(source)
    if (matching > traces) {
      const told = `${traces.toLocaleString('en-US')} of ${matching.toLocaleString('en-US')} traces, an even sample; --limit takes more`
      process.stderr.write(`note: ${told}\n`)
    }
    yield* body as unknown as AsyncIterable<Uint8Array>
  } catch (error) {
    throw await collectorFault(error, source.url, source.filter)
  }
}

function nothingMatches({ filter, since = '1h' }: Source): Fault {
  const what = filter === '' ? 'no trace' : `no trace that matches ${harmless(filter)}`
  return new Fault(`the collector has ${what} since ${harmless(since)}`, {
    ...{ exit: EXIT.notFound, code: 'no_match' },
    next: ['--since 7d', 'clew find   to see what there is'],
  })
}

/** A client of the collector there. @throws Fault where its package is not installed */
export async function clientOf(
  url: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<CollectorClient> {
  try {
    const { collectorClient } = await import('@clew/collector/client')
    return collectorClient({ url, token: env[TOKEN_VARIABLE] })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new Fault('what asks collectors is not installed', {
      ...{ exit: EXIT.notFound, code: 'no_collector', cause: error },
      why: 'it is in a package of its own, @clew/collector, which the clew command does not bring with it',
      next: ['npm install @clew/collector'],
    })
  }
}

/** The collector that is meant. @throws Fault where nothing says which */
export function collectorUrl(
  { env }: ClewContext,
  { collector }: Pick<CollectorFlags, 'collector'>,
): string {
  const url = collector ?? env[COLLECTOR_VARIABLE]
  return parseUrl(url ?? 'http://127.0.0.1:7117')
}

/** What a collector, or the way to it, did not do, as a fault; anything else as it is. */
export async function collectorFault(error: unknown, url: string, filter = ''): Promise<unknown> {
  const { CollectorError } = await import('@clew/collector/client')
  if (!(error instanceof CollectorError)) return error
  const { status, code, message, position } = error
  const advice = error.advice === undefined ? [] : [harmless(error.advice)]
  if (code === 'bad_filter' && position !== undefined) {
    return usageFault(harmless(message), {
      ...{ code: 'bad_filter', cause: error, next: advice },
      why: `${harmless(filter)}\n${' '.repeat(Math.min(position, 200))}^`,
    })
  }
  const reason = code === 'unreachable' ? reasonIn(error) : undefined
  if (reason !== undefined && UNTRUSTED.test(reason)) {
    return new Fault(`the certificate of ${harmless(url)} is not trusted`, {
      ...{ exit: exitOf(error), code, cause: error, why: reason },
      next: ['NODE_EXTRA_CA_CERTS=ca.pem clew …   to trust an authority of your own'],
    })
  }
  return new Fault(harmless(message), {
    ...{ exit: exitOf(error), code, cause: error },
    ...(reason !== undefined && { why: reason }),
    next:
      code === 'unreachable'
        ? [
            'clew collect   to run one',
            `--collector URL, or ${COLLECTOR_VARIABLE}, where it is elsewhere (asked was ${harmless(url)})`,
          ]
        : status === 401
          ? [
              `put a token into ${TOKEN_VARIABLE} (clew token collector create --role read --name me)`,
              ...advice,
            ]
          : advice,
  })
}

function exitOf({ status, code }: CollectorError) {
  if (code === 'unreachable') return EXIT.unreachable
  if (code === 'timeout') return EXIT.timeout
  if (status === 401 || status === 403) return EXIT.auth
  if (status === 404) return EXIT.notFound
  return status === 400 || status === 409 ? EXIT.usage : EXIT.failed
}

function reasonIn({ cause }: CollectorError): string {
  const inner = (cause as { cause?: { code?: string; message?: string } } | undefined)?.cause
  return harmless(inner?.code ?? inner?.message ?? String(cause))
}

export function parseUrl(text: string): string {
  const url = URL.parse(/^[\w.-]+:\d+$/u.test(text) ? `http://${text}` : text)
  if (url === null || !/^https?:$/u.test(url.protocol)) {
    throw usageFault(`${JSON.stringify(text)} is no address of a collector`, {
      next: ['--collector http://127.0.0.1:7117'],
    })
  }
  if (url.username !== '' || url.password !== '') {
    throw usageFault('a token does not belong into an address', {
      next: [`put it into ${TOKEN_VARIABLE}`],
    })
  }
  return url.href.replace(/\/+$/u, '')
}

function parseLimit(text: string): number {
  const limit = Number(text)
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST_TRACES) return limit
  throw usageFault(`${JSON.stringify(text)} is no whole number from 1 to ${MOST_TRACES}`)
}
