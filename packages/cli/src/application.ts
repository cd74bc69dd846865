import {
  type Application,
  buildApplication,
  buildRouteMap,
  formatMessageForArgumentScannerError,
  type StricliIntegration,
  text_en,
} from '@stricli/core'
import type { ClewCommand, ClewContext, Example } from './command.ts'
import { analyzeCommand } from './commands/analyze.ts'
import { backdoorCommand } from './commands/backdoor.ts'
import { breakdownCommand } from './commands/breakdown.ts'
import { callCommand } from './commands/call.ts'
import { collectCommand } from './commands/collect.ts'
import { completionCommand } from './commands/completion.ts'
import { convertCommand } from './commands/convert.ts'
import { criticalPathCommand } from './commands/critical-path.ts'
import { demoCommand } from './commands/demo.ts'
import { diffCommand } from './commands/diff.ts'
import { docsCommand } from './commands/docs.ts'
import { doctorCommand } from './commands/doctor.ts'
import { findCommand } from './commands/find.ts'
import { loadCommand } from './commands/load.ts'
import { mapCommand } from './commands/map.ts'
import { recallCommand } from './commands/recall.ts'
import { renderCommand } from './commands/render.ts'
import { runCommand } from './commands/run.ts'
import { shellCommand } from './commands/shell.ts'
import { showCommand } from './commands/show.ts'
import { showConfigCommand } from './commands/show-config.ts'
import { stragglersCommand } from './commands/stragglers.ts'
import { tailCommand } from './commands/tail.ts'
import { tokenCommand } from './commands/token.ts'
import { topCommand } from './commands/top.ts'
import { Fault, type FaultDetails, toFault, usageFault } from './fault.ts'
import { harmless } from './harmless.ts'
import { helpOfAll, helpOfCommand, kebab } from './help.ts'
import type { Output } from './output.ts'
import { suggestions } from './suggest.ts'

export const COMMANDS: ReadonlyMap<string, ClewCommand> = new Map([
  ['demo', demoCommand],
  ['run', runCommand],
  ['call', callCommand],
  ['show', showCommand],
  ['render', renderCommand],
  ['analyze', analyzeCommand],
  ['critical-path', criticalPathCommand],
  ['breakdown', breakdownCommand],
  ['stragglers', stragglersCommand],
  ['diff', diffCommand],
  ['map', mapCommand],
  ['docs', docsCommand],
  ['load', loadCommand],
  ['convert', convertCommand],
  ['collect', collectCommand],
  ['find', findCommand],
  ['tail', tailCommand],
  ['top', topCommand],
  ['doctor', doctorCommand],
  ['recall', recallCommand],
  ['shell', shellCommand],
  ['backdoor', backdoorCommand],
  ['show-config', showConfigCommand],
  ['token', tokenCommand],
  ['completion', completionCommand],
])

const EXAMPLES: readonly Example[] = [
  { input: 'demo', brief: 'watch a straggler and a failure being found; no broker needed' },
  {
    input: 'run services.ts --broker amqp://localhost --profile',
    brief: 'run the service classes of a file, every call profiled',
  },
  {
    input: 'call greeting_service.hello Ada --trace -o hello.trace.jsonl',
    brief: 'call a running service; see and keep the call tree its reply brought',
  },
  { input: 'show hello.trace.jsonl', brief: 'the call tree in the terminal' },
  { input: 'render hello.trace.jsonl -o hello.png', brief: 'the call tree as a picture' },
  {
    input: 'analyze traces.jsonl',
    brief: 'who failed, where the time goes, who straggles, what is missing',
  },
  {
    input: 'breakdown traces.jsonl -o breakdown.png',
    brief: 'where the time of each request type goes',
  },
  { input: 'map traces/ -o map.png', brief: 'who calls whom, how often, and what fails' },
  {
    input: 'load orders.create 17 --steps 50..400/50 --picture load.png',
    brief: 'where the bottleneck is, and how it moves with the load',
  },
  { input: 'collect', brief: 'keep what services send, and answer questions about it' },
  { input: 'find failed:true', brief: 'what it has: requests that failed, and where that began' },
]

