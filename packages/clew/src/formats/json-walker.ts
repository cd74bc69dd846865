import type { Problems } from '../trace/problems.ts'
import { JsonRecovery } from './json-recovery.ts'

/** What to do with a value: read it whole, pass over it, or look into it under the role named. */
export type Choice = 'take' | 'skip' | { readonly role: string }

/** What a format has where. A role is a kind of list or object that is looked into. */
export interface JsonVisitor {
  /** The role of lists of records, in which reading goes on behind damage. */
  readonly records: string
  /** The key by which records begin in most writings. */
  readonly firstKey: string
  /** Integers that a double cannot hold come as text. */
  readonly exact?: boolean
  /** @param role 'document' at the beginning */
  choose(role: string, key: string, what: 'object' | 'list' | 'plain'): Choice
  entered?(role: string): void
  left?(role: string): void
  /** A value that was to be taken; it is told where it stands for what is said about it. */
  taken(role: string, key: string, value: unknown, where: string): void
}

/** Deepest nesting of one value: what comes with more is no record of anything. */
const MAX_DEPTH = 100
const MAX_KEY = 4_096

const OBJECT = 1
const LIST = 2

/** What may come next. */
const TOP = 0
const VALUE = 1
const VALUE_OR_END = 2
const COMMA = 3
const KEY = 4
const KEY_OR_END = 5
const COLON = 6

const QUOTE = 34
const BACKSLASH = 92
const BRACE = 123
const BRACKET = 91

/**
 * Walks through JSON of any size as its text comes, one document or many behind each other, and hands
 * out values that its visitor wants without holding more than one of them. Where the text is damaged
 * it tells so, passes over the record in which that was, and goes on at the next.
 */
export class JsonWalker {
  readonly #visitor: JsonVisitor
  readonly #problems: Problems
  readonly #maxLength: number
  readonly #recovery: JsonRecovery
  readonly #kinds = new Uint8Array(MAX_DEPTH + 1)
  readonly #roles: string[] = []
  #depth = 0
  #state = TOP
  #key = ''
  #inString = false
  #inPlain = false
  #escaped = false
  /** Depth at which a value is being taken or passed over; -1 while none is. */
  #valueDepth = -1
  /** Where the text that is being kept begins in the chunk; -1 while none is. */
  #from = -1
  #kept = ''
  /** Position of the chunk in the whole text. */
  #before = 0
  #valueAt = 0
  #failed = false
  /** Where reading went on behind damage last, in the whole text. */
  #recoveredAt = -1
  /** In records of which nobody knows in what they stand: there may be no commas between them. */
  #loose = false
  #tail = ''
  #newline = false
  /** The document before was on one line, so that each is. */
  #lines = false

  constructor(visitor: JsonVisitor, problems: Problems, maxLength: number) {
    this.#visitor = visitor
    this.#problems = problems
    this.#maxLength = maxLength
    this.#recovery = new JsonRecovery(visitor.firstKey)
  }

