/** Longest id kept, in UTF-16 units. */
const MAX_ID = 255
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/**
 * Hexadecimal ids in lower case and full length, so that those written by different libraries are
 * equal: some leave zeros out on the left. Others are kept as they are.
 * @returns undefined where there is none: empty, or all zeros
 */
function idOf(value: unknown, digits: number): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined
  if (!/^[0-9a-f]+$/i.test(value)) return value.slice(0, MAX_ID)
  const id = value.toLowerCase().padStart(digits, '0').slice(0, MAX_ID)
  return /^0+$/.test(id) ? undefined : id
}

export const traceIdOf = (value: unknown): string | undefined => idOf(value, 32)

export const spanIdOf = (value: unknown): string | undefined => idOf(value, 16)

/** Protobuf's own JSON has bytes in base64, OTLP's in hexadecimal digits: its writers do either. */
export function fromBase64(value: unknown): unknown {
  if (typeof value !== 'string') return value
  const padded = /^(?:.{22}==|.{11}=)$/.test(value)
  if (!padded && (!/^(?:.{22}|.{11})$/.test(value) || /^[0-9a-f]+$/i.test(value))) return value
  const digits = value.replace(/=+$/, '').replaceAll('-', '+').replaceAll('_', '/')
  let bits = ''
  for (const digit of digits) {
    const at = BASE64.indexOf(digit)
    if (at < 0) return value
    bits += at.toString(2).padStart(6, '0')
  }
  const whole = bits.length - (bits.length % 8)
  let hex = ''
  for (let at = 0; at < whole; at += 4) {
    hex += Number.parseInt(bits.slice(at, at + 4), 2).toString(16)
  }
  return hex
}

export function hexOf(bytes: Uint8Array): string {
  let hex = ''
  for (const byte of bytes.subarray(0, MAX_ID)) hex += byte.toString(16).padStart(2, '0')
  return hex
}
