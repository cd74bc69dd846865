import { ConfigError } from '../call/index.ts'
import { type Converter, converterOf, escaped } from './converters.ts'

/** A route's text, read: werkzeug's Rule. */
export interface Route {
  /** As written: `/orders/<int:order_id>`. */
  readonly text: string
  /** As traces show it, converters removed: `/orders/{order_id}`. */
  readonly shown: string
  readonly parts: readonly RoutePart[]
  /** What reads the variables, in the order of the text. */
  readonly converters: readonly Converter[]
}

/** What stands between two slashes, or all the rest when a variable may contain slashes. */
export interface RoutePart {
  /** Text to be equal to, or a pattern. */
  readonly content: string
  readonly pattern: RegExp | undefined
  /** It takes all that is left of the path. */
  readonly final: boolean
  /** A last group of its pattern holds the slash at the end, if there is one. */
  readonly suffixed: boolean
  readonly weight: Weight
  /** Characters that it is tried on; longer ones do not fit. */
  readonly longest: number
}

/** How specific a part is; compared from left to right, the lowest goes first. */
export type Weight = readonly [
  negativeStatics: number,
  statics: readonly (readonly [number, number])[],
  negativeVariables: number,
  variables: readonly number[],
]

const TOKEN =
  /(?<slash>\/)|(?<text>[^</]+)|<(?:(?<converter>[a-zA-Z_]\w*)(?:\((?<given>.*?)\))?:)?(?<name>[a-zA-Z_]\w*)>/uy

interface Token {
  readonly slash?: string | undefined
  readonly text?: string | undefined
  readonly converter?: string | undefined
  readonly given?: string | undefined
  readonly name?: string | undefined
}

/**
 * Reads a route as werkzeug does.
 * @throws ConfigError saying what is wrong with it
 */
export function parseRoute(text: string): Route {
  if (!text.startsWith('/')) {
    throw new ConfigError(`the route ${JSON.stringify(text)} must start with a slash.`)
  }
  const tokens = tokensIn(text)
  const names = tokens.flatMap(({ name }) => name ?? [])
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) {
    throw new ConfigError(`the route ${text} has two variables named ${twice}; rename one.`)
  }
  const parts = new PartsOf(text)
  for (const token of tokens) parts.take(token)
  return {
    text,
    shown: tokens
      .map((one) => one.slash ?? one.text ?? `{${one.name}}`)
      .join('')
      .replace(/\/{2,}/gu, '/'),
    parts: parts.close(),
    converters: parts.converters,
  }
}

function tokensIn(route: string): readonly Token[] {
  // As paths are matched: neighbouring slashes are one.
  const text = route.replace(/\/{2,}/gu, '/')
  const tokens: Token[] = []
  let position = 0
  while (position < text.length) {
    TOKEN.lastIndex = position
    const match = TOKEN.exec(text)
    if (match === null) {
      throw new ConfigError(
        `the route ${JSON.stringify(route)} cannot be read from ${JSON.stringify(text.slice(position))}; variables look like <name> or <int:name>.`,
      )
    }
    tokens.push(match.groups as Token)
    position += match[0].length
  }
  return tokens
}

/**
 * Steps that matching one part may take. Each variable of any length multiplies them by the text's
 * length, so `<a>-<b>-<c>` and a path of 16 KiB of dashes would keep a process busy for hours.
 */
const MOST_STEPS = 2e7

/** Collects what stands between slashes. */
class PartsOf {
  readonly converters: Converter[] = []
  readonly #route: string
  readonly #parts: RoutePart[] = []
  #content = ''
  #static = true
  #final = false
  #statics: (readonly [number, number])[] = []
  #variables: number[] = []
  #unbounded = 0

  constructor(route: string) {
    this.#route = route
  }

  take({ slash, text, converter, given, name }: Token): void {
    if (text !== undefined) {
      this.#statics.push([this.#statics.length, -[...text].length])
      this.#content += this.#static ? text : escaped(text)
    } else if (name !== undefined) {
      this.#variable(converter ?? 'string', given ?? '')
    } else if (slash !== undefined) {
      if (this.#final) this.#content += '/'
      else this.#end(false)
    }
  }

  #variable(name: string, given: string): void {
    let converter: Converter
    try {
      converter = converterOf(name, given)
    } catch (error) {
      throw new ConfigError(`the route ${this.#route}: ${(error as Error).message}.`)
    }
    if (this.#static) this.#content = escaped(this.#content)
    this.#static = false
    this.converters.push(converter)
    if (!converter.isolating) this.#final = true
    if (!converter.bounded) this.#unbounded++
    this.#content += `(${converter.pattern})`
    this.#variables.push(converter.weight)
  }

  close(): readonly RoutePart[] {
    // A route that ends with a slash behind slashes of a variable is asked for without it as well.
    const suffixed = this.#final && this.#content.endsWith('/')
    if (suffixed) this.#content = `${this.#content.slice(0, -1)}(?<!/)(/?)`
    this.#end(suffixed)
    if (suffixed) this.#end(false)
    return this.#parts
  }

  #end(suffixed: boolean): void {
    this.#parts.push({
      content: this.#content,
      pattern: this.#static ? undefined : new RegExp(`^${this.#content}$`, 'u'),
      final: this.#final,
      suffixed,
      weight: [-this.#statics.length, this.#statics, -this.#variables.length, this.#variables],
      longest: Math.floor(MOST_STEPS ** (1 / Math.max(1, this.#unbounded))),
    })
    this.#unbounded = 0
    this.#content = ''
    this.#static = true
    this.#final = false
    this.#statics = []
    this.#variables = []
  }
}
