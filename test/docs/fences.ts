/** A fenced block of code in a Markdown file. */
export interface Fence {
  /** Markdown file, relative to the root. */
  readonly path: string
  /** Line of its first line of code, from 1. */
  readonly line: number
  /** `ts`, `sh`; empty where none is given. */
  readonly language: string
  /** What follows the language: `continued`, `no-check: reason`. */
  readonly mark: string
  readonly code: string
  /** Code from a comment `<!-- before: … -->` just above, which readers of the page do not see. */
  readonly before: string
}

const OPENING = /^( {0,3})(`{3,}|~{3,})\s*(\S*)\s*(.*?)\s*$/
const HIDDEN = /<!-- before:\s*([\s\S]*?)\s*-->\s*$/

/** Fences of a Markdown text, in order; one that does not close ends with the text. */
export function fences(path: string, markdown: string): readonly Fence[] {
  const lines = markdown.split('\n')
  const found: Fence[] = []
  let proseFrom = 0
  for (let at = 0; at < lines.length; at++) {
    const [, indent, ticks, language, mark] = OPENING.exec(lines[at]!) ?? []
    if (ticks === undefined) continue
    const first = at + 1
    while (at + 1 < lines.length && !closes(lines[at + 1]!, ticks)) at += 1
    const code = lines.slice(first, at + 1).map((line) => withoutIndent(line, indent!))
    const prose = lines.slice(proseFrom, first - 1).join('\n')
    const before = HIDDEN.exec(prose)?.[1] ?? ''
    found.push({
      path,
      line: first + 1,
      language: language!,
      mark: mark!,
      code: code.join('\n'),
      before,
    })
    at += 1
    proseFrom = at + 1
  }
  return found
}

function closes(line: string, ticks: string): boolean {
  const trimmed = line.trim()
  return trimmed.length >= ticks.length && trimmed === ticks[0]!.repeat(trimmed.length)
}

function withoutIndent(line: string, indent: string): string {
  return line.startsWith(indent) ? line.slice(indent.length) : line.trimStart()
}

/** The Markdown with its code blanked, line by line: what is left is prose. */
export function prose(markdown: string): string {
  const lines = markdown.split('\n')
  for (const fence of fences('', markdown)) {
    const count = fence.code.split('\n').length
    for (let line = fence.line - 1; line < fence.line - 1 + count; line++) lines[line] = ''
  }
  return lines.join('\n').replace(/`[^`\n]*`/g, (code) => ' '.repeat(code.length))
}

const SKIPPED = /^no-check:?\s*(.*)$/

/** Why a fence is not checked; undefined when it is. */
export function skipReason(fence: Fence): string | undefined {
  return SKIPPED.exec(fence.mark)?.[1]
}
