/**
 * The block behind the body: `payload | block | u32 payload length | u8 version | 4 magic bytes`,
 * announced by the content encoding. It leaves the payload as it is, whatever the serializer, and has
 * no size limit of its own, which a header would.
 */
export const FRAMED_ENCODING = 'clew'

const VERSION = 1
const TRAILER_BYTES = 9
const MAGIC = 0x636c6577 // "clew"

/** Texts up to this length are copied faster by a loop than by a call into the runtime. */
const SHORT_TEXT = 200

/** A body with an attachment behind it. */
export function frame(payload: string | Uint8Array, attachment: Uint8Array): Buffer {
  if (typeof payload === 'string' && payload.length <= SHORT_TEXT) {
    const body = Buffer.allocUnsafe(payload.length + attachment.length + TRAILER_BYTES)
    if (putAscii(payload, body)) return framed(body, payload.length, attachment)
  }
  const length = Buffer.byteLength(payload)
  const body = Buffer.allocUnsafe(length + attachment.length + TRAILER_BYTES)
  if (typeof payload === 'string') body.write(payload, 0, 'utf8')
  else body.set(payload, 0)
  return framed(body, length, attachment)
}

/** False when there are other characters in the text. */
function putAscii(text: string, body: Buffer): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code > 0x7f) return false
    body[at] = code
  }
  return true
}

/** Puts the attachment and the trailer behind a payload of so many bytes. */
function framed(body: Buffer, length: number, attachment: Uint8Array): Buffer {
  body.set(attachment, length)
  const trailer = length + attachment.length
  body.writeUInt32BE(length, trailer)
  body[trailer + 4] = VERSION
  body.writeUInt32BE(MAGIC, trailer + 5)
  return body
}

/** Where the payload of a framed body ends; -1 when the trailer is damaged. */
export function payloadEnd(body: Buffer): number {
  const trailer = body.length - TRAILER_BYTES
  if (trailer < 0 || body.readUInt32BE(trailer + 5) !== MAGIC) return -1
  const length = body.readUInt32BE(trailer)
  return length <= trailer ? length : -1
}

/** The block of a framed body whose payload ends there; undefined when its version is not known. */
export function blockAfter(body: Buffer, end: number): Uint8Array | undefined {
  const trailer = body.length - TRAILER_BYTES
  return body[trailer + 4] === VERSION ? body.subarray(end, trailer) : undefined
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPENING = new Set([0x7b, 0x5b])
const CLOSING = new Set([0x7d, 0x5d])

/**
 * Where the JSON object at the beginning of a body ends, whatever stands behind it; the body's length
 * when it has no end. Only for bodies whose trailer is damaged, so that the reply is not lost with it.
 */
export function objectEnd(body: Buffer): number {
  let depth = 0
  for (let at = 0; at < body.length; at++) {
    const byte = body[at]!
    if (byte === QUOTE) at = stringEnd(body, at)
    else if (OPENING.has(byte)) depth++
    else if (CLOSING.has(byte) && --depth === 0) return at + 1
  }
  return body.length
}

/** Index of the quote that ends the string which begins at `at`. */
function stringEnd(body: Buffer, at: number): number {
  let end = at + 1
  while (end < body.length && body[end] !== QUOTE) end += body[end] === BACKSLASH ? 2 : 1
  return end
}
