import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { ConfigError } from '../../call/index.ts'
import { thumbprint } from './jwt.ts'

/** Ed25519, where those who verify may not make grants; HMAC-SHA256, within one circle of trust. */
export type GrantAlgorithm = 'EdDSA' | 'HS256'

/** A key that makes grants, verifies them, or both. Prints without its material. */
export interface GrantKey {
  /** Names the key in the grants that it made. */
  readonly kid: string
  readonly algorithm: GrantAlgorithm
  /** Undefined for an Ed25519 public key, which only verifies. */
  readonly signing: KeyObject | undefined
  readonly verifying: KeyObject
}

/** RFC 7518, 3.2: a key as long as the hash, or longer. */
const LEAST_SECRET_BYTES = 32
const MOST_KEY_CHARACTERS = 64 * 1024

/** A key as JSON (RFC 7517), to be kept: the private one in a safe place, the public one anywhere. */
export interface NewGrantKey {
  readonly kid: string
  /** Makes and verifies grants. */
  readonly private: Readonly<Record<string, string>>
  /** Only verifies; undefined for HMAC, which has no such half. */
  readonly public: Readonly<Record<string, string>> | undefined
}

/**
 * A new key.
 * @param options.algorithm @default 'EdDSA'
 * @param options.kid its name in grants. @default its thumbprint (RFC 7638)
 */
export async function generateGrantKey(
  options: { readonly algorithm?: GrantAlgorithm; readonly kid?: string } = {},
): Promise<NewGrantKey> {
  const { algorithm: alg = 'EdDSA' } = options
  const jwk: JsonWebKey =
    alg === 'EdDSA'
      ? generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
      : { kty: 'oct', k: randomBytes(LEAST_SECRET_BYTES).toString('base64url') }
  const kid = checkedKid(options.kid ?? (await thumbprint({ ...jwk })))
  const all = { ...jwk, kid, alg, use: 'sig' } as Record<string, string>
  if (alg === 'HS256') return { kid, private: all, public: undefined }
  const { d: _, ...open } = all
  return { kid, private: all, public: open }
}

/**
 * Reads keys: JSON (a key or a set, RFC 7517), PEM (PKCS #8 or SPKI), or `{ secret, kid }` for HMAC.
 * @param options.kid for a key that does not name itself. @default its thumbprint (RFC 7638)
 * @throws ConfigError that says what is wrong; it never repeats the material
 */
export async function importGrantKeys(
  material:
    | string
    | Readonly<Record<string, unknown>>
    | { readonly secret: string | Uint8Array; readonly kid?: string },
  options: { readonly kid?: string } = {},
): Promise<readonly GrantKey[]> {
  const keys: GrantKey[] = []
  for (const jwk of readMaterial(material)) keys.push(await importJwk(jwk, options.kid))
  if (keys.length === 0) throw new ConfigError('the set of grant keys is empty.')
  return keys
}

/**
 * Reads keys from where they are kept: a file's path, or `env:NAME` for an environment variable.
 * Grants of all of them are accepted, which is how keys are changed without a gap.
 * @throws ConfigError that names the source
 */
export async function readGrantKeys(...sources: readonly string[]): Promise<readonly GrantKey[]> {
  if (sources.length === 0) throw new ConfigError('readGrantKeys needs a file or env:NAME.')
  const keys: GrantKey[] = []
  for (const source of sources) {
    try {
      keys.push(...(await importGrantKeys(await readSource(source))))
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new ConfigError(`no grant key can be read from ${source}: ${reason}`)
    }
  }
  return keys
}

async function readSource(source: string): Promise<string> {
  if (!source.startsWith('env:')) return readFile(source, 'utf8')
  const text = process.env[source.slice(4)]
  if (text === undefined || text === '') throw new ConfigError('the variable is not set.')
  return text
}

