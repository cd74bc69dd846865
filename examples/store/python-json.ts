/** What Python's `json` says of a text that is no JSON, and where; undefined when it is. */
export function jsonProblem(text: string): string | undefined {
  try {
    JSON.parse(text)
    return undefined
  } catch {
    const problem = problemOf(text)
    return problem === undefined ? undefined : `${problem.what}: ${placeOf(text, problem.at)}`
  }
}

interface Problem {
  readonly what: string
  readonly at: number
}

function placeOf(text: string, at: number): string {
  const before = text.slice(0, at)
  const line = before.split('\n').length
  return `line ${line} column ${at - before.lastIndexOf('\n')} (char ${at})`
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const SPACE = /[ \t\n\r]*/y
/** Deeper texts are told to be wrong at the place where it gets too deep. */
const DEEPEST = 500

function problemOf(text: string): Problem | undefined {
  try {
    const end = skip(text, valueAt(text, skip(text, 0), 0))
    return end === text.length ? undefined : { what: 'Extra data', at: end }
  } catch (thrown) {
    if (thrown instanceof Wrong) return { what: thrown.message, at: thrown.at }
    throw thrown
  }
}

class Wrong extends Error {
  readonly at: number
  constructor(what: string, at: number) {
    super(what)
    this.at = at
  }
}

function skip(text: string, at: number): number {
  SPACE.lastIndex = at
  SPACE.test(text)
  return SPACE.lastIndex
}

/** Where the value that begins here has its end. */
function valueAt(text: string, at: number, depth: number): number {
  const first = text[at]
  if (first === '"') return stringAt(text, at)
  if (first === '{' && depth < DEEPEST) return objectAt(text, at, depth)
  if (first === '[' && depth < DEEPEST) return listAt(text, at, depth)
  const word = ['null', 'true', 'false'].find((name) => text.startsWith(name, at))
  if (word !== undefined) return at + word.length
  NUMBER.lastIndex = at
  if (NUMBER.test(text)) return NUMBER.lastIndex
  throw new Wrong('Expecting value', at)
}

function stringAt(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const char = text[at]!
    if (char === '"') return at + 1
    if (char < ' ') throw new Wrong('Invalid control character at', at)
    if (char !== '\\') continue
    at++
    if (text[at] === 'u' && !/^[\da-fA-F]{4}$/.test(text.slice(at + 1, at + 5))) {
      throw new Wrong('Invalid \\uXXXX escape', at)
    }
    if (!/["\\/bfnrtu]/.test(text[at] ?? '"')) throw new Wrong('Invalid \\escape', at - 1)
  }
  throw new Wrong('Unterminated string starting at', start)
}

function objectAt(text: string, start: number, depth: number): number {
  let at = skip(text, start + 1)
  if (text[at] === '}') return at + 1
  for (;;) {
    if (text[at] !== '"') throw new Wrong('Expecting property name enclosed in double quotes', at)
    at = skip(text, stringAt(text, at))
    if (text[at] !== ':') throw new Wrong("Expecting ':' delimiter", at)
    at = skip(text, valueAt(text, skip(text, at + 1), depth + 1))
    if (text[at] === '}') return at + 1
    if (text[at] !== ',') throw new Wrong("Expecting ',' delimiter", at)
    at = skip(text, at + 1)
  }
}

function listAt(text: string, start: number, depth: number): number {
  let at = skip(text, start + 1)
  if (text[at] === ']') return at + 1
  for (;;) {
    at = skip(text, valueAt(text, at, depth + 1))
    if (text[at] === ']') return at + 1
    if (text[at] !== ',') throw new Wrong("Expecting ',' delimiter", at)
    at = skip(text, at + 1)
  }
}
