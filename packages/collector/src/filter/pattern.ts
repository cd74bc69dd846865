/**
 * Whether a text is what a pattern says: `*` is any letters, `\*` and `\\` are themselves. Takes time in
 * proportion to both lengths, whatever the pattern.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  const parts = patternParts(pattern)
  const [first] = parts
  if (parts.length === 1) return text === first
  if (!text.startsWith(first!)) return false
  const last = parts.at(-1)!
  let at = first!.length
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return text.length - last.length >= at && text.endsWith(last)
}

/** What stands between the stars of a pattern; one part is the whole text. */
export function patternParts(pattern: string): readonly string[] {
  const parts = ['']
  for (let at = 0; at < pattern.length; at++) {
    const letter = pattern[at]!
    if (letter === '*') parts.push('')
    else if (letter === '\\' && at + 1 < pattern.length) parts[parts.length - 1] += pattern[++at]!
    else parts[parts.length - 1] += letter
  }
  return parts
}
