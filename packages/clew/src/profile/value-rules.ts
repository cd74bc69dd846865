import type { BoundArguments } from '../call/index.ts'
import { ConfigError } from '../call/index.ts'
import type { CallName } from '../trace/index.ts'
import type { ValueRecord } from '../trace/records.ts'
import { cutText } from '../trace/text.ts'
import { isSecretName, LONGEST_SEARCHED, NAMED_SECRET, withoutDetected } from './detect-secrets.ts'

/** Which values of one method may leave the process, by name. */
export interface MethodValues {
  /** Arguments by the names of their parameters, or paths into them: `order_id`, `order.lines.0.sku`. */
  readonly args?: readonly string[]
  /** Paths into what the method returns; `true`: that itself, where it is a text, number or the like. */
  readonly result?: readonly string[] | boolean
}

/** Where a value stands. */
export interface ValuePlace {
  readonly service: string
  readonly method: string
  readonly of: 'args' | 'result'
  /** As the list has it; empty for the result itself. */
  readonly path: string
}

export interface ValueOptions {
  /**
   * Values of arguments and results that go into traces, by method as traces name it:
   * `{ 'orders.get_order': { args: ['order_id'], result: ['status'] } }`. At most 16 a call, of 256
   * bytes each and 2 KiB in all (a quarter of the budget, where that is less). Nothing that is not listed
   * is read.
   * @default none
   */
  readonly values?: Readonly<Record<string, MethodValues>> | undefined
  /**
   * Looks at each listed value before it leaves: gives what is to be told instead, or undefined for
   * nothing. Known kinds of secrets are taken out of its answer afterwards. When it throws, the value is
   * left out and counted in the attribute `left_out`.
   * @default what is listed is told
   */
  readonly redact?: ((text: string, place: ValuePlace) => string | undefined) | undefined
}

const MOST_VALUES = 16
const MOST_BYTES = 2048
const LONGEST_PATH = 128
/** Bytes that a value costs beside its name and text. */
const FRAME_BYTES = 5
const LEFT_OUT = 'left_out'

interface ListedPath {
  readonly name: string
  readonly steps: readonly string[]
  readonly secret: boolean
  readonly of: ValuePlace['of']
  readonly path: string
}

/** What is listed of one method. */
export interface Listed {
  readonly args: readonly ListedPath[]
  readonly result: readonly ListedPath[]
}

/** Takes listed values out of calls. Never throws, and what breaks on its way is told without the value. */
export class ValueRules {
  readonly #listed: ReadonlyMap<string, Listed>
  readonly #redact: ValueOptions['redact']
  readonly #tell: (message: string) => void
  readonly #told = new Set<ListedPath>()
  /** Bytes that the values of one call may take. */
  readonly mostBytes: number

  constructor(
    listed: ReadonlyMap<string, Listed>,
    options: {
      readonly redact: ValueOptions['redact']
      readonly budget: number
      readonly tell: (message: string) => void
    },
  ) {
    this.#listed = listed
    this.#redact = options.redact
    this.#tell = options.tell
    this.mostBytes = Math.min(MOST_BYTES, Math.floor(options.budget / 4))
  }

  of(service: string, method: string): Listed | undefined {
    return this.#listed.get(`${service}.${method}`)
  }

  /** For the values of one call. */
  taking(listed: Listed, call: CallName): TakenValues {
    const textOf = (value: unknown, path: ListedPath) => this.#textOf(value, path, call)
    return new TakenValues(listed, this.mostBytes, textOf)
  }

  /** Undefined where it is to be left out, null where there is nothing to tell. */
  #textOf(value: unknown, path: ListedPath, call: CallName): string | undefined | null {
    const plain = plainText(value)
    if (plain === undefined) return null
    if (path.secret) return NAMED_SECRET
    let text = plain
    if (this.#redact !== undefined) {
      try {
        const told: unknown = this.#redact(plain, { ...call, of: path.of, path: path.path })
        if (told === undefined) return null
        if (typeof told !== 'string') return this.#failed(path, call, `gave ${typeof told}`)
        text = told
      } catch {
        // Neither its message nor its stack: they may well repeat the value.
        return this.#failed(path, call, 'threw')
      }
    }
    if (text.length > LONGEST_SEARCHED) return `[text of ${text.length} characters]`
    return cutText(withoutDetected(text))
  }

  #failed(path: ListedPath, { service, method }: CallName, what: string): undefined {
    if (this.#told.has(path)) return
    this.#told.add(path)
    this.#tell(
      `profile: redact ${what} for ${path.name} of ${service}.${method}; such values are left out of traces`,
    )
  }
}

type TextOf = (value: unknown, path: ListedPath) => string | undefined | null

