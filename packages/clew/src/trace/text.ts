import { MAX_TEXT_BYTES } from './format.ts'

const ELLIPSIS = '…'
const ELLIPSIS_BYTES = 3

/** Strings of at most this many UTF-16 units never exceed the limit in bytes. */
const SURELY_SHORT = Math.floor(MAX_TEXT_BYTES / 3)

const isHighSurrogate = (unit: number) => unit >= 0xd800 && unit < 0xdc00
const isLowSurrogate = (unit: number) => unit >= 0xdc00 && unit < 0xe000

function unitBytes(text: string, index: number): number {
  const unit = text.charCodeAt(index)
  if (unit < 0x80) return 1
  if (unit < 0x800) return 2
  // A pair takes four bytes: its halves are counted as two each, so that no half is cut off alone.
  if (isHighSurrogate(unit) && isLowSurrogate(text.charCodeAt(index + 1))) return 4
  return 3
}

/** The text, or as much of its beginning as fits into 256 bytes of UTF-8 with `…` behind it. */
export function cutText(text: string): string {
  if (text.length <= SURELY_SHORT) return text
  let bytes = 0
  let keep = 0
  for (let index = 0; index < text.length; ) {
    const size = unitBytes(text, index)
    bytes += size
    index += size === 4 ? 2 : 1
    if (bytes <= MAX_TEXT_BYTES - ELLIPSIS_BYTES) keep = index
    if (bytes > MAX_TEXT_BYTES) return text.slice(0, keep) + ELLIPSIS
  }
  return text
}

/** Writes one code point as UTF-8; a lone surrogate becomes U+FFFD. Returns the position behind it. */
export function putCodePoint(bytes: Uint8Array, at: number, point: number): number {
  let end = at
  const value = point >= 0xd800 && point < 0xe000 ? 0xfffd : point
  if (value < 0x80) {
    bytes[end++] = value
  } else if (value < 0x800) {
    bytes[end++] = 0xc0 | (value >> 6)
    bytes[end++] = 0x80 | (value & 0x3f)
  } else if (value < 0x10000) {
    bytes[end++] = 0xe0 | (value >> 12)
    bytes[end++] = 0x80 | ((value >> 6) & 0x3f)
    bytes[end++] = 0x80 | (value & 0x3f)
  } else {
    bytes[end++] = 0xf0 | (value >> 18)
    bytes[end++] = 0x80 | ((value >> 12) & 0x3f)
    bytes[end++] = 0x80 | ((value >> 6) & 0x3f)
    bytes[end++] = 0x80 | (value & 0x3f)
  }
  return end
}

/** Least code point of a sequence of 2, 3 and 4 bytes: anything below is an overlong form. */
const LEAST = [0, 0, 0x80, 0x800, 0x10000]

/** True when the bytes are exactly this text in ASCII: compares without making a string. */
export function isAscii(bytes: Uint8Array, start: number, end: number, text: string): boolean {
  if (end - start !== text.length) return false
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit !== bytes[start + index] || unit >= 0x80) return false
  }
  return true
}

/** Texts that came last, by their hash; the number of places is a power of two. */
const RECENT: string[] = new Array<string>(1_024).fill('')
/** Longer texts are no names. */
const MOST_RECENT_LENGTH = 64

/**
 * Reads UTF-8; whatever is malformed becomes U+FFFD. The first `shared` characters are those of
 * `before`. Names come again and again: one that came a short time ago makes no string, and is the same
 * string, which whoever looks it up has the hash of.
 */
export function decodeText(
  bytes: Uint8Array,
  start: number,
  end: number,
  before = '',
  shared = 0,
): string {
  const length = shared + end - start
  let hash = length
  for (let at = 0; at < shared; at++) hash = (Math.imul(hash, 31) + before.charCodeAt(at)) | 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    if (byte >= 0x80) return before.slice(0, shared) + decodeBeyondAscii(bytes, start, end)
    hash = (Math.imul(hash, 31) + byte) | 0
  }
  if (length > MOST_RECENT_LENGTH) return before.slice(0, shared) + asciiAt(bytes, start, end)
  const place = hash & (RECENT.length - 1)
  const recent = RECENT[place]!
  if (recent.length === length && isThis(recent, bytes, start, before, shared)) return recent
  const text = before.slice(0, shared) + asciiAt(bytes, start, end)
  RECENT[place] = text
  return text
}

function isThis(
  text: string,
  bytes: Uint8Array,
  start: number,
  before: string,
  shared: number,
): boolean {
  for (let at = 0; at < shared; at++) {
    if (text.charCodeAt(at) !== before.charCodeAt(at)) return false
  }
  for (let at = shared; at < text.length; at++) {
    if (text.charCodeAt(at) !== bytes[start + at - shared]) return false
  }
  return true
}

/** How many characters are handed to the engine at a time: arguments live on its stack. */
const CHUNK = 1_024

function asciiAt(bytes: Uint8Array, start: number, end: number): string {
  let text = ''
  for (let at = start; at < end; at += CHUNK) {
    // Not by spreading, which goes through the array's iterator: six times as long for a name.
    const chunk = bytes.subarray(at, Math.min(at + CHUNK, end))
    text += Reflect.apply(String.fromCharCode, undefined, chunk)
  }
  return text
}

function decodeBeyondAscii(bytes: Uint8Array, start: number, end: number): string {
  let text = ''
  for (let at = start; at < end; ) {
    const first = bytes[at]!
    if (first < 0x80) {
      text += String.fromCharCode(first)
      at++
      continue
    }
    const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0
    let point = length === 0 || first > 0xf4 ? -1 : first & (0x7f >> length)
    let next = at + 1
    for (let i = 1; i < length && point >= 0; i++, next++) {
      const byte = next < end ? bytes[next]! : 0
      if ((byte & 0xc0) !== 0x80) {
        point = -1
        break
      }
      point = point * 64 + (byte & 0x3f)
    }
    const valid =
      point >= LEAST[length]! && point <= 0x10ffff && !(point >= 0xd800 && point < 0xe000)
    text += valid ? String.fromCodePoint(point) : '\ufffd'
    at = valid ? next : at + 1
  }
  return text
}

/** How many leading ASCII characters both share, at most 127. Characters beyond ASCII end the prefix. */
export function sharedPrefix(a: string, b: string): number {
  const most = Math.min(a.length, b.length, 127)
  let shared = 0
  while (shared < most) {
    const unit = a.charCodeAt(shared)
    if (unit !== b.charCodeAt(shared) || unit >= 0x80) break
    shared++
  }
  return shared
}
