import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { setImmediate } from 'node:timers/promises'

/** A response's body broke off; what was to be sent cannot be completed. */
export class BodyFailed extends Error {
  /** True when nothing has left, so that another response can take its place. */
  readonly unsent: boolean

  constructor(unsent: boolean, cause: unknown) {
    super('the body of a response failed', { cause })
    this.name = 'BodyFailed'
    this.unsent = unsent
  }
}

/**
 * Sends a response, its body no faster than the client reads it. Resolves when all was handed over,
 * or the client went away: the body is cancelled then.
 * @throws BodyFailed when the body's source throws
 */
export async function send(
  response: Response,
  outgoing: ServerResponse,
  withBody: boolean,
): Promise<void> {
  const { body } = response
  if (response.bodyUsed || body?.locked) {
    throw new BodyFailed(true, new TypeError('the body of the response was read already'))
  }
  if (outgoing.destroyed) return void (await body?.cancel().catch(() => {}))
  // An answer to HEAD may have lost its body on the way.
  if (body === null) return all(response, outgoing, withBody ? NOTHING : undefined)
  const reader = body.getReader() as ReadableStreamDefaultReader<unknown>
  const cancel = () => void reader.cancel(new Error('the client went away')).catch(() => {})
  outgoing.once('close', cancel)
  try {
    await pump(response, reader, outgoing, withBody)
  } catch (error) {
    cancel()
    throw new BodyFailed(!outgoing.headersSent, error)
  } finally {
    outgoing.off('close', cancel)
  }
}

const NOTHING = new Uint8Array(0)
/** Chunks that may be at hand at once before a body counts as a stream. */
const MOST_AT_HAND = 2

async function pump(
  response: Response,
  reader: ReadableStreamDefaultReader<unknown>,
  outgoing: ServerResponse,
  withBody: boolean,
): Promise<void> {
  // A body that was whole from the start ends at once, and then its length can be told.
  const waited = setImmediate(undefined)
  const atHand: Uint8Array[] = []
  let pending = reader.read()
  while (atHand.length < MOST_AT_HAND) {
    pending.catch(() => {})
    const next = await Promise.race([pending, waited])
    if (next === undefined) break
    if (next.done) return all(response, outgoing, Buffer.concat(atHand))
    atHand.push(bytesOf(next.value))
    pending = reader.read()
  }
  outgoing.writeHead(response.status, headersOf(response, undefined))
  outgoing.flushHeaders()
  if (!withBody) {
    outgoing.end()
    return reader.cancel()
  }
  // A body that is longer than was announced would be read as the next response, one that is shorter
  // would wait for it: a relayed response keeps the length that it had while it was compressed.
  outgoing.strictContentLength = true
  for (const chunk of atHand) await write(outgoing, chunk)
  for (let next = await pending; !next.done; next = await reader.read()) {
    await write(outgoing, bytesOf(next.value))
    if (outgoing.destroyed) return
  }
  outgoing.end()
}

function all(response: Response, outgoing: ServerResponse, body: Uint8Array | undefined): void {
  // Node sends no body to HEAD.
  outgoing.writeHead(response.status, headersOf(response, body?.byteLength))
  outgoing.end(body)
}

function write(outgoing: ServerResponse, chunk: Uint8Array): Promise<void> {
  if (outgoing.destroyed || outgoing.write(chunk)) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      outgoing.off('drain', done).off('close', done)
      resolve()
    }
    outgoing.on('drain', done).on('close', done)
  })
}

const encoder = new TextEncoder()

function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk
  if (typeof chunk === 'string') return encoder.encode(chunk)
  throw new TypeError(`a body consists of bytes or text; got ${typeof chunk}`)
}

const WITHOUT_LENGTH: ReadonlySet<number> = new Set([204, 304])

function headersOf(response: Response, length: number | undefined): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = Object.create(null)
  for (const [name, value] of response.headers) {
    if (name !== 'set-cookie') headers[name] = value
  }
  const cookies = response.headers.getSetCookie()
  if (cookies.length > 0) headers['set-cookie'] = cookies
  // How the message is framed is between the server and its client.
  delete headers.connection
  delete headers['transfer-encoding']
  if (WITHOUT_LENGTH.has(response.status)) delete headers['content-length']
  else if (length !== undefined) headers['content-length'] = length
  return headers
}
