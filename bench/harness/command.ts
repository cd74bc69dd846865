export type Say = (line: string) => void

export interface Command<Options> {
  /** Stands before every line that tells of progress. */
  readonly name: string
  readonly help: string
  /** @throws Error that says which option is wrong */
  readonly readOptions: (parameters: readonly string[]) => Options
  /** @returns the exit code */
  readonly run: (options: Options, say: Say) => Promise<number>
}

/**
 * Runs a command with the parameters of this process and sets its exit code: 1 for what failed,
 * 2 for options that are wrong. Results go to stdout, everything said meanwhile to stderr.
 */
export async function runCommand<Options>(command: Command<Options>): Promise<void> {
  process.exitCode = await exitCode(command, process.argv.slice(2))
}

async function exitCode<Options>(
  { name, help, readOptions, run }: Command<Options>,
  parameters: readonly string[],
): Promise<number> {
  const say: Say = (line) => void process.stderr.write(`${name}: ${line}\n`)
  if (parameters.includes('--help')) {
    process.stdout.write(help)
    return 0
  }
  let failure = 2
  try {
    const options = readOptions(parameters)
    failure = 1
    return await run(options, say)
  } catch (error) {
    say(error instanceof Error ? error.message : String(error))
    return failure
  }
}
