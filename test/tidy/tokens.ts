/**
 * A piece of TypeScript. Comments are not kept. `string` and `pattern` have their text without
 * quotes; what is computed in a template is a piece of its own, and `…` in the template's text.
 */
export interface Token {
  readonly kind: 'word' | 'string' | 'pattern' | 'punctuation'
  readonly text: string
  readonly line: number
}

const WORD_START = /[\p{ID_Start}$_]/u
const WORD = /[\p{ID_Continue}$\u200c\u200d]+/uy
const NUMBER = /\d[\w.]*/y
const LONG_PUNCTUATION = ['...', '?.', '=>', '**']
/** After these words a slash begins a pattern; after any other word it divides. */
const BEFORE_PATTERN = new Set(
  'return typeof case in of delete void throw new await yield else do instanceof'.split(' '),
)

/**
 * Cuts TypeScript into tokens, well enough for rules about names and imports. It never fails: what
 * it does not understand becomes punctuation, one character at a time.
 */
export function tokenize(text: string): readonly Token[] {
  return new Tokenizer(text).all()
}

class Tokenizer {
  readonly #text: string
  readonly #tokens: Token[] = []
  #at = 0
  #line = 1

  constructor(text: string) {
    this.#text = text
  }

  all(): readonly Token[] {
    if (this.#text.startsWith('#!')) this.#skipTo('\n')
    this.#until(undefined)
    return this.#tokens
  }

  /** Reads up to a closing brace that belongs to a template, or to the end. */
  #until(end: '}' | undefined): void {
    let depth = 0
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at]!
      if (character === end && depth === 0) {
        this.#at += 1
        return
      }
      if (character === '{') depth += 1
      if (character === '}') depth -= 1
      this.#next(character)
    }
  }

  #next(character: string): void {
    const two = this.#text.slice(this.#at, this.#at + 2)
    if (character === '\n') {
      this.#line += 1
      this.#at += 1
    } else if (/\s/.test(character)) this.#at += 1
    else if (two === '//') this.#skipTo('\n')
    else if (two === '/*') this.#skipTo('*/', 2)
    else if (character === '"' || character === "'") this.#string(character)
    else if (character === '`') this.#template()
    else if (character === '/' && this.#patternMayBegin()) this.#pattern()
    else if (/\d/.test(character)) this.#at += this.#match(NUMBER).length
    else if (WORD_START.test(character)) this.#push('word', this.#match(WORD))
    else this.#punctuation(character)
  }

  #punctuation(character: string): void {
    const long = LONG_PUNCTUATION.find((text) => this.#text.startsWith(text, this.#at))
    this.#push('punctuation', long ?? character)
  }

  #push(kind: Token['kind'], text: string): void {
    this.#tokens.push({ kind, text, line: this.#line })
    this.#at += text.length
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    return pattern.exec(this.#text)?.[0] ?? this.#text[this.#at]!
  }

  #skipTo(end: string, consumed = 0): void {
    const found = this.#text.indexOf(end, this.#at + consumed)
    const stop = found < 0 ? this.#text.length : found + consumed
    this.#countLines(stop)
    this.#at = stop
  }

  #countLines(stop: number): void {
    for (let at = this.#at; at < stop; at++) if (this.#text[at] === '\n') this.#line += 1
  }

  #string(quote: string): void {
    let end = this.#at + 1
    while (end < this.#text.length && this.#text[end] !== quote) {
      // An apostrophe in the text of an element is no string: those end on their line.
      if (this.#text[end] === '\n') {
        this.#push('punctuation', quote)
        return
      }
      end += this.#text[end] === '\\' ? 2 : 1
    }
    this.#quoted('string', end)
  }

  #quoted(kind: 'string' | 'pattern', end: number): void {
    const text = this.#text.slice(this.#at + 1, end)
    this.#tokens.push({ kind, text, line: this.#line })
    this.#countLines(end)
    this.#at = end + 1
  }

  #template(): void {
    let text = ''
    const line = this.#line
    this.#at += 1
    while (this.#at < this.#text.length && this.#text[this.#at] !== '`') {
      if (this.#text.startsWith('${', this.#at)) {
        this.#at += 2
        this.#until('}')
        text += '…'
      } else {
        const length = this.#text[this.#at] === '\\' ? 2 : 1
        this.#countLines(this.#at + length)
        text += this.#text.slice(this.#at, this.#at + length)
        this.#at += length
      }
    }
    this.#at += 1
    this.#tokens.push({ kind: 'string', text, line })
  }

  #patternMayBegin(): boolean {
    const last = this.#tokens.at(-1)
    if (last === undefined) return true
    if (last.kind === 'word') return BEFORE_PATTERN.has(last.text)
    return last.kind === 'punctuation' && !/[)\]}]$/.test(last.text)
  }

  #pattern(): void {
    let end = this.#at + 1
    let inClass = false
    for (; end < this.#text.length; end++) {
      const character = this.#text[end]
      if (character === '\n') {
        this.#push('punctuation', '/')
        return
      }
      if (character === '\\') end += 1
      else if (character === '[') inClass = true
      else if (character === ']') inClass = false
      else if (character === '/' && !inClass) break
    }
    this.#quoted('pattern', end)
    WORD.lastIndex = this.#at
    this.#at += WORD.exec(this.#text)?.[0].length ?? 0
  }
}
