import {
  type BaseArgs,
  buildCommand,
  type Command,
  type CommandContext,
  type StricliProcess,
  type TypedCommandParameters,
} from '@stricli/core'
import { EXIT, type ExitCode } from './exit.ts'
import { toFault } from './fault.ts'
import type { Output } from './output.ts'

/** What every command is given. */
export interface ClewContext extends CommandContext {
  readonly process: StricliProcess
  readonly output: Output
  readonly env: Readonly<Record<string, string | undefined>>
}

export interface Example {
  /** What to type after `clew`. */
  readonly input: string
  /** What it does. */
  readonly brief: string
}

export interface CommandHelp {
  readonly brief: string
  /** The arguments as they stand in the usage line, such as `FILE [N|ID]`. */
  readonly usage: string
  readonly examples: readonly Example[]
  /** Further paragraphs. */
  readonly description?: readonly string[]
}

export type ClewCommand = Command<ClewContext> & { readonly help: CommandHelp }

/**
 * Makes a command. What `run` returns is the exit code; what it throws is told on stderr and, with
 * `--json`, as the one JSON value on stdout.
 */
export function defineCommand<
  const FLAGS extends Readonly<Partial<Record<keyof FLAGS, unknown>>>,
  const ARGS extends BaseArgs,
>(definition: {
  readonly help: CommandHelp
  readonly parameters: NoInfer<TypedCommandParameters<FLAGS, ARGS, ClewContext>>
  readonly run: (
    context: ClewContext,
    flags: FLAGS,
    ...args: ARGS
  ) => Promise<ExitCode | undefined> | ExitCode | undefined
}): ClewCommand {
  const command = buildCommand<FLAGS, ARGS, ClewContext>({
    parameters: withoutPrototypes(definition.parameters),
    docs: { brief: definition.help.brief },
    async func(flags: FLAGS, ...args: ARGS): Promise<void> {
      try {
        this.process.exitCode = (await definition.run(this, flags, ...args)) ?? EXIT.ok
      } catch (thrown) {
        const fault = toFault(thrown)
        this.output.sayFault(fault)
        if ((flags as { readonly json?: unknown }).json === true) this.output.printFault(fault)
        this.process.exitCode = fault.exit
      }
    },
  })
  return Object.assign(command, { help: definition.help })
}

/** The router looks names up with `in`: `--constructor` would be found in any plain object. */
function withoutPrototypes<Parameters extends object>(parameters: Parameters): Parameters {
  const bare = Object.entries(parameters).map(([name, value]) =>
    name === 'flags' || name === 'aliases'
      ? [name, Object.assign(Object.create(null), value)]
      : [name, value],
  )
  return Object.fromEntries(bare)
}