function readMaterial(material: string | Readonly<Record<string, unknown>>): readonly JsonWebKey[] {
  if (typeof material !== 'string') {
    const { secret, kid, keys } = material as Record<string, unknown>
    if (Array.isArray(keys)) return keys as JsonWebKey[]
    if (secret === undefined) return [material as JsonWebKey]
    if (typeof secret !== 'string' && !(secret instanceof Uint8Array)) {
      throw new ConfigError('a grant secret is a string or bytes.')
    }
    const bytes = typeof secret === 'string' ? Buffer.from(secret, 'utf8') : Buffer.from(secret)
    return [{ kty: 'oct', k: bytes.toString('base64url'), ...(kid === undefined ? {} : { kid }) }]
  }
  if (material.length > MOST_KEY_CHARACTERS) throw new ConfigError('it is too long for a key.')
  const text = material.trim()
  if (text.startsWith('{')) return readMaterial(parsed(text))
  const blocks = text.match(/-----BEGIN ([A-Z ]+)-----[^-]+-----END \1-----/gu)
  if (blocks !== null) return blocks.map(fromPem)
  throw new ConfigError(
    'it is neither JSON (a key or a set of keys) nor PEM. `clew token key` makes one; a bare secret is given as { secret, kid }.',
  )
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's own message would repeat what may be a secret.
    throw new ConfigError('it begins like JSON and is none.')
  }
}

function fromPem(block: string): JsonWebKey {
  const secret = block.includes('PRIVATE KEY')
  try {
    const key = secret ? createPrivateKey(block) : createPublicKey(block)
    if (key.asymmetricKeyType !== 'ed25519') {
      throw new ConfigError(`its type is ${key.asymmetricKeyType}; grants are signed by ed25519.`)
    }
    return key.export({ format: 'jwk' })
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError('a PEM block in it is damaged, encrypted, or of an unknown type.')
  }
}

async function importJwk(jwk: JsonWebKey, name: string | undefined): Promise<GrantKey> {
  if (typeof jwk !== 'object' || jwk === null) throw new ConfigError('a key is a JSON object.')
  const kid = checkedKid(jwk.kid ?? name ?? (await printOf(jwk)))
  if (jwk.kty === 'oct') {
    refuseOther(jwk.alg, ['HS256'], kid)
    const secret = createSecretKey(typeof jwk.k === 'string' ? jwk.k : '', 'base64url')
    if ((secret.symmetricKeySize ?? 0) < LEAST_SECRET_BYTES) {
      throw new ConfigError(
        `key ${kid}: a secret for HMAC-SHA256 has ${LEAST_SECRET_BYTES} bytes or more; this one has ${secret.symmetricKeySize}.`,
      )
    }
    return { kid, algorithm: 'HS256', signing: secret, verifying: secret }
  }
  if (jwk.kty !== 'OKP' || jwk.crv !== 'Ed25519') {
    throw new ConfigError(
      `key ${kid}: kty ${jwk.kty}${jwk.crv === undefined ? '' : ` with crv ${jwk.crv}`} signs no grants; take OKP with Ed25519, or oct.`,
    )
  }
  refuseOther(jwk.alg, ['EdDSA', 'Ed25519'], kid)
  return { kid, algorithm: 'EdDSA', ...halves(jwk, kid) }
}

function halves(jwk: JsonWebKey, kid: string): Pick<GrantKey, 'signing' | 'verifying'> {
  try {
    const { kty, crv, x, d } = jwk
    const verifying = createPublicKey({ key: { kty, crv, x } as JsonWebKey, format: 'jwk' })
    if (d === undefined) return { signing: undefined, verifying }
    const signing = createPrivateKey({ key: { kty, crv, x, d } as JsonWebKey, format: 'jwk' })
    // A private half that came with another key's public half would sign what nobody can verify.
    if (createPublicKey(signing).equals(verifying)) return { signing, verifying }
  } catch {
    throw new ConfigError(`key ${kid}: its x or d is no Ed25519 key.`)
  }
  throw new ConfigError(`key ${kid}: its x and d are not of one pair.`)
}

async function printOf(jwk: JsonWebKey): Promise<string> {
  try {
    return await thumbprint({ ...jwk })
  } catch {
    throw new ConfigError('a key lacks the fields that its kty (OKP or oct) must have.')
  }
}

function refuseOther(alg: unknown, possible: readonly string[], kid: string): void {
  if (alg === undefined || possible.includes(alg as string)) return
  throw new ConfigError(`key ${kid}: a key of its type signs by ${possible[0]}, not by ${alg}.`)
}

function checkedKid(kid: unknown): string {
  if (typeof kid === 'string' && /^[\x21-\x7e]{1,128}$/u.test(kid)) return kid
  throw new ConfigError('the kid of a grant key is 1 to 128 printable ASCII characters.')
}
