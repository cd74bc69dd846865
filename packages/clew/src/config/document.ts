import { LineCounter, parseDocument, type ScalarTag, stringify, type TagId, type Tags } from 'yaml'
import { ConfigError } from '../call/index.ts'
import { type Environment, HAS_VARIABLE, substitute } from './environment.ts'

/** A YAML file with variables put in. */
export interface ConfigDocument {
  readonly value: unknown
  /** The line, from 1, where a value stands; undefined where it cannot be told. */
  lineOf(path: readonly (string | number)[]): number | undefined
}

/** How often the text of a variable may itself be YAML with variables. */
const MOST_DEPTH = 10
/** Places that one anchor may be repeated at. */
const MOST_ALIASES = 100

/**
 * Reads YAML as PyYAML does (1.1: `0042` is octal, `yes` is true) with Nameko's variables.
 * @param name of the file, for errors
 * @throws ConfigError with the file and the line
 */
export function readDocument(text: string, name: string, env: Environment): ConfigDocument {
  const lines = new LineCounter()
  const document = parse(text, env, 0, lines)
  const problem = document.errors[0] ?? document.warnings[0]
  if (problem !== undefined) {
    const [first] = problem.message.split('\n')
    const { line } = lines.linePos(problem.pos[0])
    throw new ConfigError(`${name}:${line}: ${withoutPlace(first!)}`)
  }
  return {
    value: plain(document, name),
    lineOf: (path) => {
      for (let length = path.length; length > 0; length--) {
        const found: unknown = document.getIn(path.slice(0, length), true)
        const range = (found as { range?: readonly number[] | null } | undefined)?.range
        if (range !== undefined && range !== null) return lines.linePos(range[0]!).line
      }
      return undefined
    },
  }
}

/**
 * A value as it could stand in a file: `5` is a number, `[a, b]` a list.
 * @throws ConfigError when it is no YAML
 */
export function readValue(text: string, env: Environment): unknown {
  const document = parse(text, env, 0)
  const problem = document.errors[0] ?? document.warnings[0]
  if (problem !== undefined) throw new ConfigError(withoutPlace(problem.message.split('\n')[0]!))
  return plain(document, 'the value')
}

/** A value as YAML 1.1, such as a configuration file might say it. */
export function writeDocument(value: unknown): string {
  return stringify(value, { version: '1.1', aliasDuplicateObjects: false, lineWidth: 0 })
}

type Parsed = ReturnType<typeof parseDocument>

function parse(text: string, env: Environment, depth: number, lineCounter?: LineCounter): Parsed {
  const tags = (others: Tags): (ScalarTag | TagId | Tags[number])[] => [
    ...variableTags(env, depth),
    ...others,
  ]
  return parseDocument(text, {
    version: '1.1',
    customTags: tags,
    logLevel: 'warn',
    ...(lineCounter && { lineCounter }),
  })
}

/** What YAML 1.1 reads as true, false or a number, and PyYAML, which Nameko's files were written for, as text. */
const TEXT_TO_PYTHON = /^(?:[YyNn]|[-+]?\d[\d_]*[eE][-+]?\d+|[-+]?\d[\d_]*\.[\d_]*[eE]\d+)$/u

/** `!env_var` is explicit, or implied by `${…}` without quotes; `!raw_env_var` stays text. */
function variableTags(env: Environment, depth: number): readonly ScalarTag[] {
  const guarded =
    (resolve: (text: string) => unknown): ScalarTag['resolve'] =>
    (text, onError) => {
      try {
        return resolve(text)
      } catch (error) {
        onError(error instanceof Error ? error.message : String(error))
        return null
      }
    }
  const parsed = guarded((text) => {
    const value = substitute(text, env)
    if (value === text) return text
    if (depth >= MOST_DEPTH) {
      throw new ConfigError(
        `its variables name each other more than ${MOST_DEPTH} times over; is there a circle?`,
      )
    }
    const inner = parse(value, env, depth + 1)
    const problem = inner.errors[0] ?? inner.warnings[0]
    if (problem !== undefined) {
      const message = withoutPlace(problem.message.split('\n')[0]!)
      const told = message.includes('its variables')
      throw new ConfigError(told ? message : `with its variables it is no YAML: ${message}`)
    }
    return plain(inner, 'it')
  })
  return [
    { tag: '!env_var', resolve: parsed },
    { tag: '!raw_env_var', resolve: guarded((text) => substitute(text, env)) },
    { tag: '!text', default: true, test: TEXT_TO_PYTHON, resolve: (text) => text },
    { tag: '!implied_env_var', default: true, test: HAS_VARIABLE, resolve: parsed },
  ]
}

function plain(document: Parsed, name: string): unknown {
  try {
    return document.toJS({ maxAliasCount: MOST_ALIASES })
  } catch (error) {
    throw new ConfigError(`${name}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** The library ends its messages with a place of its own. */
function withoutPlace(message: string): string {
  return message.replace(/ at line \d+, column \d+:?$/u, '')
}
