import { ConfigError } from '../call/index.ts'

/** Where `${NAME}` is looked up. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Rounds in which a default, or a variable's own text, may name further variables. */
const MOST_ROUNDS = 20
/** Characters that a substitution may grow to: variables that name each other twice double each round. */
const MOST_CHARACTERS = 1024 * 1024

/** True for text that Nameko would substitute in: `${…}` anywhere within a line. */
export const HAS_VARIABLE = /^.*\$\{.*\}.*/u

/**
 * Puts variables in place of `${NAME}` and `${NAME:default}`, as Nameko does with its `regex` module:
 * braces of a default are paired, so that it may hold further variables, and JSON. Without a default
 * a variable that is not set is the empty string; one that is set to nothing counts as set.
 * @throws ConfigError when variables name each other for ever
 */
export function substitute(text: string, env: Environment, round = 0): string {
  if (round > MOST_ROUNDS) {
    throw new ConfigError(
      `its variables name each other more than ${MOST_ROUNDS} times over; is there a circle?`,
    )
  }
  const closing = closingBraces(text)
  let result = ''
  let at = 0
  for (;;) {
    const start = text.indexOf('${', at)
    if (start < 0) return bounded(result + text.slice(at))
    const found = variableAt(text, start, closing)
    if (found === undefined) {
      result += text.slice(at, start + 2)
      at = start + 2
      continue
    }
    result = bounded(result + text.slice(at, start) + lookUp(found, env, round))
    at = found.end
  }
}

interface Variable {
  readonly name: string
  readonly fallback: string
  /** The index behind its closing brace. */
  readonly end: number
}

const NAME = /[^{}:\s]+/uy

function variableAt(
  text: string,
  start: number,
  closing: ReadonlyMap<number, number>,
): Variable | undefined {
  NAME.lastIndex = start + 2
  const name = NAME.exec(text)?.[0]
  if (name === undefined) return undefined
  const behind = start + 2 + name.length
  if (text[behind] === '}') return { name, fallback: '', end: behind + 1 }
  const end = text[behind] === ':' ? closing.get(start + 1) : undefined
  if (end === undefined) return undefined
  return { name, fallback: text.slice(behind + 1, end), end: end + 1 }
}

/** Where each brace's other half stands; found for all of them at once, however many lack theirs. */
function closingBraces(text: string): ReadonlyMap<number, number> {
  const closing = new Map<number, number>()
  const open: number[] = []
  for (let at = text.indexOf('{'); at >= 0 && at < text.length; at++) {
    if (text[at] === '{') open.push(at)
    else if (text[at] === '}') {
      const start = open.pop()
      if (start !== undefined) closing.set(start, at)
    }
  }
  return closing
}

function lookUp({ name, fallback }: Variable, env: Environment, round: number): string {
  const set = Object.hasOwn(env, name) ? env[name] : undefined
  if (set !== undefined) return set
  let value = fallback
  for (let again = round + 1; HAS_VARIABLE.test(value); again++) {
    const next = substitute(value, env, again)
    // What looks like a variable and is none stays as it is.
    if (next === value) break
    value = next
  }
  return value
}

function bounded(text: string): string {
  if (text.length <= MOST_CHARACTERS) return text
  throw new ConfigError(`with its variables it is longer than ${MOST_CHARACTERS} characters.`)
}
