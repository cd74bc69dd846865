import { parseArgs } from 'node:util'

/**
 * Turns the text given for an option into its value.
 * @throws Error that tells what the option takes: `takes a whole number, not "x"`
 */
export type Reader<T> = (text: string) => T

export interface Accepted<Flag extends string, Values> {
  /** Options that are there or not: `--quick`. */
  readonly flags: readonly Flag[]
  /** Options with a value, `--rounds 3`, and how each is read. */
  readonly values: { readonly [Name in keyof Values]: Reader<Values[Name]> }
}

export interface Parameters<Flag extends string, Values> {
  readonly flags: Readonly<Record<Flag, boolean>>
  /** Only those that were given; the last one where an option was given twice. */
  readonly values: Readonly<Partial<Values>>
}

/**
 * Reads what stands behind a command. Node's own errors do not tell what an option takes, so only
 * the taking apart is left to it.
 * @throws Error that says which parameter is wrong, why, and that `--help` tells more
 */
export function readParameters<Flag extends string, Values extends object>(
  parameters: readonly string[],
  { flags, values }: Accepted<Flag, Values>,
): Parameters<Flag, Values> {
  const readers = new Map<string, Reader<unknown>>(Object.entries(values))
  const { tokens } = parseArgs({
    args: [...parameters],
    options: Object.fromEntries([...readers.keys()].map((name) => [name, { type: 'string' }])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const given = new Set<string>()
  const read: Record<string, unknown> = {}
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue
    if (token.kind === 'positional') throw wrong(`"${token.value}" belongs to no option`)
    const { name, rawName, value } = token
    const reader = readers.get(name)
    if (reader !== undefined) {
      if (value === undefined) throw wrong(`${rawName} lacks its value`)
      read[name] = readValue(rawName, value, reader)
    } else if (flags.some((flag) => flag === name)) {
      if (value !== undefined) throw wrong(`${rawName} takes no value, but got "${value}"`)
      given.add(name)
    } else {
      throw wrong(`there is no option ${rawName}`)
    }
  }
  return {
    flags: Object.fromEntries(flags.map((flag) => [flag, given.has(flag)])) as Record<
      Flag,
      boolean
    >,
    values: read as Partial<Values>,
  }
}

function readValue<T>(option: string, text: string, read: Reader<T>): T {
  try {
    return read(text)
  } catch (error) {
    throw wrong(`${option} ${(error as Error).message}`)
  }
}

function wrong(what: string): Error {
  return new Error(`${what}; see --help`)
}
