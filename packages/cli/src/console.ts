import { create, type Domain } from 'node:domain'
import { createInterface } from 'node:readline/promises'
import { type REPLServer, start, writer } from 'node:repl'
import { PassThrough, type Readable, type Writable } from 'node:stream'
import { inspect } from 'node:util'
import { isNativeError, isPromise } from 'node:util/types'
import { harmlessLines } from './harmless.ts'

/** Names that what is typed may use. */
export type Bindings = Readonly<Record<string, unknown>>

export type Completer = (
  line: string,
) => readonly [found: readonly string[], of: string] | undefined

export interface ConsoleOptions {
  readonly input: Readable
  readonly output: Writable
  /** Whether a person types: then lines can be edited. */
  readonly terminal: boolean
  readonly colors: boolean
  readonly prompt: string
  readonly bindings: Bindings
  /** What stands for the end of a line; undefined leaves it to Node's own. @default Node's own */
  readonly complete?: Completer
  /** File that keeps what was typed. @default none */
  readonly history?: string | undefined
}

const LONGEST_HISTORY = 1000

/** Errors whose stacks show only how a reply came. */
const PASSED_ON: ReadonlySet<string> = new Set(['RemoteError', 'RpcError', 'ConfigError'])

/**
 * Reads JavaScript, evaluates it and prints the values, until the input ends or `exit` is typed. What
 * is a promise is awaited: `n.rpc.orders.get(7)` prints the order.
 */
export async function readEvalPrint(options: ConsoleOptions): Promise<void> {
  const { input, output, terminal, colors, prompt, bindings, complete, history } = options
  const server = start({
    ...{ prompt, input, output, terminal, useColors: colors },
    writer: (value: unknown) => safelyShown(value, colors),
    ignoreUndefined: true,
    preview: false,
    historySize: LONGEST_HISTORY,
  } as Parameters<typeof start>[0] & object)
  Object.assign(server.context, bindings)
  awaiting(server)
  if (complete !== undefined) proposing(server, complete)
  const ended = new Promise<void>((resolve) => server.once('exit', resolve))
  if (terminal) {
    // Where it cannot be written, Node says so and goes on without.
    server.setupHistory(history ?? '', () => {})
  }
  await ended
}

/** Errors are shown with their texts as they are, and those may come from anywhere. */
function safelyShown(value: unknown, colors: boolean): string {
  const plain = inspect(value, { ...writer.options, colors: false })
  const safe = harmlessLines(plain)
  return safe === plain ? inspect(value, { ...writer.options, colors }) : safe
}

/** What people type to leave; in a script it is its end. */
const LEAVING = /^\s*(?:\.exit|(?:exit|quit)(?:\(\))?;?)\s*$/u

function awaiting(server: REPLServer): void {
  const evaluate = server.eval
  const settled: typeof server.eval = (code, context, file, done) => {
    if (LEAVING.test(code)) {
      server.close()
      return
    }
    evaluate.call(server, code, context, file, (error, result: unknown) => {
      if (error !== null || !isPromise(result)) done(error, result)
      else
        result.then(
          (value) => done(null, value),
          (thrown) => done(brief(thrown), undefined),
        )
    })
  }
  Object.assign(server, { eval: settled })
}

/** A failed call is told without the stack of whoever waited for it. */
function brief(thrown: unknown): Error {
  const error = isNativeError(thrown) ? thrown : new Error(String(thrown))
  if (PASSED_ON.has(error.name)) error.stack = `${error.name}: ${error.message}`
  return error
}

function proposing(server: REPLServer, complete: Completer): void {
  type Done = (error: Error | null, result: readonly [readonly string[], string]) => void
  const usual = server.completer as unknown as (line: string, done: Done) => void
  const completer = (line: string, done: Done): void => {
    const own = complete(line)
    if (own === undefined) usual.call(server, line, done)
    else done(null, own)
  }
  Object.assign(server, { completer })
}

/**
 * Evaluates a script line by line, each when the one before is over; a statement may take several
 * lines. `print` is given each value that is not undefined. Ends at the first error.
 * @throws whatever the script threw; SyntaxError when it is incomplete
 */
export async function runScript(
  input: Readable,
  bindings: Bindings,
  print: (value: unknown) => void,
): Promise<void> {
  const domain = create()
  const silent = new PassThrough().resume()
  const server = start({
    ...{ prompt: '', input: new PassThrough(), output: silent, terminal: false, domain },
  } as Parameters<typeof start>[0] & object)
  Object.assign(server.context, bindings)
  const strays: unknown[] = []
  domain.on('error', (error) => strays.push(error))
  try {
    let code = ''
    for await (const line of createInterface({ input })) {
      if (code === '' && LEAVING.test(line)) break
      code += `${line}\n`
      const value = await evaluated(server, domain, code)
      if (strays.length > 0) throw strays[0]
      if (value === INCOMPLETE) continue
      code = ''
      if (value !== undefined) print(value)
    }
    if (code.trim() !== '')
      throw new SyntaxError(`the script ends within a statement: ${code.trim()}`)
  } finally {
    server.close()
  }
}

const INCOMPLETE = Symbol('incomplete')

/** What was thrown, and where in the script. */
export function scriptError(thrown: unknown): { readonly what: string; readonly where: string } {
  const error = isNativeError(thrown) ? thrown : new Error(String(thrown))
  const frames = (error.stack ?? '').split('\n').filter((line) => /\bstdin:\d/u.test(line))
  const where = frames.map((frame) => frame.trim()).join('\n')
  return { what: `${error.name}: ${error.message}`, where }
}

function evaluated(server: REPLServer, domain: Domain, code: string): Promise<unknown> {
  if (/^\s*(?:\/\/.*)?$/u.test(code)) return Promise.resolve(undefined)
  return new Promise((resolve, reject) => {
    const over = () => domain.removeListener('error', failed)
    // Node hands errors to the domain, in versions that have one, else to the callback.
    const failed = (error: unknown) => {
      over()
      reject(error)
    }
    domain.prependListener('error', failed)
    server.eval(code, server.context, 'stdin', (error, result: unknown) => {
      over()
      if (error === null) resolve(result)
      else if (error.constructor.name === 'Recoverable') resolve(INCOMPLETE)
      else reject(error)
    })
  })
}
