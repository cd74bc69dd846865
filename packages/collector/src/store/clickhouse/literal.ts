/**
 * A text as SQL writes it. This is the only way by which a value becomes part of a statement: nothing in
 * it can end the literal, because quotes and backslashes are escaped, and control characters written as
 * their codes.
 */
export function literal(text: string): string {
  let escaped = ''
  for (const byte of new TextEncoder().encode(text)) {
    if (byte === QUOTE || byte === BACKSLASH) escaped += `\\${String.fromCharCode(byte)}`
    else if (byte >= SPACE && byte < DELETE) escaped += String.fromCharCode(byte)
    else escaped += `\\x${byte.toString(16).padStart(2, '0')}`
  }
  return `'${escaped}'`
}

const SPACE = 0x20
const QUOTE = 0x27
const BACKSLASH = 0x5c
const DELETE = 0x7f

/** Bytes given in hex; whatever else is in it is left out. */
export const hexLiteral = (hex: string) => `unhex('${hex.replace(/[^0-9a-f]/giu, '')}')`

/** A whole number as SQL writes it; what is none is 0. */
export const wholeLiteral = (value: number) =>
  Number.isFinite(value) ? String(BigInt(Math.trunc(value))) : '0'

export const listOf = (literals: readonly string[]) => `(${literals.join(', ')})`