  push(chunk: string): void {
    const text = this.#tail === '' ? chunk : this.#tail + chunk
    this.#before -= this.#tail.length
    this.#tail = ''
    let at = 0
    while (at < text.length) {
      if (this.#failed) at = this.#recover(text, at)
      else if (this.#inString) at = this.#string(text, at)
      else if (this.#inPlain) at = this.#plain(text, at)
      else at = this.#step(text, at)
    }
    if (this.#from >= 0) this.#keep(text.slice(this.#from))
    if (this.#from >= 0) this.#from = 0
    this.#before += text.length
  }

  end(): void {
    // What stands at the end of the text ends with it.
    if (this.#inPlain) this.push(' ')
    if (!this.#failed && this.#depth > 0) {
      this.#problems.add('unreadable', `${this.#where(0)}: the document ends in the middle`)
    }
    this.#leaveAll()
  }

  #where(at: number): string {
    return `character ${this.#before + at + 1}`
  }

  #step(text: string, at: number): number {
    const char = text.charCodeAt(at)
    switch (char) {
      case 10:
        if (this.#depth === 0) return at + 1
        if (this.#lines) return this.#fail(text, at, 'the line ends in the middle')
        this.#newline = true
        return at + 1
      case 32:
      case 9:
      case 13:
        return at + 1
      case QUOTE:
        return this.#beginString(text, at)
      case BRACE:
      case BRACKET:
        return this.#open(text, at, char === BRACE ? OBJECT : LIST)
      case 125:
        return this.#close(text, at, OBJECT)
      case 93:
        return this.#close(text, at, LIST)
      case 44:
        if (this.#state !== COMMA) return this.#fail(text, at, 'a comma out of place')
        this.#state = this.#kinds[this.#depth] === OBJECT ? KEY : VALUE
        return at + 1
      case 58:
        if (this.#state !== COLON) return this.#fail(text, at, 'a colon out of place')
        this.#state = VALUE
        return at + 1
      default:
        if (!this.#takesValue() || this.#depth === 0 || !isPlain(char)) {
          return this.#fail(text, at, `${JSON.stringify(text.slice(at, at + 20))} is not JSON`)
        }
        this.#begin(at, 'plain')
        this.#inPlain = true
        return at
    }
  }

  #takesValue(): boolean {
    return this.#state === VALUE || this.#state === VALUE_OR_END || this.#state === TOP
  }

  /** A value begins: unless it is within one that is taken or passed over, it is chosen what to do. */
  #begin(at: number, what: 'object' | 'list' | 'plain'): string | undefined {
    if (this.#valueDepth >= 0) return undefined
    const role = this.#roles[this.#depth - 1] ?? 'document'
    const choice = this.#visitor.choose(role, this.#key, what)
    if (typeof choice === 'object' && what !== 'plain') return choice.role
    this.#valueDepth = this.#depth
    if (choice === 'take') this.#capture(at)
    return undefined
  }

  #capture(at: number): void {
    this.#valueAt = this.#before + at
    this.#from = at
    this.#kept = ''
  }

  /** Keeps more of the value that is being taken, unless it is too long already. */
  #keep(more: string): void {
    if (this.#kept.length + more.length <= this.#maxLength) {
      this.#kept += more
      return
    }
    this.#from = -1
    this.#kept = ''
    const where = `character ${this.#valueAt + 1}`
    this.#problems.add('limit', `${where}: a record longer than ${this.#maxLength}`)
  }

  /** The value ends before `at`. */
  #endValue(text: string, at: number): void {
    this.#state = this.#depth === 0 ? TOP : COMMA
    if (this.#depth === 0) this.#endDocument()
    if (this.#valueDepth !== this.#depth) return
    this.#valueDepth = -1
    if (this.#from < 0) return
    this.#keep(text.slice(this.#from, at))
    if (this.#from < 0) return
    this.#from = -1
    const taken = this.#kept
    this.#kept = ''
    const role = this.#roles[this.#depth - 1] ?? 'document'
    const where = `character ${this.#valueAt + 1}`
    let value: unknown
    try {
      value = JSON.parse(this.#visitor.exact === true ? quoteLong(taken) : taken)
    } catch {
      this.#problems.add('unreadable', `${where}: not JSON: ${taken.slice(0, 40)}`)
      return
    }
    if (role === this.#visitor.records) this.#recovery.learnRecord(taken)
    this.#visitor.taken(role, this.#key, value, where)
  }

  #endDocument(): void {
    this.#lines = !this.#newline
    this.#newline = false
    this.#key = ''
  }

  #open(text: string, at: number, kind: number): number {
    const loose = this.#loose && this.#depth === 1 && this.#state === COMMA
    if (!this.#takesValue() && !loose) return this.#fail(text, at, 'a value out of place')
    if (this.#depth >= MAX_DEPTH) return this.#fail(text, at, 'nested too deep')
    if (this.#depth === 0) this.#recovery.learnDocument(text, at)
    const role = this.#begin(at, kind === OBJECT ? 'object' : 'list')
    this.#depth++
    this.#kinds[this.#depth] = kind
    this.#state = kind === OBJECT ? KEY_OR_END : VALUE_OR_END
    if (role !== undefined) {
      this.#roles.push(role)
      this.#key = ''
      this.#visitor.entered?.(role)
    }
    return at + 1
  }

  #close(text: string, at: number, kind: number): number {
    const ends =
      this.#state === COMMA || this.#state === (kind === OBJECT ? KEY_OR_END : VALUE_OR_END)
    if (!ends || this.#kinds[this.#depth] !== kind) {
      return this.#fail(text, at, 'an end out of place')
    }
    this.#depth--
    if (this.#valueDepth < 0) {
      const role = this.#roles.pop()
      if (role !== undefined) this.#visitor.left?.(role)
    }
    this.#endValue(text, at + 1)
    return at + 1
  }

  #beginString(text: string, at: number): number {
    if (this.#state === KEY || this.#state === KEY_OR_END) {
      this.#state = COLON
      // Only keys of what is looked into mean anything.
      if (this.#valueDepth < 0) this.#capture(at)
    } else if (this.#takesValue() && this.#depth > 0) {
      this.#begin(at, 'plain')
    } else {
      return this.#fail(text, at, 'a text out of place')
    }
    this.#inString = true
    return at + 1
  }

  #string(text: string, start: number): number {
    let at = start
    if (this.#escaped) {
      this.#escaped = false
      at++
    }
    for (; at < text.length; at++) {
      const char = text.charCodeAt(at)
      if (char === QUOTE) {
        this.#inString = false
        if (this.#state !== COLON) this.#endValue(text, at + 1)
        else if (this.#valueDepth < 0) this.#endKey(text, at + 1)
        return at + 1
      }
      if (char === BACKSLASH) at++
      else if (char < 32) return this.#fail(text, at, 'a text that does not end')
    }
    this.#escaped = at > text.length
    return at
  }

  #endKey(text: string, at: number): void {
    const key = (this.#kept + text.slice(Math.max(0, this.#from), at)).slice(0, MAX_KEY)
    this.#from = -1
    this.#kept = ''
    this.#key = key.slice(1, -1)
    if (!this.#key.includes('\\')) return
    try {
      this.#key = JSON.parse(key)
    } catch {
      // An escape that there is not: no key that anybody looks for.
    }
  }

  /** A number or a word, up to what ends it. */
  #plain(text: string, start: number): number {
    let at = start
    while (at < text.length && isPlain(text.charCodeAt(at))) at++
    if (at === text.length) return at
    this.#inPlain = false
    this.#endValue(text, at)
    return at
  }

  #fail(text: string, at: number, why: string): number {
    this.#problems.add('unreadable', `${this.#where(at)}: ${why}; passed over to what follows`)
    this.#failed = true
    this.#inString = false
    this.#inPlain = false
    this.#escaped = false
    this.#from = -1
    this.#kept = ''
    this.#valueDepth = -1
    // Where it went on and failed at once, it would for ever.
    if (this.#before + at === this.#recoveredAt) return at + 1
    return at > 0 && text.charCodeAt(at - 1) === 10 ? at - 1 : at
  }

  /** Looks for the next record, or the next document. */
  #recover(text: string, at: number): number {
    const found = this.#recovery.find(text, at)
    if (found.what === undefined) {
      this.#tail = text.slice(found.at)
      return text.length
    }
    this.#failed = false
    this.#recoveredAt = this.#before + found.at
    if (found.what === 'record') this.#backToRecords()
    else this.#leaveAll()
    return found.at
  }

  #backToRecords(): void {
    const { records } = this.#visitor
    const place = this.#roles.indexOf(records)
    if (place < 0) {
      this.#leaveAll()
      this.#loose = true
      this.#roles.push(records)
      this.#depth = 1
      this.#kinds[1] = LIST
      this.#visitor.entered?.(records)
    } else {
      this.#leave(place + 1)
      this.#depth = place + 1
    }
    this.#key = ''
    this.#state = VALUE
  }

  #leave(remaining: number): void {
    while (this.#roles.length > remaining) {
      const role = this.#roles.pop()!
      this.#visitor.left?.(role)
    }
  }

  #leaveAll(): void {
    this.#leave(0)
    this.#depth = 0
    this.#state = TOP
    this.#loose = false
    this.#newline = false
    this.#key = ''
  }
}

/** Letters, digits and signs of numbers. */
const isPlain = (char: number) =>
  (char >= 97 && char <= 122) ||
  (char >= 48 && char <= 57) ||
  (char >= 65 && char <= 90) ||
  char === 43 ||
  char === 45 ||
  char === 46

/** Integers of 17 and more digits as text: they would lose some as numbers. */
function quoteLong(text: string): string {
  return /":\s*-?\d{17}/.test(text)
    ? text.replace(/(?<!\\)(":\s*)(-?\d{17,})(?=\s*[,}\]])/g, '$1"$2"')
    : text
}
