import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib'
import { ApiError } from './api-error.ts'

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

/**
 * The body of a request, inflated where it says that it is compressed; never more bytes than the limits
 * are held, whatever it claims.
 * @throws ApiError 413 too large, 415 an encoding that is not known, 400 damaged, 408 too slow
 */
export async function readBody(request: Request, limits: BodyLimits): Promise<Uint8Array> {
  const encoding = (request.headers.get('content-encoding') ?? 'identity').trim().toLowerCase()
  if (encoding !== 'identity' && !Object.hasOwn(INFLATE, encoding)) {
    throw new ApiError(415, 'encoding', 'the body is encoded in a way that is not known here', {
      advice: `send it as it is, or with content-encoding ${Object.keys(INFLATE).join(', ')}`,
    })
  }
  const bytes = await whole(request, limits.maxBytes)
  if (encoding === 'identity') return bytes
  const { maxInflatedBytes: maxOutputLength } = limits
  try {
    return await INFLATE[encoding as keyof typeof INFLATE](bytes, { maxOutputLength })
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE') {
      throw tooLarge(`more than ${maxOutputLength} bytes when it is inflated`)
    }
    throw new ApiError(400, 'damaged', `the body is no ${encoding}`, { cause: error })
  }
}

async function whole({ body, headers }: Request, maxBytes: number): Promise<Uint8Array> {
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

const tooLarge = (what: string) =>
  new ApiError(413, 'too_large', `the body is too large: ${what}`, {
    advice: 'send it in smaller parts',
  })
