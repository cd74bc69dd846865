/** What a method's declaration says about its arguments. */
export interface Parameters {
  /** Names as written, `undefined` where a parameter is destructured. */
  readonly names: readonly (string | undefined)[]
  /** How many must be given. */
  readonly required: number
  /** How many may be given; `Infinity` with a rest parameter, or where the source could not be read. */
  readonly most: number
}

/**
 * Reads a function's parameter list from its source. JavaScript keeps no other record of optional
 * parameters, and without it a call with too many arguments would pass unnoticed.
 */
export function parametersOf(method: (...args: never[]) => unknown): Parameters {
  const list = parameterList(Function.prototype.toString.call(method))
  if (list === undefined) {
    return { names: [], required: method.length, most: Number.POSITIVE_INFINITY }
  }
  const rest = list.at(-1)?.startsWith('...') ?? false
  const positional = rest ? list.slice(0, -1) : list
  return {
    names: positional.map(
      (parameter) => /^[\p{ID_Start}$_][\p{ID_Continue}$]*/u.exec(parameter)?.[0],
    ),
    required: method.length,
    most: rest ? Number.POSITIVE_INFINITY : positional.length,
  }
}

const OPEN = '([{'
const CLOSE = ')]}'
const QUOTES = '\'"`'

/** The source of each parameter; undefined where it cannot be told, or the source is no plain function's. */
function parameterList(source: string): readonly string[] | undefined {
  const open = source.indexOf('(')
  if (open < 0 || /[=[]/.test(source.slice(0, open))) return undefined
  const parameters: string[] = []
  let depth = 0
  let current = ''
  for (let at = open; at < source.length; at++) {
    const skipped = skipText(source, at)
    if (skipped > at) {
      // A comment is no part of a parameter; a string stands for its place in a default value.
      if (QUOTES.includes(source[at]!)) current += '""'
      // Code in a template may hold anything.
      if (source[at] === '`' && source.slice(at, skipped).includes('${')) return undefined
      at = skipped - 1
      continue
    }
    const character = source[at]!
    // A division, or a regular expression, which may hold brackets and quotes of its own.
    if (character === '/') return undefined
    if (OPEN.includes(character)) {
      depth++
      if (depth === 1) continue
    } else if (CLOSE.includes(character)) {
      depth--
      if (depth === 0) {
        if (current.trim() !== '') parameters.push(current.trim())
        return parameters
      }
    } else if (character === ',' && depth === 1) {
      parameters.push(current.trim())
      current = ''
      continue
    }
    current += character
  }
  return undefined
}

/** The index behind the string or comment that starts at `at`; `at` itself when none starts there. */
function skipText(source: string, at: number): number {
  const character = source[at]!
  if (character === '/' && source[at + 1] === '*') {
    const end = source.indexOf('*/', at + 2)
    return end < 0 ? source.length : end + 2
  }
  if (character === '/' && source[at + 1] === '/') {
    const end = source.indexOf('\n', at)
    return end < 0 ? source.length : end
  }
  if (!QUOTES.includes(character)) return at
  for (let end = at + 1; end < source.length; end++) {
    if (source[end] === '\\') end++
    else if (source[end] === character) return end + 1
  }
  return source.length
}

/** What was wrong with the arguments of a call, in the words of Python's TypeError. */
export type Bound = { readonly args: readonly unknown[] } | { readonly problem: string }

/**
 * Matches positional and keyword arguments with a method's parameters, as a Python method would.
 * Keywords of a method that declares no names arrive as one object behind the positional arguments.
 */
export function bindArguments(
  method: string,
  parameters: Parameters,
  params: readonly string[] | undefined,
  given: { readonly args: readonly unknown[]; readonly kwargs: Readonly<Record<string, unknown>> },
): Bound {
  const keywords = Object.keys(given.kwargs)
  if (keywords.length === 0) return checkCount(method, parameters, params, given.args)
  if (params === undefined) {
    return checkCount(method, parameters, params, [...given.args, { ...given.kwargs }])
  }
  const args = [...given.args]
  for (const keyword of keywords) {
    const position = params.indexOf(keyword)
    if (position < 0) {
      return { problem: `${method}() got an unexpected keyword argument '${keyword}'` }
    }
    if (position < given.args.length) {
      return { problem: `${method}() got multiple values for argument '${keyword}'` }
    }
    args[position] = given.kwargs[keyword]
  }
  const absent = params.filter(
    (name, position) =>
      position < parameters.required &&
      position >= given.args.length &&
      !Object.hasOwn(given.kwargs, name),
  )
  if (absent.length > 0) return { problem: missing(method, absent) }
  return checkCount(method, parameters, params, args)
}

function checkCount(
  method: string,
  parameters: Parameters,
  params: readonly string[] | undefined,
  args: readonly unknown[],
): Bound {
  if (args.length < parameters.required) {
    const names = Array.from({ length: parameters.required - args.length }, (_, index) =>
      nameAt(parameters, params, args.length + index),
    )
    return { problem: missing(method, names) }
  }
  if (args.length > parameters.most) {
    const takes =
      parameters.required === parameters.most
        ? `${parameters.most}`
        : `from ${parameters.required} to ${parameters.most}`
    const plural = parameters.most === 1 ? '' : 's'
    const were = args.length === 1 ? 'was' : 'were'
    return {
      problem: `${method}() takes ${takes} positional argument${plural} but ${args.length} ${were} given`,
    }
  }
  return { args }
}

function nameAt(
  parameters: Parameters,
  params: readonly string[] | undefined,
  position: number,
): string {
  return params?.[position] ?? parameters.names[position] ?? `argument ${position + 1}`
}

function missing(method: string, names: readonly string[]): string {
  const quoted = names.map((name) => `'${name}'`)
  const list =
    quoted.length < 2
      ? quoted.join('')
      : `${quoted.slice(0, -1).join(', ')}${quoted.length > 2 ? ',' : ''} and ${quoted.at(-1)}`
  return `${method}() missing ${names.length} required positional argument${names.length === 1 ? '' : 's'}: ${list}`
}
