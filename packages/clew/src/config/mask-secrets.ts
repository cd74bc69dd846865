const MASK = '********'

/** Keys whose values are nobody's business. */
const SECRET =
  /pass(?:word|wd|phrase|code)?s?$|passw|^pw$|pwd$|secret|token|credential|(?:api|access|private|signing|encryption|hmac|jwt|grant|master|shared|session)[_-]?keys?|^keys?$|^auth(?:orization)?$|_auth$|salt$|cookie/iu

// Bounded at the front: text of a megabyte must not take a minute.
const SCHEME = '[a-z][a-z0-9+.-]{0,30}://'
/** `scheme://user:password@`, wherever it stands. Rather too much than too little: up to the last @. */
const IN_URL = new RegExp(
  `\\b(${SCHEME}[^\\s:@/?#]{0,200}):(?:(?![,;\\s]${SCHEME})\\S){0,1000}@`,
  'giu',
)
/** Where it is no user: `https://token@`. */
const IN_HTTP = /\b(https?:\/\/)[^\s:@/?#]{1,1000}@/giu
/** Parameters of addresses, and libpq's and others' `key=value`. */
const IN_PAIR =
  /(^|[?&;,\s])([^=&;,\s]{0,40}(?:pass|pwd|secret|token|key|auth|signature)[^=&;,\s]{0,40}=)(?:'(?:[^'\\]|\\.)*'|[^&\s#]+)/giu
const IN_JSON =
  /("[^"\\]{0,40}(?:pass|pwd|secret|token|api_?key|private_?key)[^"\\]{0,40}"\s{0,9}:\s{0,9}")(?:[^"\\]|\\.)*/giu
const IN_HEADER = /\b((?:Bearer|Basic)\s{1,9})[\w.~+/=-]{6,}/giu
const PEM = /-----BEGIN [A-Z ]*PRIVATE KEY-----/u
/** How deep a configuration may be before the rest is left out. */
const MOST_DEPTH = 50

/** Text in which passwords of addresses, and other secrets that text says are some, are stars. */
export function maskUrl(text: string): string {
  return text
    .replace(IN_URL, `$1:${MASK}@`)
    .replace(IN_HTTP, `$1${MASK}@`)
    .replace(IN_JSON, `$1${MASK}`)
    .replace(IN_HEADER, `$1${MASK}`)
    .replace(IN_PAIR, `$1$2${MASK}`)
}

/**
 * A copy that may be shown: passwords in addresses, private keys, and everything below a key that
 * sounds like a secret (`password`, `api_key`, `token`) are stars. What is null or empty stays, so that
 * one sees what is missing.
 */
export function maskSecrets(value: unknown): unknown {
  return masked(value, false, 0)
}

function masked(value: unknown, secret: boolean, depth: number): unknown {
  if (value === null || value === undefined || value === '') return value
  if (depth > MOST_DEPTH) return '…'
  if (Array.isArray(value)) return value.map((item) => masked(item, secret, depth + 1))
  // Bytes may be text.
  if (ArrayBuffer.isView(value)) return MASK
  if (typeof value === 'object' && !(value instanceof Date)) {
    const named = isNamedSecret(value)
    const entries = Object.entries(value).map(([key, inner]) => {
      const within = named ? key === 'value' : SECRET.test(key) && !isOfPair(key, value)
      return [key, masked(inner, secret || within, depth + 1)]
    })
    return Object.fromEntries(entries)
  }
  if (secret) return MASK
  if (typeof value !== 'string') return value
  return PEM.test(value) ? MASK : maskUrl(value)
}

/** `{ name: 'DB_PASSWORD', value: … }`, as lists of variables have it. */
function isNamedSecret(value: object): boolean {
  const { name, key } = value as { readonly name?: unknown; readonly key?: unknown }
  const isSecret = (told: unknown) => typeof told === 'string' && SECRET.test(told)
  return 'value' in value && (isSecret(name) || isSecret(key))
}

/** The `key` of a pair is a name. */
function isOfPair(key: string, value: object): boolean {
  return key === 'key' && 'value' in value
}
