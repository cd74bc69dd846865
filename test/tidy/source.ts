import { type Token, tokenize } from './tokens.ts'

/** A file of the repository, as the rules see it. */
export interface Source {
  /** Relative to the root, with slashes. */
  readonly path: string
  readonly text: string
}

export interface Import {
  /** As written: `./call.ts`, `clew/trace`, `node:fs`. */
  readonly specifier: string
  /** True when nothing of it is left once types are erased. */
  readonly typeOnly: boolean
  readonly line: number
}

/** Something that a rule forbids. */
export interface Violation {
  readonly path: string
  readonly line: number
  readonly message: string
}

export function isCode(path: string): boolean {
  return /\.(ts|tsx|mjs|js)$/.test(path)
}

export function isTest(path: string): boolean {
  return /\.test\.tsx?$/.test(path)
}

const tokensOf = new WeakMap<Source, readonly Token[]>()

export function tokens(source: Source): readonly Token[] {
  const known = tokensOf.get(source)
  if (known !== undefined) return known
  const found = tokenize(source.text)
  tokensOf.set(source, found)
  return found
}

/** Static and dynamic imports and re-exports, in order. */
export function imports(source: Source): readonly Import[] {
  const found: Import[] = []
  const all = tokens(source)
  all.forEach((token, index) => {
    if (token.kind !== 'word' || isProperty(all, index)) return
    if (token.text === 'import' || token.text === 'export') {
      const one = importAt(all, index)
      if (one !== undefined) found.push(one)
    }
  })
  return found
}

function importAt(all: readonly Token[], index: number): Import | undefined {
  const { line, text } = all[index]!
  const second = all[index + 1]
  const made = (specifier: Token | undefined, typeOnly: boolean): Import | undefined =>
    specifier?.kind === 'string' ? { specifier: specifier.text, typeOnly, line } : undefined
  if (second === undefined) return undefined
  if (text === 'import' && second.kind === 'string') return made(second, false)
  if (second.text === '(') return text === 'import' ? dynamicImport(all, index) : undefined
  const clause = clauseAfter(all, index)
  if (clause === undefined) return undefined
  return made(all[clause.from + 1], second.text === 'type' || clause.allTypes)
}

/** `import('x')` loads x at run time; where a type stands (`import('x').Y`) we cannot tell, and count it too. */
function dynamicImport(all: readonly Token[], index: number): Import | undefined {
  const specifier = all[index + 2]
  if (specifier?.kind !== 'string') return undefined
  return { specifier: specifier.text, typeOnly: false, line: all[index]!.line }
}

/** What stands between `import` or `export` and its `from`; undefined when no `from` belongs to it. */
function clauseAfter(
  all: readonly Token[],
  index: number,
): { readonly from: number; readonly allTypes: boolean } | undefined {
  let names = 0
  let types = 0
  let inBraces = false
  for (let at = index + 1; at < all.length; at++) {
    const { kind, text } = all[at]!
    if (kind === 'word' && text === 'from' && all[at + 1]?.kind === 'string') {
      return { from: at, allTypes: names > 0 && names === types }
    }
    if (kind === 'word') {
      const previous = all[at - 1]!.text
      if (!inBraces && text !== 'type' && text !== 'as') names += 1
      if (inBraces && (previous === '{' || previous === ',')) {
        names += 1
        if (text === 'type' && all[at + 1]?.kind === 'word') types += 1
      }
    } else if (text === '{') inBraces = true
    else if (text === '}') {
      inBraces = false
      if (all[at + 1]?.text !== 'from') return undefined
    } else if (text !== ',' && text !== '*' && kind !== 'string') return undefined
  }
  return undefined
}

/** True for the name after a dot: it belongs to whatever stands before the dot. */
export function isProperty(all: readonly Token[], index: number): boolean {
  const previous = all[index - 1]?.text
  return previous === '.' || previous === '?.'
}