/** Everything `clew` understands. What is wrong with a command line goes to `onFault`. */
export function application(
  output: Output,
  version: string,
  onFault: (fault: Fault) => void,
): Application<ClewContext> {
  const tell = (fault: Fault): string => {
    onFault(fault)
    return ''
  }
  return buildApplication(
    // Without a prototype, or `clew toString` would find a route.
    buildRouteMap({
      routes: Object.assign(Object.create(null), Object.fromEntries(COMMANDS)) as Record<
        string,
        ClewCommand
      >,
      aliases: Object.create(null) as Record<string, never>,
      docs: { brief: 'Microservices for TypeScript that profile themselves' },
    }),
    {
      name: 'clew',
      scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
      localization: {
        text: {
          ...text_en,
          noCommandRegisteredForInput: ({ input }) => tell(unknownCommand(input)),
          exceptionWhileParsingArguments: (error) => tell(badArguments(error)),
          exceptionWhileLoadingCommandFunction: (error) => tell(toFault(error)),
        },
      },
    },
    { help: helpFlag(output), version: versionFlag(output, version) },
  )
}

function helpFlag(output: Output): StricliIntegration<ClewContext> {
  return {
    flag: {
      brief: 'Print help and exit',
      aliases: ['h'],
      global: true,
      complete: true,
      defaultForRouteMap: true,
      run(_, { result: { prefix } }) {
        const style = { paint: output.paint, width: Math.min(output.width, 100) }
        const name = prefix[1]
        const command = name === undefined ? undefined : COMMANDS.get(name)
        output.print(
          name === undefined || command === undefined
            ? helpOfAll(COMMANDS, EXAMPLES, style)
            : helpOfCommand(name, command, style),
        )
      },
    },
  }
}

function versionFlag(output: Output, version: string): StricliIntegration<ClewContext> {
  return {
    flag: {
      brief: 'Print the version and exit',
      aliases: ['v'],
      complete: true,
      run: () => output.print(version),
    },
  }
}

function unknownCommand(input: string): Fault {
  if (input.startsWith('-')) {
    const meant = suggestions(input, ['--help', '--version'])
    return usageFault(`there is no flag ${harmless(input)}`, { meant, next: ['clew --help'] })
  }
  return usageFault(`there is no command ${JSON.stringify(input)}`, {
    meant: suggestions(input, COMMANDS.keys()).map((name) => `clew ${name}`),
    next: ['clew --help'],
  })
}

function badArguments(error: unknown): Fault {
  let details: Partial<FaultDetails> = {}
  try {
    const message = formatMessageForArgumentScannerError(error as never, {
      FlagNotFoundError(unknown) {
        // Of what is as near as `--width` to `--list`, nobody meant it.
        const near = suggestions(kebab(unknown.input), unknown.corrections.map(kebab))
        details = { meant: near.map((flag) => `--${flag}`) }
        return `there is no flag --${unknown.input}`
      },
      AliasNotFoundError: ({ input }) => `there is no flag -${input}`,
      ArgumentParseError({ exception, externalFlagNameOrPlaceholder: name }) {
        if (exception instanceof Fault) details = exception
        return `${nameOf(name)}: ${exception instanceof Error ? exception.message : String(exception)}`
      },
      EnumValidationError: ({ externalFlagName, input, values }) =>
        `--${externalFlagName} is one of ${values.join(', ')}; got ${JSON.stringify(input)}`,
      UnsatisfiedFlagError: ({ externalFlagName }) => `--${externalFlagName} needs a value`,
      UnexpectedPositionalError: ({ input, expectedCount }) =>
        `${JSON.stringify(input)} is one argument too many (at most ${expectedCount})`,
      UnsatisfiedPositionalError: ({ placeholder }) => `${placeholder} is missing`,
      InvalidNegatedFlagSyntaxError: ({ externalFlagName }) =>
        `--${externalFlagName} takes no value`,
      UnexpectedFlagError: ({ externalFlagName }) => `--${externalFlagName} was given twice`,
    })
    return usageFault(message, { why: details.why, next: details.next, meant: details.meant })
  } catch {
    return usageFault(error instanceof Error ? error.message : String(error))
  }
}

/** Placeholders are written in capitals, flags are not. */
function nameOf(name: string): string {
  return /[a-z]/.test(name) ? `--${name}` : name
}
