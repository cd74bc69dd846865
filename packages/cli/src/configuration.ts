import type { Config } from 'clew/config'
import { ADDRESS_KEY, BROKER_VARIABLE } from './broker-address.ts'
import type { ClewContext } from './command.ts'
import { EXIT } from './exit.ts'
import { Fault } from './fault.ts'
import { harmless } from './harmless.ts'

export interface ConfigFlags {
  readonly config: string | undefined
  readonly define: readonly string[] | undefined
}

export const configFlags = {
  config: {
    kind: 'parsed',
    parse: String,
    optional: true,
    placeholder: 'FILE',
    brief:
      "a YAML file with Nameko's keys and your own (default: clew.config.yaml, where there is one)",
  },
  define: {
    kind: 'parsed',
    parse: String,
    variadic: true,
    optional: true,
    placeholder: 'KEY=VAL',
    brief: 'one key over the file, the value in YAML; may be given several times',
  },
} as const

export const configAliases = { c: 'config', d: 'define' } as const

/**
 * Reads the configuration; what is odd about it is told.
 * @param address what `--broker` says: over the environment, which is over the file
 * @throws Fault when there is no such file, or it says what cannot be
 */
export async function readConfiguration(
  { output, env }: Pick<ClewContext, 'output' | 'env'>,
  flags: ConfigFlags,
  address?: string | undefined,
): Promise<Config> {
  const { loadConfig } = await import('clew/config')
  const define = flags.define ?? []
  let config: Config
  try {
    config = await loadConfig({ file: flags.config, define, env })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new Fault(message.replace(/\.$/u, ''), {
      exit: message.includes('there is no such file') ? EXIT.notFound : EXIT.usage,
      code: 'config',
      cause: error,
      next: ['clew show-config   for what a file says once variables are put in'],
    })
  }
  for (const warning of config.warnings) {
    output.say(`${output.paintTalk.yellow('odd:')} ${harmless(warning)}`)
  }
  const defined = define.some((text) => text.startsWith(`${ADDRESS_KEY}=`))
  const other = address ?? (defined ? undefined : env[BROKER_VARIABLE] || undefined)
  if (other === undefined) return config
  return { ...config, values: Object.freeze({ ...config.values, [ADDRESS_KEY]: other }) }
}

/** Where a configuration may be. */
export function configurationFiles({ config }: Pick<ConfigFlags, 'config'>): readonly string[] {
  return config === undefined ? ['clew.config.yaml', 'clew.config.yml'] : [config]
}
