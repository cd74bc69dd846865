import { isCode, type Source, tokens, type Violation } from './source.ts'

const MAX_LINES = 500
const CONFLICT = /^(<{7}|>{7}|\|{7})( |$)/
// Written in pieces so that this file does not break its own rules.
const UNFINISHED = new RegExp(
  `\\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK'].join('|')})\\b`,
)
const MACHINE_PATHS = /(^|[^\w.-])\/(work|tmp|root|home\/[a-z]+|Users\/[a-zA-Z]+)\//
const REGISTRY = /https?:\/\/(?:registry|deb|pypi)\./

/** What must stand in no line of any file. */
const LINES: readonly { readonly pattern: RegExp; readonly message: string }[] = [
  { pattern: CONFLICT, message: 'a merge was not finished here' },
  { pattern: UNFINISHED, message: 'unfinished work' },
  { pattern: MACHINE_PATHS, message: 'a path of one machine' },
  { pattern: REGISTRY, message: "a package registry's host" },
]

export function badLines(sources: readonly Source[]): readonly Violation[] {
  return sources.flatMap(({ path, text }) =>
    text.split('\n').flatMap((content, index) =>
      LINES.filter(({ pattern }) => pattern.test(content)).map(({ message }) => ({
        path,
        line: index + 1,
        message: `${message}: ${content.trim().slice(0, 80)}`,
      })),
    ),
  )
}

export function longFiles(sources: readonly Source[]): readonly Violation[] {
  return sources.filter(isCodeSource).flatMap(({ path, text }) => {
    const lines = text.trimEnd().split('\n').length
    if (lines <= MAX_LINES) return []
    return [
      { path, line: MAX_LINES, message: `${lines} lines; at most ${MAX_LINES} make one concept` },
    ]
  })
}

/** Default exports have no name that a search would find; left-overs of debugging have no business. */
export function badStatements(sources: readonly Source[]): readonly Violation[] {
  return sources.filter(isCodeSource).flatMap((source) => {
    const all = tokens(source)
    return all.flatMap(({ kind, text, line }, index) => {
      if (kind !== 'word') return []
      const [before, after] = [all[index - 1]?.text, all[index + 1]?.text]
      const bad = (message: string) => [{ path: source.path, line, message }]
      if (text === 'default' && (before === 'export' || before === 'as')) {
        return bad('a default export')
      }
      if (text === 'debugger' && before !== '.') return bad('a debugger statement')
      if (text === 'only' && before === '.' && after === '(')
        return bad('a test that hides the others')
      return []
    })
  })
}

function isCodeSource({ path }: Source): boolean {
  return isCode(path)
}
