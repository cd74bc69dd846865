import { visible } from '../visible.ts'

/** A service without a name has to be called something. */
const NAMELESS = '(no name)'

/**
 * A name or a sentence as Markdown text, also within a table, a list or a heading. Only what has a
 * meaning in GitHub's Markdown where it stands is escaped: `get_user` and `host:8080` stay as they are.
 */
export function markdownText(text: string): string {
  const plain = visible(text).replace(/\s+/gu, ' ').trim()
  if (plain === '') return NAMELESS
  return (
    plain
      .replace(/[\\`*[\]~$]/g, '\\$&')
      .replace(/&(?=#?\w+;)/g, '&amp;')
      .replace(/</g, '&lt;')
      .replace(/\|/g, '&#124;')
      // Within a word, an underscore is no emphasis.
      .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, '\\_')
      // Addresses become links, `:word:` a picture, `@name` somebody who is told.
      .replace(/:(?=\/\/|[\w+-]+:)/g, '&#58;')
      .replace(/\b(www)\.(?=\S)/giu, '$1&#46;')
      .replace(/@(?=\w)/g, '&#64;')
      // At the beginning of a line: headings, quotes, lists, lines of signs. At its end: a heading's end.
      .replace(/^[#>+=-]|#(?=#*$)/g, '\\$&')
      .replace(/^(\d+)([.)])/, '$1\\$2')
  )
}

/** A name as code. Where backticks would not hold it (or a table would cut it), HTML's code does. */
export function markdownCode(name: string): string {
  const shown = visible(name)
  return shown.trim() === '' || /[`|<]/.test(shown)
    ? `<code>${markdownText(name)}</code>`
    : `\`${shown}\``
}

/** A table and an empty line below it; nothing where it has no rows. Columns without any content are left out. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  if (rows.length === 0) return []
  const kept = [...head.keys()].filter((at) => rows.some((row) => row[at] !== ''))
  const line = (cells: readonly string[]) => `| ${kept.map((at) => cells[at]).join(' | ')} |`
  return [line(head), `|${kept.map(() => '---|').join('')}`, ...rows.map(line), '']
}
