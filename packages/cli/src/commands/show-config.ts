import { defineCommand } from '../command.ts'
import {
  type ConfigFlags,
  configAliases,
  configFlags,
  readConfiguration,
} from '../configuration.ts'
import { EXIT } from '../exit.ts'
import { harmless, harmlessLines } from '../harmless.ts'

interface Flags extends ConfigFlags {
  readonly json: boolean
}

export const showConfigCommand = defineCommand<Flags, readonly []>({
  help: {
    brief: 'Print the configuration as services will see it, secrets masked',
    usage: '[FLAGS]',
    examples: [
      {
        input: 'show-config --json',
        brief: 'what clew.config.yaml says, variables put in, as JSON',
      },
      {
        input: 'show-config -c production.yaml -d max_workers=50',
        brief: 'another file, one key over it, as YAML',
      },
    ],
    description: [
      'Variables of the environment are written ${NAME} or ${NAME:default}; !env_var and !raw_env_var say so explicitly. Passwords in addresses, private keys, and whatever a key such as password, secret or token holds are stars.',
    ],
  },
  parameters: {
    positional: { kind: 'tuple', parameters: [] },
    flags: {
      ...configFlags,
      json: { kind: 'boolean', default: false, brief: 'as one JSON value' },
    },
    aliases: configAliases,
  },
  async run(context, flags) {
    const { output } = context
    const { file, values } = await readConfiguration(context, flags)
    const { maskSecrets, writeDocument } = await import('clew/config')
    const masked = maskSecrets(values)
    if (flags.json) output.printJson({ file, config: masked })
    else if (Object.keys(values).length > 0) {
      output.print(harmlessLines(writeDocument(masked).trimEnd()))
    }
    if (file === undefined) output.say('no clew.config.yaml here; --config names another file')
    else if (output.live) output.say(output.paintTalk.dim(`from ${harmless(file)}`))
    return EXIT.ok
  },
})
