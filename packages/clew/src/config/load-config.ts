import { readFile, stat } from 'node:fs/promises'
import { ConfigError } from '../call/index.ts'
import { type ConfigDocument, readDocument, readValue } from './document.ts'
import type { Environment } from './environment.ts'
import { KNOWN_KEYS, problemsIn, UNUSED } from './schema.ts'
import { nearest } from './typo.ts'

export interface LoadConfigOptions {
  /** @default `clew.config.yaml` or `clew.config.yml` in the working directory, where there is one */
  readonly file?: string | undefined
  /** `KEY=VALUE`, the value in YAML; over what the file says. @default [] */
  readonly define?: readonly string[] | undefined
  /** Where `${NAME}` is looked up. @default process.env */
  readonly env?: Environment
}

/** What a file and definitions say. */
export interface Config {
  /** The file that was read; undefined where there was none. */
  readonly file: string | undefined
  /** All keys: the framework's and the program's own. What `run` takes as `config`. */
  readonly values: Readonly<Record<string, unknown>>
  /** What is odd and may be meant: likely misspellings, keys of Nameko that mean nothing here. */
  readonly warnings: readonly string[]
}

const USUAL_FILES = ['clew.config.yaml', 'clew.config.yml'] as const
const MOST_BYTES = 1024 * 1024

/**
 * Reads the configuration: YAML with Nameko's keys, Nameko's environment variables, and keys of your own.
 * @throws ConfigError with file, line, key and what to do, for a file that is not there, is no YAML, or
 *   says what cannot be
 */
export async function loadConfig(options: LoadConfigOptions = {}): Promise<Config> {
  const { define = [], env = process.env } = options
  const file = options.file ?? (await usualFile())
  const document = file === undefined ? undefined : await read(file, env)
  const fromFile = document === undefined ? {} : mapping(document.value, file!)
  const defined = new Map(define.map((text) => definition(text, env)))
  const values = Object.assign(Object.create(null), fromFile, Object.fromEntries(defined))
  const where = (path: readonly (string | number)[]) => {
    if (defined.has(String(path[0]))) return `--define ${path.join('.')}`
    const line = document?.lineOf(path)
    return `${file}${line === undefined ? '' : `:${line}`}: ${path.join('.')}`
  }
  const [problem] = problemsIn(values)
  if (problem !== undefined) {
    throw new ConfigError(
      `${where(problem.path)} ${problem.message}; got ${shown(problem.path, values)}.`,
    )
  }
  return { file, values: Object.freeze({ ...values }), warnings: warningsOf(values, where) }
}

async function usualFile(): Promise<string | undefined> {
  for (const name of USUAL_FILES) {
    const found = await stat(name).catch(() => undefined)
    if (found?.isFile()) return name
  }
  return undefined
}

async function read(file: string, env: Environment): Promise<ConfigDocument> {
  let text: string
  try {
    const { size } = await stat(file)
    if (size > MOST_BYTES) {
      throw new ConfigError(`The configuration ${file} is larger than ${MOST_BYTES} bytes.`)
    }
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof ConfigError) throw error
    const { code } = error as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`
    throw new ConfigError(`The configuration ${file} cannot be used: ${why}.`)
  }
  return readDocument(text, file, env)
}

/** @throws ConfigError when the file holds something else than keys and values */
function mapping(value: unknown, file: string): Readonly<Record<string, unknown>> {
  // An empty file is an empty configuration.
  if (value === null || value === undefined) return {}
  if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>
  // Not which one: whoever names the wrong file may name one with a secret.
  const what = Array.isArray(value) ? 'a list' : `a single ${typeof value}`
  throw new ConfigError(
    `${file}: it must hold keys and values, such as max_workers: 10; it is ${what}.`,
  )
}

/** @throws ConfigError when it is no `KEY=VALUE` */
function definition(text: string, env: Environment): readonly [string, unknown] {
  const at = text.indexOf('=')
  const key = text.slice(0, at).trim()
  if (at < 0 || key === '') {
    throw new ConfigError(
      `${JSON.stringify(text)} defines nothing; write KEY=VALUE, such as max_workers=20.`,
    )
  }
  try {
    return [key, readValue(text.slice(at + 1), env)]
  } catch (error) {
    throw new ConfigError(
      `--define ${key}: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

/** What stands there, without what might be a secret. */
function shown(path: readonly (string | number)[], values: object): string {
  let value: unknown = values
  for (const step of path) value = (value as Record<string, unknown> | undefined)?.[step]
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'keys'
  // The only text of ours that holds a password.
  return path[0] === 'AMQP_URI' && typeof value === 'string' ? 'that' : JSON.stringify(value)
}

function warningsOf(
  values: Readonly<Record<string, unknown>>,
  where: (path: readonly string[]) => string,
): readonly string[] {
  return Object.keys(values).flatMap((key) => {
    const reason = UNUSED.get(key)
    if (reason !== undefined) return [`${where([key])} is not used: ${reason}`]
    if (KNOWN_KEYS.includes(key)) return []
    const meant = nearest(key, KNOWN_KEYS)
    return meant === undefined
      ? []
      : [`${where([key])} is no key of the framework; did you mean ${meant}?`]
  })
}
