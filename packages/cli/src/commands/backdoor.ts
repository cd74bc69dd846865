import { parsePort } from '../backdoor-port.ts'
import { defineCommand } from '../command.ts'

interface Flags {
  readonly token: string | undefined
}

export const backdoorCommand = defineCommand<Flags, readonly [number]>({
  help: {
    brief: 'Look into services that run with --backdoor PORT',
    usage: 'PORT [FLAGS]',
    examples: [
      {
        input: 'backdoor 5000',
        brief: `then: services, fire('orders', 'get', 7), config, process.memoryUsage()`,
      },
      { input: `backdoor 5000 <<< "process.uptime()"`, brief: 'a script on stdin' },
    ],
    description: [
      'A JavaScript prompt within the process: `services` and their entrypoints, `fire(SERVICE, METHOD, …)` to run one of them, `running` to stop them, `config`. It listens on this machine alone and wants the token that the process saved for its user. exit, quit and Ctrl-D leave and let the services run on; Ctrl-\\ leaves where the process does not answer.',
    ],
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ parse: parsePort, placeholder: 'PORT', brief: 'what clew run said' }],
    },
    flags: {
      token: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'TOKEN',
        brief:
          'the token (default: $CLEW_BACKDOOR_TOKEN, else what the process saved for this user)',
      },
    },
  },
  async run(context, flags, port) {
    const { visitBackdoor } = await import('../backdoor-visit.ts')
    return visitBackdoor(context, port, flags.token)
  },
})
