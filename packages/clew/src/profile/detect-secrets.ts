/** What stands for a secret in a text that leaves the process: `[redacted: e-mail]`. */
export type SecretKind = 'token' | 'key' | 'password' | 'e-mail' | 'card'

const mark = (kind: SecretKind) => `[redacted: ${kind}]`

/**
 * Longer texts are not looked into, nor shown. Each pattern takes a time in proportion to a text's
 * length, with the bounds that its repetitions have.
 */
export const LONGEST_SEARCHED = 4096

const PATTERNS: readonly (readonly [SecretKind, RegExp])[] = [
  ['key', /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}-----|$)/gu],
  // scheme://user:password@host
  ['password', /(?<=[a-z][a-z\d+.-]{0,20}:\/\/)[^\s/@:]{0,256}:[^\s/@]{1,256}(?=@)/giu],
  ['token', /\b(?:bearer|basic|digest|negotiate)\s+[\w.~+/=-]{6,}/giu],
  // JSON Web Tokens, signed, unsigned and encrypted: a header that begins with {"
  ['token', /\beyJ[\w-]{4,}(?:\.[\w-]*){1,4}/gu],
  ['key', /\b(?:sk|pk|rk|whsec)[_-](?:live|test|proj|ant|or)?[\w-]{12,}/gu],
  [
    'key',
    /\b(?:gh[oprsu]_|github_pat_|glpat-|npm_|pypi-|hf_|dop_v1_|shp(?:at|ca|pa|ss)_)\w{12,}/gu,
  ],
  ['key', /\bxox[a-z]-[\w-]{10,}|\bxapp-[\w-]{10,}|\bSG\.[\w-]{10,}\.[\w-]{10,}/gu],
  ['key', /\b(?:AKIA|ASIA|AGPA|AIDA|AROA)[A-Z\d]{12,}|\bAIza[\w-]{30,}|\bya29\.[\w-]{10,}/gu],
  ['token', /\bclew_[\da-f]{16}_[\w-]{20,}/gu],
  [
    'password',
    /(?<=(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|api[_-]?key|access[_-]?key|credentials?|authorization|cookie|cvv2?|cvc)\\?["']?\s{0,8}[:=]\s{0,8})(?!\[redacted: )(?:\\?"[^"]{1,}|\\?'[^']{1,}|[^\s"'&,;}\]]{1,})/giu,
  ],
  [
    'e-mail',
    /[\p{L}\p{N}.!#$%&'*+/=?^_`{|}~-]{1,64}(?:@|%40)[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,8}/gu,
  ],
]

/** Letters and digits without order, as keys are that no pattern knows. */
const RANDOM = /[\w+/-]{40,}={0,2}/gu

/** The text with whatever looks like a secret replaced by a word for it. */
export function withoutDetected(text: string): string {
  let out = text
  for (const [kind, pattern] of PATTERNS) out = out.replace(pattern, mark(kind))
  out = out.replace(RANDOM, (found) => (isMixed(found) ? mark('key') : found))
  return withoutCards(out)
}

/** Ids of hex digits and names of methods are no keys; what mixes all three kinds of signs is. */
const isMixed = (text: string) => /[a-z]/u.test(text) && /[A-Z]/u.test(text) && /\d/u.test(text)

const DIGIT_RUNS = /\d(?:[ \u00a0-]?\d){12,}/gu
const SHORTEST_CARD = 13
const LONGEST_CARD = 19

/**
 * Numbers of cards: 13 to 19 digits in groups that begin as an issuer's and whose check digit is right
 * (ISO/IEC 7812, Luhn). Moments in milliseconds, microseconds or nanoseconds begin with 1, as no card does.
 */
function withoutCards(text: string): string {
  return text.replace(DIGIT_RUNS, (run) => {
    const groups = [...run.matchAll(/\d+/gu)]
    let out = ''
    let at = 0
    for (let first = 0; first < groups.length; first++) {
      const last = cardFrom(groups.slice(first, first + LONGEST_CARD).map(([digits]) => digits))
      if (last === 0) continue
      const end = groups[first + last - 1]!
      out += run.slice(at, groups[first]!.index) + mark('card')
      at = end.index + end[0].length
      first += last - 1
    }
    return out + run.slice(at)
  })
}

/** How many groups, from the first on, are a card's number; the most where several are, 0 where none is. */
function cardFrom(groups: readonly string[]): number {
  let digits = ''
  let found = 0
  for (const [index, group] of groups.entries()) {
    digits += group
    if (digits.length > LONGEST_CARD) break
    if (digits.length >= SHORTEST_CARD && isCard(digits)) found = index + 1
  }
  return found
}

/** Of 13 digits there are but old ones that begin with 4. */
const ISSUERS = /^(?:4|(?:3[04-9]|5|6|2[2-7])\d{12})/u

const isCard = (digits: string) => ISSUERS.test(digits) && passesLuhn(digits)

function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let index = 0; index < digits.length; index++) {
    const digit = digits.charCodeAt(digits.length - 1 - index) - 48
    const doubled = index % 2 === 0 ? digit : digit * 2
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0 && sum > 0
}

const SECRET_WORDS = new Set([
  ...['password', 'passwd', 'passphrase', 'passcode', 'pass', 'pwd', 'secret', 'secrets', 'token'],
  ...[
    'tokens',
    'apikey',
    'authorization',
    'auth',
    'credential',
    'credentials',
    'cookie',
    'cookies',
  ],
  ...['cvv', 'cvv2', 'cvc', 'cvc2', 'pin', 'otp', 'totp', 'ssn', 'signature', 'jwt', 'bearer'],
])
const SECRET_PAIRS = new Set(['api key', 'access key', 'private key', 'secret key', 'session id'])

/** Whether a name says that what it names is a secret: `password`, `cardPin`, `api_key`. */
export function isSecretName(name: string): boolean {
  const words = name
    .replace(/(?<=[\p{Ll}\d])(?=\p{Lu})/gu, ' ')
    .toLowerCase()
    .split(/[^\p{L}\d]+/u)
  return words.some(
    (word, index) =>
      SECRET_WORDS.has(word) || SECRET_PAIRS.has(`${word} ${words[index + 1] ?? ''}`),
  )
}

/** What stands for a value whose name says that it is a secret. */
export const NAMED_SECRET = mark('password')
