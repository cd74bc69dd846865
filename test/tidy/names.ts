import { isCode, isProperty, type Source, tokens, type Violation } from './source.ts'

/** Words that say nothing, and short forms of words that do. */
export const BANNED_WORDS: ReadonlySet<string> = new Set(
  [
    ...['span', 'node', 'manager', 'helper', 'util', 'common', 'data', 'info', 'base'],
    ...['ctx', 'msg', 'svc', 'cfg', 'mgr', 'cb', 'evt', 'impl', 'tmp'],
  ].flatMap((word) => [word, `${word}s`]),
)

/** Where a banned word is the right one, because it is not ours or means what it says. */
export interface AllowedName {
  readonly paths: RegExp
  readonly names: RegExp
  readonly reason: string
}

const NOT_NAMED_BY_US = /^(DataView|NodeJS)$/

/** Banned words in file names and in names that the file gives; names that follow a dot are others'. */
export function badNames(
  sources: readonly Source[],
  allowed: readonly AllowedName[],
): readonly Violation[] {
  return sources.filter(({ path }) => isCode(path)).flatMap((source) => badNamesOf(source, allowed))
}

function badNamesOf(source: Source, allowed: readonly AllowedName[]): readonly Violation[] {
  const { path } = source
  const found = new Map<string, Violation>()
  const look = (name: string, line: number, what: string) => {
    if (found.has(name) || NOT_NAMED_BY_US.test(name)) return
    if (allowed.some((entry) => entry.paths.test(path) && entry.names.test(name))) return
    const word = wordsOf(name).find((one) => BANNED_WORDS.has(one))
    if (word !== undefined) {
      found.set(name, { path, line, message: `the ${what} ${name} contains "${word}"` })
    }
  }
  const file = path.slice(path.lastIndexOf('/') + 1).replace(/\..*$/, '')
  if (/[A-Z_]/.test(file)) found.set(file, { path, line: 1, message: 'not in kebab-case' })
  look(file, 1, 'file name')
  const all = tokens(source)
  all.forEach((token, index) => {
    if (token.kind !== 'word' || isProperty(all, index)) return
    look(token.text, token.line, 'name')
    const declared = all[index - 1]?.text
    if (/^(interface|type|class)$/.test(declared ?? '') && /^I[A-Z][a-z]/.test(token.text)) {
      const message = `the ${declared} ${token.text} has an I in front`
      found.set(token.text, { path, line: token.line, message })
    }
  })
  return [...found.values()]
}

/** `encodeBase64`, `call-node`, `MAX_DATA`: the words of a name, in lower case. */
export function wordsOf(name: string): readonly string[] {
  return (name.match(/[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*/g) ?? []).map((word) =>
    word.toLowerCase(),
  )
}
