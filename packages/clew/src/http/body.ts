import type { IncomingMessage } from 'node:http'
import { BodyTooLarge } from './failure.ts'

/** True when the request announces a body longer than the limit. */
export function announcesTooMuch(incoming: IncomingMessage, limit: number): boolean {
  return Number(incoming.headers['content-length'] ?? 0) > limit
}

/** True when a body may follow the headers. */
export function hasBody({ headers, method }: IncomingMessage): boolean {
  if (method === 'GET' || method === 'HEAD' || method === 'TRACE') return false
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/**
 * A request's body, read from the socket no faster than it is asked for. Reading fails with
 * BodyTooLarge at the limit, and when the client goes away.
 */
export function boundedBody(incoming: IncomingMessage, limit: number): ReadableStream<Uint8Array> {
  let chunks: AsyncIterator<Buffer> | undefined
  let bytes = 0
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        chunks ??= incoming.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>
        const { done, value } = await chunks.next()
        if (done) return controller.close()
        bytes += value.byteLength
        if (bytes > limit) throw new BodyTooLarge(limit)
        controller.enqueue(value)
      },
      async cancel() {
        await chunks?.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}