/** What is taken of one call, first of its arguments, then of its result. */
export class TakenValues {
  readonly #listed: Listed
  readonly #textOf: TextOf
  readonly #taken: ValueRecord[] = []
  #room: number
  #leftOut = 0

  constructor(listed: Listed, mostBytes: number, textOf: TextOf) {
    this.#listed = listed
    this.#room = mostBytes - LEFT_OUT.length - 2 * FRAME_BYTES
    this.#textOf = textOf
  }

  get takesResult(): boolean {
    return this.#listed.result.length > 0
  }

  /** Everything taken, and how many values were left out. */
  get records(): readonly ValueRecord[] {
    if (this.#leftOut === 0) return this.#taken
    const text = String(this.#leftOut)
    return [...this.#taken.slice(0, MOST_VALUES - 1), { of: 'result', name: LEFT_OUT, text }]
  }

  takeArguments({ names, args }: BoundArguments): void {
    for (const path of this.#listed.args) {
      const [name, ...steps] = path.steps
      // The last: keywords come behind the parameter that holds them all.
      const at = names.lastIndexOf(name)
      if (at >= 0) this.#take(args[at], steps, path)
    }
  }

  takeResult(result: unknown): void {
    for (const path of this.#listed.result) this.#take(result, path.steps, path)
  }

  #take(from: unknown, steps: readonly string[], path: ListedPath): void {
    let text: string | undefined | null
    try {
      text = this.#textOf(valueAt(from, steps), path)
    } catch {
      // A proxy object, say, that does not like to be looked at.
      text = undefined
    }
    if (text === null) return
    const bytes = text === undefined ? 0 : Buffer.byteLength(path.name + text) + FRAME_BYTES
    if (text === undefined || bytes > this.#room || this.#taken.length >= MOST_VALUES) {
      this.#leftOut++
      return
    }
    this.#room -= bytes
    this.#taken.push({ of: path.of, name: path.name, text })
  }
}

/** Only what an object itself holds, and no getters: reading must run no code of anybody's. */
function valueAt(from: unknown, steps: readonly string[]): unknown {
  let value = from
  for (const step of steps) {
    if (typeof value !== 'object' || value === null) return undefined
    value = Object.getOwnPropertyDescriptor(value, step)?.value
  }
  return value
}

/** A value as a text; of lists and objects no more than that they are. Undefined where there is none. */
function plainText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (value === null || ['number', 'boolean', 'bigint'].includes(typeof value)) return String(value)
  if (Array.isArray(value)) return `[list of ${value.length}]`
  if (typeof value === 'object') return '[object]'
  return undefined
}

const PATH = /^[\p{ID_Start}$_][\p{ID_Continue}$-]*(?:\.[\p{ID_Continue}$-]+)*$/u
const RESULT_PATH = /^[\p{ID_Continue}$-]+(?:\.[\p{ID_Continue}$-]+)*$/u

/**
 * What may leave, read once.
 * @throws ConfigError that says which line of the list cannot be meant
 */
export function listedValues(values: ValueOptions['values']): ReadonlyMap<string, Listed> {
  const listed = new Map<string, Listed>()
  for (const [name, rule] of Object.entries(values ?? {})) {
    const dot = name.indexOf('.')
    if (dot < 1 || dot === name.length - 1) {
      throw new ConfigError(
        `profile: values are listed by service.method, such as 'orders.get_order'; got ${JSON.stringify(name)}.`,
      )
    }
    const { args = [], result = false } = Object(rule) as MethodValues
    const results = result === true ? [''] : result === false ? [] : result
    const made = {
      args: pathsOf(name, args, 'args'),
      result: pathsOf(name, results, 'result'),
    }
    if (made.args.length + made.result.length > MOST_VALUES) {
      throw new ConfigError(
        `profile: values of ${name}: at most ${MOST_VALUES} are told of a call.`,
      )
    }
    listed.set(name, made)
  }
  return listed
}

function pathsOf(
  name: string,
  paths: readonly string[],
  of: ValuePlace['of'],
): readonly ListedPath[] {
  if (!Array.isArray(paths)) {
    throw new ConfigError(`profile: values of ${name}: ${of} is a list of names.`)
  }
  const allowed = of === 'args' ? PATH : RESULT_PATH
  return paths.map((path): ListedPath => {
    const whole = path === '' && of === 'result'
    if (typeof path !== 'string' || path.length > LONGEST_PATH || !(whole || allowed.test(path))) {
      throw new ConfigError(
        `profile: values of ${name}: ${JSON.stringify(path)} names nothing; write order_id or order.id.`,
      )
    }
    const steps = whole ? [] : path.split('.')
    const told = whole ? of : `${of}.${path}`
    return { name: told, steps, secret: steps.some(isSecretName), of, path }
  })
}
