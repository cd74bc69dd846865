import { parsePort } from '../backdoor-port.ts'
import { brokerFlag, deliveryFlag } from '../broker-address.ts'
import { defineCommand } from '../command.ts'
import { configAliases, configFlags, configurationFiles } from '../configuration.ts'
import { parseDuration } from '../duration.ts'
import { usageFault } from '../fault.ts'
import { harmless } from '../harmless.ts'
import type { RunFlags } from '../run-services.ts'

const MOST_WORKERS = 65_535

export const runCommand = defineCommand<RunFlags, readonly string[]>({
  help: {
    brief: 'Run the service classes that a file exports, until interrupted',
    usage: 'FILE[:CLASS] … [FLAGS]',
    examples: [
      {
        input: 'run services.ts --broker amqp://localhost --profile',
        brief: 'every service of the file; replies bring their call trees to callers that ask',
      },
      {
        input: 'run services.ts:Orders billing.ts --max-workers 50',
        brief: 'one class of a file and all of another, 50 calls at a time each',
      },
      {
        input: 'run gateway.js --profile=traces.jsonl',
        brief: 'also keep the traces that begin here in a file',
      },
      {
        input: 'run gateway.js --collector http://127.0.0.1:7117',
        brief: 'send them to a collector (clew collect); without one nothing waits',
      },
      {
        input: 'run services.ts --watch --backdoor 5000',
        brief: 'restarted when the source changes; clew backdoor 5000 looks into the process',
      },
      {
        input: 'run services.ts --config production.yaml -d max_workers=20 --log json',
        brief: 'configured by a file and one key over it, logging JSON lines to stderr',
      },
    ],
    description: [
      'A service is a class with `static readonly name` and methods with @rpc, @event or another entrypoint. TypeScript is loaded as it is. SIGTERM and Ctrl-C let running calls end; a second one kills them. Flags win over the environment, which wins over the configuration.',
    ],
  },
  parameters: {
    positional: {
      kind: 'array',
      minimum: 1,
      parameter: {
        parse: String,
        placeholder: 'FILE[:CLASS]',
        brief: 'a TypeScript or JavaScript module, or one exported class of it',
      },
    },
    flags: {
      broker: brokerFlag,
      ...configFlags,
      profile: {
        kind: 'parsed',
        parse: profileFile,
        optional: true,
        inferEmpty: true,
        placeholder: 'FILE',
        brief: 'profile every call; with a file, keep the traces that begin here in it',
      },
      collector: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'URL|broker',
        brief:
          'profile every call, and send the traces that begin here to a collector, by its address or by the broker (default: COLLECTOR of the configuration; token: $CLEW_COLLECTOR_TOKEN)',
      },
      grantKey: {
        kind: 'parsed',
        parse: String,
        optional: true,
        variadic: true,
        placeholder: 'FILE|env:NAME',
        brief: 'outsiders with a grant of this key may see call trees (clew token)',
      },
      requireGrant: {
        kind: 'boolean',
        default: false,
        brief: 'callers on the broker show a grant too',
        withNegated: false,
      },
      maxWorkers: {
        kind: 'parsed',
        parse: parseWorkers,
        optional: true,
        placeholder: 'N',
        brief: 'calls that each service works on at a time (default: max_workers, else 100)',
      },
      delivery: {
        kind: 'enum',
        values: deliveryFlag.values,
        optional: true,
        brief: `${deliveryFlag.brief} (default: DELIVERY, else nameko)`,
      },
      timeout: {
        kind: 'parsed',
        parse: parseDuration,
        optional: true,
        placeholder: 'TIME',
        brief:
          'how long calls made by the services wait for a reply, such as 500ms or 2s (default: TIMEOUT_MS, else 30s)',
      },
      watch: {
        kind: 'boolean',
        default: false,
        brief: 'restart when a source file or the configuration changes',
      },
      backdoor: {
        kind: 'parsed',
        parse: parsePort,
        optional: true,
        placeholder: 'PORT',
        brief: 'let this user look into the process with clew backdoor PORT; 0: any free port',
      },
      log: {
        kind: 'enum',
        values: ['text', 'json'],
        optional: true,
        brief: 'how the log on stderr is written (default: LOGGING, else text)',
      },
      json: {
        kind: 'boolean',
        default: false,
        brief: 'when ready, print what runs as one JSON value',
      },
    },
    aliases: configAliases,
  },
  async run(context, flags, ...targets) {
    if (flags.watch) {
      const { isWatched, watchServices } = await import('../watch-services.ts')
      if (!isWatched()) return watchServices(context, targets, configurationFiles(flags))
    }
    const { runServices } = await import('../run-services.ts')
    return runServices(context, flags, targets)
  },
})

/** @throws Fault for a module: `--profile services.ts` would write traces into the source. */
function profileFile(file: string): string {
  if (/\.[cm]?[jt]sx?$/.test(file)) {
    throw usageFault(`${harmless(file)} looks like a module, not like a file for traces`, {
      why: 'a name behind --profile is the file that traces are written to',
      next: [`clew run ${file} --profile`, 'clew run services.ts --profile=traces.jsonl'],
    })
  }
  return file
}

function parseWorkers(text: string): number {
  const count = Number(text)
  if (!(Number.isInteger(count) && count >= 1 && count <= MOST_WORKERS)) {
    throw usageFault(`${JSON.stringify(text)} is no whole number from 1 to ${MOST_WORKERS}`)
  }
  return count
}
