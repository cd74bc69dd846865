import { readFileSync } from 'node:fs'
import { run, type StricliProcess } from '@stricli/core'
import { application } from './application.ts'
import type { ClewContext } from './command.ts'
import { EXIT } from './exit.ts'
import { Fault, toFault } from './fault.ts'
import { Output } from './output.ts'

/** What completion scripts ask: `clew __complete -- WORD …`. */
const COMPLETE = '__complete'

/**
 * Runs a command line (without `node` and the program) and sets the process's exit code. Never
 * rejects: what goes wrong is told on stderr.
 */
export async function main(argv: readonly string[]): Promise<void> {
  const { inputs, color } = takeColor(argv)
  const { env, stdout, stderr } = process
  for (const stream of [stdout, stderr]) stream.on('error', onPipeError)
  const output = new Output({ stdout, stderr, env, color })
  const faults: Fault[] = []
  const app = application(output, version(), (fault) => faults.push(pointing(fault, inputs[0])))
  // What the router itself would write is told as a fault instead.
  const silent = { write: () => {} }
  const guarded: StricliProcess = { stdout: silent, stderr: silent, env }
  const context: ClewContext = { process: guarded, output, env }
  if (inputs[0] === COMPLETE) {
    const { complete } = await import('./complete.ts')
    for (const line of await complete(app, context, inputs.slice(2))) output.print(line)
    return
  }
  try {
    await run(app, inputs, context)
  } catch (thrown) {
    faults.push(toFault(thrown))
  }
  for (const fault of faults) output.sayFault(fault)
  const [fault] = faults
  if (fault !== undefined && wantsJson(inputs)) output.printFault(fault)
  // The router's own codes are negative: it broke before a command of ours began.
  const exitCode = Number(guarded.exitCode ?? EXIT.ok)
  process.exitCode = fault?.exit ?? (exitCode < 0 ? EXIT.failed : exitCode)
}

/** A command line that makes no sense leads to what the command takes, where nothing better is known. */
function pointing(fault: Fault, command: string | undefined): Fault {
  if (fault.code !== 'usage' || fault.next.length + fault.meant.length > 0) return fault
  return new Fault(fault.message, { ...fault, next: [`clew ${command} --help`] })
}

/** `--color` and `--no-color` stand anywhere before `--` and mean the same to every command. */
function takeColor(argv: readonly string[]): { inputs: string[]; color: boolean | undefined } {
  const end = argv.indexOf('--')
  const rest = end < 0 ? [] : argv.slice(end)
  const inputs: string[] = []
  let color: boolean | undefined
  for (const argument of end < 0 ? argv : argv.slice(0, end)) {
    if (argument === '--color') color = true
    else if (argument === '--no-color') color = false
    else inputs.push(argument)
  }
  return { inputs: [...inputs, ...rest], color }
}

function wantsJson(inputs: readonly string[]): boolean {
  const end = inputs.indexOf('--')
  return (end < 0 ? inputs : inputs.slice(0, end)).includes('--json')
}

function version(): string {
  const path = new URL('../package.json', import.meta.url)
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
}

/** A reader that went away (`clew show … | head`) is no failure of ours. */
function onPipeError(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? EXIT.ok)
  throw error
}
