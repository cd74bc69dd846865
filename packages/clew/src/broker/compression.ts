import { deflateSync, unzipSync } from 'node:zlib'
import type { HeaderValue } from '../call/index.ts'
import { UndecodableError } from './payload.ts'

/** What kombu calls gzip; the bytes that it writes are zlib's, without gzip's header. */
export const GZIP = 'application/x-gzip'

/** kombu's names for it. */
const NAMES: readonly HeaderValue[] = [GZIP, 'gzip', 'zlib']

/** A body as kombu compresses it. */
export function deflate(body: Buffer): Buffer {
  return deflateSync(body)
}

/**
 * A compressed body as it was, gzip's or zlib's.
 * @throws UndecodableError when it is damaged, of another kind, or larger than `maxBytes`
 */
export function inflate(body: Buffer, compression: HeaderValue, maxBytes: number): Buffer {
  if (!NAMES.includes(compression)) {
    const kind = String(compression).slice(0, 100)
    throw new UndecodableError(`its compression is ${kind}, not ${GZIP}`)
  }
  try {
    return unzipSync(body, { maxOutputLength: maxBytes })
  } catch (error) {
    const tooLarge = (error as { readonly code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE'
    const reason = tooLarge ? `grows to more than ${maxBytes} bytes` : 'is damaged'
    throw new UndecodableError(`its compressed body ${reason}`, { cause: error })
  }
}
