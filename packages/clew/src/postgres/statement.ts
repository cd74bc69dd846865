/** Longest statement in a trace, in characters. */
export const LONGEST_STATEMENT = 200
/** Of a longer text only so much is looked at. */
const LONGEST_TEXT = 10_000
const MOST_KEPT = 500

/** What may stand between two pieces of one string: a line's end, white space, comments of a line. */
const CONTINUED = String.raw`[ \t\f\v]*(?:--[^\n\r]*)?[\n\r](?:\s|--[^\n\r]*[\n\r])*`

// One token of PostgreSQL's lexical structure (its manual, section 4.1), the ones that may hide values
// first. Strings and comments may lack their end: what follows is theirs then.
const TOKEN = new RegExp(
  [
    String.raw`(?<comment>--[^\n\r]*)`,
    String.raw`(?<literal>\b[eE]'(?:[^'\\]|''|\\[^]|'${CONTINUED}')*(?:'|\\?$)` +
      String.raw`|(?:\b(?:[bBxXnN]|[uU]&))?'(?:[^']|'')*(?:'|$)` +
      String.raw`|(?<![\w$\u0080-\u{10ffff}])\$(?<tag>[A-Za-z_\u0080-\u{10ffff}][\w\u0080-\u{10ffff}]*)?\$[^]*?(?:\$\k<tag>\$|$)` +
      String.raw`|(?<![\w$\u0080-\u{10ffff}])\$\d+` +
      String.raw`|(?<![\w$\u0080-\u{10ffff}])(?:\d[\w.]*|\.\d[\w.]*)(?:(?<=[\d.][eE])[+-]\d[\w]*)?)`,
    String.raw`(?<quoted>(?:\b[uU]&)?"(?:[^"]|"")*(?:"|$))`,
    String.raw`(?<word>[A-Za-z_\u0080-\u{10ffff}][\w$\u0080-\u{10ffff}]*)`,
    String.raw`(?<space>\s+)`,
    '(?<other>[^])',
  ].join('|'),
  'uy',
)

/** Behind these a sign belongs to the number that follows. */
const BEFORE_SIGN =
  /(?:^|[(,=<>+*/%|&^~[-]|\b(?:select|and|or|not|in|then|else|when|limit|offset|between|returning|set|by|like|case|where|on|having|values|interval|return)) ?$/i
const CONSTANT = /^(?:true|false|null)$/i
/** Where a constant is part of the grammar. */
const BEFORE_GRAMMAR = /\b(?:is|is not|not) ?$/i

const kept = new Map<string, string>()

/**
 * What a statement does, without values: literals, numbers and parameters are `?`, lists of them one
 * `?`, comments and superfluous white space gone, at most 200 characters. Strings are read as
 * PostgreSQL's defaults have it (`standard_conforming_strings`).
 */
export function normaliseStatement(text: string): string {
  const known = kept.get(text)
  if (known !== undefined) return known
  const made = bounded(folded(masked(text.slice(0, LONGEST_TEXT))))
  if (text.length <= LONGEST_TEXT) {
    if (kept.size >= MOST_KEPT) kept.clear()
    kept.set(text, made)
  }
  return made
}

function masked(text: string): string {
  let out = ''
  let at = 0
  while (at < text.length) {
    if (text.startsWith('/*', at)) {
      at = endOfComment(text, at)
      out = spaced(out)
      continue
    }
    TOKEN.lastIndex = at
    const match = TOKEN.exec(text)!
    at = TOKEN.lastIndex
    const { comment, space, literal } = match.groups!
    if (comment !== undefined || space !== undefined) out = spaced(out)
    else if (literal !== undefined) out = `${unsigned(out)}?`
    else if (CONSTANT.test(match[0]) && !BEFORE_GRAMMAR.test(out)) out += '?'
    else out += match[0]
  }
  return out.trim().replace(/(?:\s*;)+$/, '')
}

/** PostgreSQL's comments nest. */
function endOfComment(text: string, start: number): number {
  let depth = 0
  let at = start
  while (at < text.length) {
    if (text.startsWith('/*', at)) {
      depth++
      at += 2
    } else if (text.startsWith('*/', at)) {
      depth--
      at += 2
      if (depth === 0) return at
    } else {
      at++
    }
  }
  return at
}

function spaced(out: string): string {
  return out.endsWith(' ') ? out : `${out} `
}

/** Without the signs of the number that comes now. */
function unsigned(out: string): string {
  let rest = out
  for (;;) {
    const without = rest.replace(/[+-] ?$/, '')
    if (without === rest || !BEFORE_SIGN.test(without)) return rest
    rest = without
  }
}

function folded(text: string): string {
  return text
    .replace(/([([]) ?\?(?: ?, ?\?)+ ?([)\]])/g, '$1?$2')
    .replace(/\(\?\)(?: ?, ?\(\?\))+/g, '(?)')
}

function bounded(text: string): string {
  if (text.length <= LONGEST_STATEMENT) return text
  // Half of a surrogate pair would be no text.
  const cut = text.slice(0, LONGEST_STATEMENT - 1).replace(/[\ud800-\udbff]$/, '')
  return `${cut}…`
}
