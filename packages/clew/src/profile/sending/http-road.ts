import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http'
import { Agent as SecureAgent, request as secureRequest } from 'node:https'
import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import type { Outcome, Road } from './road.ts'

export interface HttpRoadOptions {
  /** Of the route itself. */
  readonly url: URL
  readonly token: string | undefined
  readonly gzip: boolean
  readonly tls: SecureOptions
}

/** Certificates in PEM, where the system's are not enough. */
export interface SecureOptions {
  /** Of the authority that signed the collector's. @default those that Node knows */
  readonly ca?: string | Buffer | undefined
  /** Our own, for collectors that ask for one. @default none */
  readonly cert?: string | Buffer | undefined
  readonly key?: string | Buffer | undefined
}

/** Of an answer; what is longer is no collector's. */
const MOST_ANSWER_BYTES = 64 * 1024

/** A server may close a connection that was idle just when it is used again: that is no failure. */
const CLOSED_MEANWHILE = 'closed meanwhile'

const compress = promisify(gzip)

/** Batches by HTTP, over one connection that is kept; no socket of it keeps the process alive. */
export class HttpRoad implements Road {
  readonly name: string
  readonly #options: HttpRoadOptions
  readonly #agent: PlainAgent | SecureAgent

  constructor(options: HttpRoadOptions) {
    const { url, tls } = options
    this.#options = options
    this.name = `the collector at ${url.origin}`
    const keeping = { keepAlive: true, maxSockets: 1, maxFreeSockets: 1 }
    this.#agent =
      url.protocol === 'https:' ? new SecureAgent({ ...keeping, ...tls }) : new PlainAgent(keeping)
  }

  async send(batch: Uint8Array, timeoutMs: number): Promise<Outcome> {
    const body = this.#options.gzip
      ? await compress(batch, { level: constants.Z_BEST_SPEED })
      : batch
    const outcome = await this.#post(body, timeoutMs)
    if (outcome !== CLOSED_MEANWHILE) return outcome
    const again = await this.#post(body, timeoutMs)
    return again === CLOSED_MEANWHILE ? { kind: 'later', why: 'it closes the connection' } : again
  }

  #post(body: Uint8Array, timeoutMs: number): Promise<Outcome | typeof CLOSED_MEANWHILE> {
    const { url, token, gzip } = this.#options
    const post = url.protocol === 'https:' ? secureRequest : plainRequest
    return new Promise((resolve) => {
      const request = post(url, {
        method: 'POST',
        agent: this.#agent,
        headers: {
          accept: 'application/json',
          'content-type': 'application/vnd.clew.batch',
          'content-length': body.length,
          'user-agent': 'clew',
          ...(gzip && { 'content-encoding': 'gzip' }),
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
      })
      const end = (outcome: Outcome | typeof CLOSED_MEANWHILE) => {
        clearTimeout(timer)
        resolve(outcome)
      }
      // One clock for everything: who trickles is as slow as who says nothing.
      const timer = setTimeout(() => {
        end({ kind: 'later', why: `it did not answer within ${timeoutMs} ms` })
        request.destroy()
      }, timeoutMs).unref()
      request.on('socket', (socket) => socket.unref())
      request.on('error', (error: NodeJS.ErrnoException) => {
        const idle = request.reusedSocket && error.code === 'ECONNRESET'
        end(idle ? CLOSED_MEANWHILE : { kind: 'later', why: reasonOf(error) })
      })
      request.on('response', (response) => {
        readAnswer(response, (text) => end(outcomeOf(response, text)))
      })
      request.end(body)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}

/** Node's errors for several addresses have an empty message. */
function reasonOf(error: NodeJS.ErrnoException): string {
  return error.message === '' ? (error.code ?? error.name) : error.message
}

/** Undefined where it broke off or is too long to be one. */
function readAnswer(response: IncomingMessage, done: (text: string | undefined) => void): void {
  const parts: Buffer[] = []
  let size = 0
  response.on('data', (part: Buffer) => {
    size += part.length
    if (size <= MOST_ANSWER_BYTES) parts.push(part)
    else response.destroy()
  })
  response.on('error', () => done(undefined))
  response.on('close', () => {
    done(response.complete ? Buffer.concat(parts).toString('utf8') : undefined)
  })
}

const BUSY: ReadonlySet<number> = new Set([408, 425, 429])

function outcomeOf(
  { statusCode = 0, headers }: IncomingMessage,
  text: string | undefined,
): Outcome {
  if (statusCode >= 200 && statusCode < 300) {
    const stored = text === undefined ? undefined : storedIn(text)
    if (stored !== undefined) return { kind: 'taken', stored }
    const why = text === undefined ? 'its answer broke off' : 'what answers there is no collector'
    return { kind: 'later', why }
  }
  const why = `it answered ${statusCode}${text === undefined ? '' : ` ${reasonIn(text)}`}`.trim()
  if (statusCode >= 500 || BUSY.has(statusCode)) {
    return { kind: 'later', why, afterMs: afterMs(headers['retry-after']) }
  }
  return { kind: 'refused', why, tooLarge: statusCode === 413 }
}

function afterMs(header: string | undefined): number | undefined {
  if (header === undefined) return undefined
  const ms = /^\d+$/u.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return ms > 0 ? ms : undefined
}

function storedIn(text: string): number | undefined {
  const { stored } = parsed(text)
  return typeof stored === 'number' && stored >= 0 ? Math.floor(stored) : undefined
}

/** What a collector says in its error, for people: one line, and not a long one. */
function reasonIn(text: string): string {
  const { error } = parsed(text)
  const { code, message } = asRecord(error)
  const said = [code, message].filter((part) => typeof part === 'string').join(': ')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach a terminal
  return said.replace(/[\u0000-\u001f\u007f-\u009f]/gu, ' ').slice(0, 200)
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    return asRecord(JSON.parse(text))
  } catch {
    return {}
  }
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
