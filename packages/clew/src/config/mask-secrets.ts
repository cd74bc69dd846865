const MASK = '********'

/** Keys whose values are nobody's business. */
const SECRET =
  /pass(?:word|wd|phrase|code)?s?$|passw|secret|token|credential|api_?key|access_?key|private_?key|signing_?key|encryption_?key|^auth(?:orization)?$|_auth$|salt$|cookie/iu

/** `scheme://user:password@`, wherever it stands. Rather too much than too little: up to the last @. */
const IN_URL = /([a-z][a-z0-9+.-]*:\/\/[^\s:@/?#]*):[^\s,;"']*@/giu
const IN_QUERY = /([?&;][^=&\s]*(?:pass|secret|token|key|auth|signature)[^=&\s]*=)[^&\s#]+/giu
const PEM = /-----BEGIN [A-Z ]*PRIVATE KEY-----/u
/** How deep a configuration may be before the rest is left out. */
const MOST_DEPTH = 50

/** Text in which passwords of addresses are stars. */
export function maskUrl(text: string): string {
  return text.replace(IN_URL, `$1:${MASK}@`).replace(IN_QUERY, `$1${MASK}`)
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
  if (typeof value === 'object' && !(value instanceof Date)) {
    const entries = Object.entries(value).map(([key, inner]) => [
      key,
      masked(inner, secret || SECRET.test(key), depth + 1),
    ])
    return Object.fromEntries(entries)
  }
  if (secret) return MASK
  if (typeof value !== 'string') return value
  return PEM.test(value) ? MASK : maskUrl(value)
}
