import { ConfigError } from '../call/index.ts'

/** What a variable part of a route accepts, and what it becomes: werkzeug's converters. */
export interface Converter {
  /** Source of a regular expression, without groups. */
  readonly pattern: string
  /** Among routes that fit, the lighter one is tried first. */
  readonly weight: number
  /** False when what it accepts may contain slashes. */
  readonly isolating: boolean
  /** False when it accepts texts of any length. */
  readonly bounded: boolean
  /** The value for the method; undefined when the text fits the pattern and yet is refused. */
  read(text: string): string | number | undefined
}

type Argument = string | number | boolean | undefined
interface Arguments {
  readonly positional: readonly Argument[]
  readonly named: ReadonlyMap<string, Argument>
}

/**
 * @param source what stands between the converter's parentheses
 * @throws ConfigError without saying which route
 */
export function converterOf(name: string, source: string): Converter {
  const make = CONVERTERS.get(name)
  if (make === undefined) {
    throw new ConfigError(
      `there is no converter ${JSON.stringify(name)}; use ${[...CONVERTERS.keys()].join(', ')}`,
    )
  }
  return make(argumentsIn(source))
}

const CONVERTERS: ReadonlyMap<string, (given: Arguments) => Converter> = new Map([
  ['string', textConverter],
  ['int', (given) => numberConverter('int', '[0-9]+', given)],
  ['float', (given) => numberConverter('float', '[0-9]+\\.[0-9]+', given)],
  ['path', pathConverter],
  ['uuid', uuidConverter],
  ['any', anyConverter],
  ['default', textConverter],
])

function textConverter(given: Arguments): Converter {
  const { minlength, maxlength, length } = named(given, ['minlength', 'maxlength', 'length'])
  const least = wholeNumber('minlength', minlength) ?? 1
  const most = wholeNumber('maxlength', maxlength) ?? ''
  const exact = wholeNumber('length', length)
  const pattern = `[^/]{${exact ?? `${least},${most}`}}`
  const bounded = (exact ?? most) !== ''
  return { pattern, weight: 100, isolating: true, bounded, read: (text) => text }
}

function pathConverter(given: Arguments): Converter {
  named(given, [])
  return { pattern: '[^/].*?', weight: 200, isolating: false, bounded: false, read: (text) => text }
}

function uuidConverter(given: Arguments): Converter {
  named(given, [])
  const hex = '[A-Fa-f0-9]'
  const pattern = `${hex}{8}-${hex}{4}-${hex}{4}-${hex}{4}-${hex}{12}`
  return {
    pattern,
    weight: 100,
    isolating: true,
    bounded: true,
    read: (text) => text.toLowerCase(),
  }
}

function anyConverter({ positional }: Arguments): Converter {
  if (positional.length === 0) throw new ConfigError('any needs its items, as in <any(a,b):name>')
  const pattern = `(?:${positional.map((item) => escaped(String(item))).join('|')})`
  return { pattern, weight: 100, isolating: true, bounded: true, read: (text) => text }
}

function numberConverter(kind: 'int' | 'float', digits: string, given: Arguments): Converter {
  const whole = kind === 'int'
  const order = whole ? ['fixed_digits', 'min', 'max', 'signed'] : ['min', 'max', 'signed']
  const { fixed_digits: fixed, min, max, signed } = named(given, order)
  const least = numberIn('min', min) ?? Number.NEGATIVE_INFINITY
  const most = numberIn('max', max) ?? Number.POSITIVE_INFINITY
  const length = wholeNumber('fixed_digits', fixed) ?? 0
  return {
    pattern: signed === true ? `-?${digits}` : digits,
    weight: 50,
    isolating: true,
    bounded: false,
    read: (text) => {
      if (length > 0 && text.length !== length) return undefined
      const value = Number(text)
      // A number that JavaScript would silently change is not the one that was asked for.
      if (whole ? !Number.isSafeInteger(value) : !Number.isFinite(value)) return undefined
      return value < least || value > most ? undefined : value
    },
  }
}

const ARGUMENT =
  /\s*(?:(\w+)\s*=\s*)?(True|False|-?\d+\.\d+|-?\d+(?![\w.])|[\w.]+|[urUR]?(?:"([^"]*?)"|'([^']*)'))\s*,/uy

function argumentsIn(source: string): Arguments {
  const positional: Argument[] = []
  const byName = new Map<string, Argument>()
  const text = source.trim() === '' ? '' : `${source},`
  let position = 0
  while (position < text.length) {
    ARGUMENT.lastIndex = position
    const match = ARGUMENT.exec(text)
    if (match === null) {
      throw new ConfigError(`the arguments (${source}) cannot be read from ${text.slice(position)}`)
    }
    const [whole, name, plain, double, single] = match
    const value = double ?? single ?? plainValue(plain!)
    if (name === undefined) positional.push(value)
    else byName.set(name, value)
    position += whole.length
  }
  return { positional, named: byName }
}

function plainValue(text: string): Argument {
  if (text === 'None') return undefined
  if (text === 'True' || text === 'False') return text === 'True'
  return /^-?\d+(?:\.\d+)?$/u.test(text) ? Number(text) : text
}

/** The arguments by their names; positional ones come in the order of `names`. */
function named(given: Arguments, names: readonly string[]): Readonly<Record<string, Argument>> {
  const values: Record<string, Argument> = Object.create(null)
  if (given.positional.length > names.length) {
    throw new ConfigError(`at most ${names.length} arguments can be given`)
  }
  for (const [index, value] of given.positional.entries()) values[names[index]!] = value
  for (const [name, value] of given.named) {
    if (!names.includes(name)) {
      throw new ConfigError(
        `there is no argument ${name}${names.length > 0 ? `; use ${names.join(', ')}` : ''}`,
      )
    }
    values[name] = value
  }
  return values
}

function numberIn(name: string, value: Argument): number | undefined {
  if (value === undefined || typeof value === 'number') return value
  throw new ConfigError(`${name} must be a number; got ${JSON.stringify(value)}`)
}

function wholeNumber(name: string, value: Argument): number | undefined {
  const number = numberIn(name, value)
  if (number === undefined || (Number.isInteger(number) && number >= 0)) return number
  throw new ConfigError(`${name} must be a whole number; got ${number}`)
}

/** Text as a regular expression's source. */
export function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/gu, '\\$&')
}
