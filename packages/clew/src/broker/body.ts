import { blockAfter, FRAMED_ENCODING, objectEnd, payloadEnd } from './framing.ts'
import type { Message } from './message.ts'
import { decodePayload, UndecodableError } from './payload.ts'
import type { Tell } from './wire-headers.ts'

export const JSON_TYPE = 'application/json'

export interface DecodedBody {
  readonly value: unknown
  readonly attachment: Uint8Array | undefined
}

export function decodeBody(message: Message, tell: Tell): DecodedBody {
  const { body, contentType } = message
  if (contentType !== JSON_TYPE && contentType !== '' && !isJson(contentType)) {
    throw new UndecodableError(`its content type is ${contentType.slice(0, 100)}, not ${JSON_TYPE}`)
  }
  if (message.contentEncoding !== FRAMED_ENCODING) {
    return { value: decodePayload(body), attachment: undefined }
  }
  const end = payloadEnd(body)
  const attachment = end < 0 ? undefined : blockAfter(body, end)
  if (attachment !== undefined) {
    try {
      return { value: decodePayload(body, end), attachment }
    } catch {
      // The length does not fit: the payload is found without it, below.
    }
  }
  tell({
    kind: 'malformed_attachment',
    message: `the block behind the body of a message to ${message.routingKey} is damaged or of an unknown version and was dropped`,
  })
  return { value: decodePayload(body, objectEnd(body)), attachment: undefined }
}

function isJson(contentType: string): boolean {
  return /^application\/json\s*(;|$)/i.test(contentType)
}
