import { brokerFlag } from '../broker-address.ts'
import { defineCommand } from '../command.ts'
import { configAliases, configFlags } from '../configuration.ts'
import { parseDuration } from '../duration.ts'
import type { ShellFlags } from '../shell-session.ts'

export const shellCommand = defineCommand<ShellFlags, readonly []>({
  help: {
    brief: 'Call services and dispatch events from a prompt, or from a script on stdin',
    usage: '[FLAGS]',
    examples: [
      {
        input: 'shell --broker amqp://localhost',
        brief: "then: n.rpc.greeting_service.hello('Ada')",
      },
      {
        input: `shell <<< "n.rpc.greeting_service.hello('Ada')"`,
        brief: 'a script: values on stdout, ends at the first error',
      },
      { input: 'shell --json < script.js', brief: 'each value as a line of JSON' },
    ],
    description: [
      'JavaScript with `n`: n.rpc.SERVICE.METHOD(…), n.dispatchEvent(SERVICE, TYPE, DATA), n.config, n.disconnect(). Promises are awaited, `await` works anywhere. What was typed is kept in a history file; $CLEW_HISTORY names another, or none when empty.',
      'Exit codes of scripts are those of clew call: 0 well, 1 something threw, 3 no such service or method, 6 timeout.',
    ],
  },
  parameters: {
    positional: { kind: 'tuple', parameters: [] },
    flags: {
      broker: brokerFlag,
      ...configFlags,
      timeout: {
        kind: 'parsed',
        parse: parseDuration,
        optional: true,
        placeholder: 'TIME',
        brief:
          'how long calls wait for a reply, such as 500ms or 2s (default: TIMEOUT_MS, else 30s)',
      },
      json: { kind: 'boolean', default: false, brief: 'print values as lines of JSON' },
    },
    aliases: configAliases,
  },
  async run(context, flags) {
    const { shellSession } = await import('../shell-session.ts')
    return shellSession(context, flags)
  },
})
