import type { KeyObject } from 'node:crypto'

/** The parts of a token, read but not verified. */
export interface UnverifiedToken {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

/**
 * The only file that knows the JOSE library. It is loaded with the first token: a process that sees
 * none does without it.
 */
const jose = () => import('jose')

/** What tells a grant from other tokens that the same key may have signed (RFC 8725, 3.11). */
export const TOKEN_TYPE = 'clew-grant+jwt'

/** Signs claims as a compact token. */
export async function signToken(
  claims: Readonly<Record<string, unknown>>,
  key: { readonly kid: string; readonly algorithm: string; readonly material: KeyObject },
): Promise<string> {
  const { SignJWT } = await jose()
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: key.algorithm, kid: key.kid, typ: TOKEN_TYPE })
    .sign(key.material)
}

/**
 * Checks the signature, by the library and so in constant time. Algorithms come from the key, never
 * from the token.
 * @returns the claims; undefined when the signature is wrong
 * @throws whatever else the library finds wrong with the token's form
 */
export async function openToken(
  token: string,
  material: KeyObject,
  algorithms: readonly string[],
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const { compactVerify, errors } = await jose()
  try {
    const { payload } = await compactVerify(token, material, { algorithms: [...algorithms] })
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload))
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return undefined
    throw error
  }
}

/** A token's header and claims, of which nothing is known to be true. Undefined when it is none. */
export function readToken(token: string): UnverifiedToken | undefined {
  const [header, claims, ...rest] = token.split('.').slice(0, 2).map(readPart)
  if (header === undefined || claims === undefined || rest.length > 0) return undefined
  return { header, claims }
}

function readPart(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const bytes = Buffer.from(part, 'base64url')
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** RFC 7638: the same for a key wherever it is computed. */
export async function thumbprint(jwk: Readonly<Record<string, unknown>>): Promise<string> {
  const { calculateJwkThumbprint } = await jose()
  return calculateJwkThumbprint(jwk as Parameters<typeof calculateJwkThumbprint>[0])
}
