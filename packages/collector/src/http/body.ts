import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib'
import { ApiError } from './api-error.ts'
import { Room } from './room.ts'

export interface BodyLimits {
  /** As it comes. */
  readonly maxBytes: number
  /** Inflated. */
  readonly maxInflatedBytes: number
}

/**
 * Whoever sends fewer bytes than that twice in a row holds a place for nothing. Once is not enough: it
 * may have been this process that stood still.
 */
const SLOWEST = { bytes: 8 * 1024, ms: 2_500 } as const

const INFLATE = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
  zstd: promisify(zstdDecompress),
} as const

type Encoding = keyof typeof INFLATE

/** Bytes of bodies that are still coming, of all requests; whoever brings more is told to come again. */
const MOST_COMING_BYTES = 96 * 1024 * 1024
let coming = 0
/** Bytes of whole bodies, inflated, that are worked on at a time; more wait in order. */
const room = new Room(96 * 1024 * 1024)
/** What an honest body inflates to at most; others are tried again, with room for all they may have. */
const USUAL_RATIO = 16

/**
 * Works on the body of a request, inflated where it says that it is compressed. Never more bytes than the
 * limits are held, whatever it claims, and of all requests together never more than is documented
 * (docs/sending.md): who comes with more waits.
 * @throws ApiError 413 too large, 415 an encoding that is not known, 400 damaged, 408 too slow, 429 too many at
 * a time, 499 whoever sent it went away; and what the work throws
 */
export async function withBody<Result>(
  request: Request,
  limits: BodyLimits,
  work: (body: Uint8Array) => Promise<Result>,
): Promise<Result> {
  const encoding = (request.headers.get('content-encoding') ?? 'identity').trim().toLowerCase()
  if (encoding !== 'identity' && !Object.hasOwn(INFLATE, encoding)) {
    throw new ApiError(415, 'encoding', 'the body is encoded in a way that is not known here', {
      advice: `send it as it is, or with content-encoding ${Object.keys(INFLATE).join(', ')}`,
    })
  }
  let held = 0
  const more = (bytes: number) => {
    if (coming + bytes > MOST_COMING_BYTES) throw busy()
    coming += bytes
    held += bytes
  }
  try {
    const bytes = await whole(request, limits.maxBytes, more)
    const worked = <Worked>(size: number, then: () => Promise<Worked>) =>
      room.hold(size, () => {
        if (request.signal.aborted) throw gone()
        return then()
      })
    if (encoding === 'identity') return await worked(bytes.length, () => work(bytes))
    const most = limits.maxInflatedBytes
    const usual = Math.min(most, bytes.length * USUAL_RATIO)
    for (const size of new Set([usual, most])) {
      const done = await worked(size, async () => {
        const body = await inflateBody(bytes, encoding as Encoding, size)
        return body && ([await work(body)] as const)
      })
      if (done !== undefined) return done[0]
    }
    throw tooLarge(`more than ${most} bytes when it is inflated`)
  } finally {
    coming -= held
  }
}

/** Undefined where it would be larger. */
async function inflateBody(
  bytes: Uint8Array,
  encoding: Encoding,
  maxOutputLength: number,
): Promise<Uint8Array | undefined> {
  try {
    return await INFLATE[encoding](bytes, { maxOutputLength })
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE') return undefined
    throw new ApiError(400, 'damaged', `the body is no ${encoding}`, { cause: error })
  }
}

async function whole(
  { body, headers }: Request,
  maxBytes: number,
  more: (bytes: number) => void,
): Promise<Uint8Array> {
  if (Number(headers.get('content-length') ?? 0) > maxBytes) throw tooLarge(`${maxBytes} bytes`)
  if (body === null) return new Uint8Array(0)
  const parts: Uint8Array[] = []
  let [size, before, slowTimes] = [0, 0, 0]
  const reader = (body as ReadableStream<Uint8Array>).getReader()
  const slow = Promise.withResolvers<never>()
  slow.promise.catch(() => {})
  const watch = setInterval(() => {
    slowTimes = size - before < SLOWEST.bytes ? slowTimes + 1 : 0
    if (slowTimes === 2) slow.reject(tooSlow())
    before = size
  }, SLOWEST.ms)
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), slow.promise])
      if (done) break
      size += value.length
      if (size > maxBytes) throw tooLarge(`more than ${maxBytes} bytes`)
      more(value.length)
      parts.push(value)
    }
  } catch (error) {
    reader.cancel().catch(() => {})
    throw error
  } finally {
    clearInterval(watch)
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts, size)
}

const tooSlow = () =>
  new ApiError(408, 'slow', 'the body comes too slowly', {
    advice: 'send smaller batches',
    headers: { connection: 'close' },
  })

const busy = () =>
  new ApiError(429, 'busy', 'more comes than there is room for', { retryAfterS: 1 })

const gone = () => new ApiError(499, 'cancelled', 'nobody waits for the answer')

const tooLarge = (what: string) =>
  new ApiError(413, 'too_large', `the body is too large: ${what}`, {
    advice: 'send it in smaller parts',
  })
