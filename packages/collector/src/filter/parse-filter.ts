import { closest } from './closest.ts'
import {
  type Comparison,
  type Condition,
  FIELDS,
  type Field,
  type Filter,
  type Value,
} from './filter.ts'
import { FilterError } from './filter-error.ts'

/** Bounds of a filter. */
export const MOST_LETTERS = 8_192
const MOST_CONDITIONS = 64
export const MOST_VALUES = 64
const LONGEST_VALUE = 1_024

/** Other names of fields. */
const SHORT: ReadonlyMap<string, Field> = new Map([
  ['svc', 'service'],
  ['err', 'failed'],
  ['dur', 'duration'],
  ['inflight', 'in-flight'],
  ['in_flight', 'in-flight'],
])

const UNITS: Readonly<Record<string, number>> = Object.assign(Object.create(null), {
  ns: 0.001,
  us: 1,
  µs: 1,
  ms: 1_000,
  s: 1_000_000,
  m: 60_000_000,
  h: 3_600_000_000,
})

const COMPARISONS: readonly Comparison[] = ['>=', '<=', '>', '<', '=']

/**
 * Reads a filter, as docs/filters.md has the language: `service:orders duration:>200ms -host:w7`.
 * @throws FilterError that says what is wrong, where, and what would be right
 */
export function parseFilter(text: string): Filter {
  if (text.length > MOST_LETTERS) {
    throw new FilterError(
      'the filter is too long',
      MOST_LETTERS,
      `use at most ${MOST_LETTERS} letters`,
    )
  }
  const reader = new FilterReader(text)
  const conditions: Condition[] = []
  for (;;) {
    reader.space()
    if (reader.atEnd) return { conditions }
    conditions.push(...reader.condition())
    if (conditions.length > MOST_CONDITIONS) {
      throw reader.error('too many conditions', `use at most ${MOST_CONDITIONS}`)
    }
  }
}

/** A word as it was written. */
interface Word {
  readonly text: string
  readonly at: number
  readonly quoted: boolean
}

class FilterReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length
  }

  space(): void {
    while (!this.atEnd && /\s/u.test(this.#text[this.#at]!)) this.#at++
  }

  error(message: string, advice: string, position = this.#at): FilterError {
    return new FilterError(message, position, advice)
  }

  condition(): readonly Condition[] {
    const negated = this.#take('-')
    const isAttribute = this.#take('@')
    const word = this.#word(isAttribute ? ATTRIBUTE_END : FIELD_END)
    if (isAttribute) {
      if (word.text === '')
        throw this.error('an attribute has a name', 'write @name:value', word.at)
      if (!this.#take(':')) {
        throw this.error(
          'an attribute has a value',
          `write @${word.text}:value, or @${word.text}:*`,
        )
      }
      return this.#values('attribute', negated, literally(word.text))
    }
    if (!word.quoted && this.#take(':')) return this.#values(fieldOf(word), negated)
    if (word.text === '')
      throw this.error('a condition is missing here', 'write field:value or a name')
    this.#checkLength(word)
    return [{ field: 'name', negated, comparison: '=', values: [word.text] }]
  }

  #values(field: Field, negated: boolean, attribute?: string): readonly Condition[] {
    const { kind } = FIELDS[field]
    const start = this.#at
    const comparison = COMPARISONS.find((sign) => this.#take(sign)) ?? '='
    if (comparison !== '=' && (kind === 'text' || kind === 'flag') && field !== 'attribute') {
      throw this.error(`${field} cannot be compared`, `write ${field}:value`, start)
    }
    const words = [this.#word(VALUE_END)]
    while (this.#take(',')) words.push(this.#word(VALUE_END))
    if (words.length > MOST_VALUES) {
      throw this.error('too many alternatives', `use at most ${MOST_VALUES}`, start)
    }
    const [only] = words
    const named = attribute === undefined ? {} : { attribute }
    const range = kind === 'number' || kind === 'duration' ? only!.text.split('..') : []
    if (words.length === 1 && comparison === '=' && range.length === 2) {
      return this.#range(field, negated, only!, range as [string, string])
    }
    if (comparison !== '=' && words.length > 1) {
      throw this.error(
        'only one value can be compared with',
        `write ${field}:${comparison}value`,
        start,
      )
    }
    const values = words.map((word) => this.#value(field, word, comparison))
    return [{ field, ...named, negated, comparison, values }]
  }

  #range(
    field: Field,
    negated: boolean,
    { at }: Word,
    [from, to]: [string, string],
  ): readonly Condition[] {
    if (negated) {
      throw this.error(
        'a range cannot be negated',
        `write ${field}:<${from} or ${field}:>${to}`,
        at,
      )
    }
    const side = (text: string, comparison: Comparison): readonly Condition[] =>
      text === ''
        ? []
        : [
            {
              ...{ field, negated, comparison },
              values: [this.#value(field, { text, at, quoted: false }, comparison)],
            },
          ]
    const sides = [...side(from, '>='), ...side(to, '<=')]
    if (sides.length > 0) return sides
    throw this.error('a range has a beginning or an end', `write ${field}:1..5`, at)
  }

  #value(field: Field, word: Word, comparison: Comparison): Value {
    const { kind } = FIELDS[field]
    this.#checkLength(word)
    if (kind === 'number' || (field === 'attribute' && comparison !== '=')) {
      return this.#number(field, word)
    }
    if (kind === 'duration') return this.#duration(field, word)
    if (kind === 'flag') return this.#flag(field, word)
    if (word.text === '' && !word.quoted) {
      throw this.error(
        `${field} has no value`,
        `write ${field}:value, or ${field}:"" for none`,
        word.at,
      )
    }
    return word.text
  }

  #number(field: Field, { text, at }: Word): number {
    if (/^\d+(?:\.\d+)?$/u.test(text)) return Number(text)
    throw this.error(`“${text}” is no number`, `write ${field}:>50`, at)
  }

  #duration(field: Field, { text, at }: Word): number {
    const [, digits, unit] = /^(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)$/u.exec(text) ?? []
    if (digits !== undefined) return Math.round(Number(digits) * UNITS[unit!]!)
    const units = 'ns, us, ms, s, m or h'
    const bare = /^\d+(?:\.\d+)?$/u.test(text)
    const advice = bare ? `write ${field}:>${text}ms; units are ${units}` : `write ${field}:>200ms`
    throw this.error(`“${text}” is no duration${bare ? ': its unit is missing' : ''}`, advice, at)
  }

  #flag(field: Field, { text, at }: Word): boolean {
    if (/^(?:true|yes|1)$/iu.test(text)) return true
    if (/^(?:false|no|0)$/iu.test(text)) return false
    throw this.error(`${field} is true or false`, `write ${field}:true`, at)
  }

  #checkLength({ text, at }: Word): void {
    if (text.length <= LONGEST_VALUE) return
    throw this.error('a value is too long', `use at most ${LONGEST_VALUE} letters`, at)
  }

  #take(sign: string): boolean {
    if (!this.#text.startsWith(sign, this.#at)) return false
    this.#at += sign.length
    return true
  }

  /** Up to a space or what ends it; in quotes, anything. */
  #word(end: RegExp): Word {
    const at = this.#at
    if (this.#take('"')) return this.#quoted(at)
    while (!this.atEnd && !end.test(this.#text[this.#at]!)) this.#at++
    return { text: normal(this.#text.slice(at, this.#at)), at, quoted: false }
  }

  #quoted(at: number): Word {
    const start = this.#at
    for (;;) {
      const letter = this.#text[this.#at]
      if (letter === undefined) {
        throw this.error('a quotation does not end', 'close it with "; \\" is a quote in it', at)
      }
      if (letter === '"') break
      this.#at += letter === '\\' ? 2 : 1
    }
    const text = normal(this.#text.slice(start, this.#at))
    this.#at++
    return { text, at, quoted: true }
  }
}

/** Of all that is escaped, only stars and backslashes need it. */
const normal = (text: string) =>
  text.replace(/\\([\s\S]|$)/gu, (pair, letter: string) =>
    letter === '' ? '\\\\' : letter === '*' || letter === '\\' ? pair : letter,
  )

const literally = (text: string) => text.replace(/\\([*\\])/gu, '$1')

const FIELD_END = /[\s:"]/u
const ATTRIBUTE_END = /[\s:"]/u
const VALUE_END = /[\s,]/u

function fieldOf({ text, at }: Word): Field {
  const name = text.toLowerCase()
  if (name !== 'name' && name !== 'attribute' && Object.hasOwn(FIELDS, name)) return name as Field
  const short = SHORT.get(name)
  if (short !== undefined) return short
  const known = Object.keys(FIELDS).filter((field) => field !== 'name' && field !== 'attribute')
  const near = closest(name, known)
  const advice = near === undefined ? `fields are ${known.join(', ')}` : `did you mean ${near}?`
  throw new FilterError(`there is no field “${text}”`, at, `${advice} Attributes are @name:value.`)
}
