import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Complaint } from './compile.ts'
import type { Fence } from './fences.ts'

/** A simple command of a shell fence: its words, without quotes. */
export interface Command {
  readonly path: string
  readonly line: number
  readonly words: readonly string[]
}

/**
 * The commands in a fence. Where lines begin with `$ `, the others are what they print.
 * Pipes and lists are taken apart; redirections, assignments and comments are dropped.
 */
export function commands(fence: Fence): readonly Command[] {
  const lines = fence.code.split('\n')
  const transcript = lines.some((line) => line.startsWith('$ '))
  const found: Command[] = []
  for (let at = 0; at < lines.length; at++) {
    const line = fence.line + at
    let text = lines[at]!
    while (text.endsWith('\\') && at + 1 < lines.length)
      text = `${text.slice(0, -1)} ${lines[++at]}`
    if (transcript && !text.startsWith('$ ')) continue
    for (const words of split(text.replace(/^\$ /, '')))
      found.push({ path: fence.path, line, words })
  }
  return found
}

const WORD =
  /\s*(?:(#.*)|(\|\||&&|[|;&()])|(\d?>{1,2}&?\s*\S+|<\s*\S+)|((?:"[^"]*"|'[^']*'|[^\s"'|;&()<>])+))/y

function split(text: string): readonly (readonly string[])[] {
  const all: string[][] = [[]]
  WORD.lastIndex = 0
  for (let match = WORD.exec(text); match !== null; match = WORD.exec(text)) {
    const [, comment, separator, , word] = match
    if (comment !== undefined) break
    if (separator !== undefined) all.push([])
    else if (word !== undefined) all.at(-1)!.push(word.replace(/["']/g, ''))
  }
  const assignment = /^\w+=/
  return all
    .map((words) =>
      words.slice(
        Math.max(
          0,
          words.findIndex((word) => !assignment.test(word)),
        ),
      ),
    )
    .filter((words) => words.length > 0 && !assignment.test(words[0]!))
}

/** What a `clew` command line may be made of. */
export interface CommandLine {
  /** Text of `clew NAME --help`, or `clew --help` without a name; undefined: no such command. */
  help(name: string | undefined): Promise<string | undefined>
}

/** Complains of commands and flags that there are not. Programs we know nothing of are passed over. */
export async function checkCommand(
  command: Command,
  root: string,
  clew: CommandLine | undefined,
): Promise<readonly Complaint[]> {
  const [program, ...rest] = command.words[0] === 'npx' ? withoutNpx(command.words) : command.words
  const said = async (): Promise<readonly string[]> => {
    if (program === 'clew') return clew === undefined ? [] : checkClew(rest, clew)
    if (program === 'npm') return checkNpm(rest, root)
    if (program === 'node' || program === 'bash') return checkFile(rest, root)
    return []
  }
  const { path, line } = command
  return (await said()).map((message) => ({ path, line, message }))
}

function withoutNpx(words: readonly string[]): readonly string[] {
  const [first, ...rest] = words
    .slice(1)
    .filter((word) => !/^(-y|--yes|--no-install|--)$/.test(word))
  return first === '@clew/cli' ? ['clew', ...rest] : [first ?? 'npx', ...rest]
}

async function checkClew(
  parameters: readonly string[],
  clew: CommandLine,
): Promise<readonly string[]> {
  const name = parameters[0]?.startsWith('-') === false ? parameters[0] : undefined
  const help = await clew.help(name)
  if (help === undefined) return [`there is no command "clew ${name}"`]
  const flags = new Set(help.match(/(?<![\w-])--?[a-zA-Z][\w-]*/g) ?? [])
  const end = parameters.indexOf('--')
  return parameters
    .slice(0, end < 0 ? undefined : end)
    .filter((word) => /^--?[a-zA-Z]/.test(word))
    .map((word) => word.replace(/=.*/, ''))
    .filter((flag) => !flags.has(flag) && !flags.has(flag.replace(/^--no-/, '--')))
    .map((flag) => `"clew${name === undefined ? '' : ` ${name}`}" has no flag ${flag}`)
}

const NPM_OWN = new Set(['install', 'i', 'ci', 'exec', 'init', 'view', 'pack', 'publish', 'ls'])

async function checkNpm(parameters: readonly string[], root: string): Promise<readonly string[]> {
  const own = parameters.slice(0, parameters.includes('--') ? parameters.indexOf('--') : undefined)
  const [first, second] = own.filter((word) => !word.startsWith('-'))
  if (first === undefined || NPM_OWN.has(first)) return []
  const script = first === 'run' ? second : first === 't' ? 'test' : first
  const { scripts } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'))
  return script !== undefined && script in scripts ? [] : [`package.json has no script "${script}"`]
}

function checkFile(parameters: readonly string[], root: string): readonly string[] {
  const file = parameters.find((word) => !word.startsWith('-'))
  if (file === undefined || !/^(scripts|\.ci|packages|bench|examples)\//.test(file)) return []
  // What is compiled is there only once it has been.
  const source = file.replace(/(^|\/)dist\/(.*)\.js$/, '$1src/$2.ts')
  const beside = file.replace(/(^|\/)dist\/(.*)\.js$/, '$1$2.ts')
  return [file, source, beside].some((one) => existsSync(path.join(root, one)))
    ? []
    : [`there is no ${file}`]
}

/** The compiled command line; undefined while there is none. */
export function compiledCommandLine(root: string): CommandLine | undefined {
  const program = path.join(root, 'packages/cli/bin/clew.js')
  if (!existsSync(program) || !existsSync(path.join(root, 'packages/cli/dist/main.js'))) {
    return undefined
  }
  const known = new Map<string | undefined, Promise<string | undefined>>()
  return {
    help(name) {
      const help = known.get(name) ?? helpOf(program, name)
      known.set(name, help)
      return help
    },
  }
}

function helpOf(program: string, name: string | undefined): Promise<string | undefined> {
  const parameters = [program, ...(name === undefined ? [] : [name]), '--help']
  const env = { ...process.env, NO_COLOR: '1' }
  return new Promise((resolve) => {
    execFile(process.execPath, parameters, { env }, (error, stdout) => {
      const isOfName = name === undefined || stdout.includes(`clew ${name}`)
      resolve(error === null && isOfName ? stdout : undefined)
    })
  })
}
