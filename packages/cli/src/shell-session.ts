import { mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { inspect } from 'node:util'
import { isNativeError } from 'node:util/types'
import type { Cluster } from 'clew'
import { configuredBroker } from './broker-address.ts'
import type { ClewContext } from './command.ts'
import { type ConfigFlags, readConfiguration } from './configuration.ts'
import { type Completer, readEvalPrint, runScript, scriptError } from './console.ts'
import { EXIT, type ExitCode } from './exit.ts'
import { Fault } from './fault.ts'
import { harmless, harmlessJson, harmlessLines } from './harmless.ts'

export interface ShellFlags extends ConfigFlags {
  readonly broker: string | undefined
  readonly timeout: number | undefined
  readonly json: boolean
}

/** Connects, and evaluates what stdin brings: typed by a person, or a script. */
export async function shellSession(context: ClewContext, flags: ShellFlags): Promise<ExitCode> {
  const { output } = context
  const config = await readConfiguration(context, flags, flags.broker)
  const broker = await configuredBroker(config)
  const { connect } = await import('clew')
  const { callFault } = await import('./call-fault.ts')
  const { clientOptions, maskSecrets } = await import('clew/config')
  const options = {
    ...clientOptions(config),
    ...(flags.timeout && { timeoutMs: flags.timeout }),
  }
  const cluster = await connect(broker, options).catch((error: unknown) => {
    throw callFault(error)
  })
  const known = new Known()
  const values = { ...config.values }
  // Printed with stars, read as it is.
  Object.defineProperty(values, inspect.custom, { value: () => maskSecrets(config.values) })
  const bindings = { n: shellTools(cluster, values, known) }
  try {
    if (process.stdin.isTTY === true && !flags.json) {
      const { bold, dim } = output.paintTalk
      output.say(`clew shell on ${bold(harmless(broker.name))}`)
      output.say(
        dim(
          'n.rpc.SERVICE.METHOD(…)  n.dispatchEvent(SERVICE, TYPE, DATA)  n.config  .exit leaves',
        ),
      )
      await readEvalPrint({
        input: process.stdin,
        output: process.stdout,
        terminal: process.stdout.isTTY === true && context.env.TERM !== 'dumb',
        colors: output.color,
        prompt: '> ',
        bindings,
        complete: (line) => known.complete(line),
        history: historyFile(context.env),
      })
      return EXIT.ok
    }
    await runScript(process.stdin, bindings, (value) =>
      output.print(
        flags.json
          ? harmlessJson(value)
          : harmlessLines(inspect(value, { colors: output.color, depth: 6 })),
      ),
    ).catch((thrown: unknown) => {
      throw scriptFault(thrown, callFault)
    })
    return EXIT.ok
  } finally {
    await cluster.close()
  }
}

/** What `n` is. */
function shellTools(cluster: Cluster, config: object, known: Known): object {
  return {
    rpc: known.remembering(cluster.services<Record<string, object>>()),
    dispatchEvent: (service: string, type: string, payload?: unknown) =>
      cluster.dispatch(service, type, payload),
    config,
    disconnect: () => cluster.close(),
  }
}

/** An error of the script as a fault: those of calls keep their exit codes, others are the script's own. */
function scriptFault(thrown: unknown, callFault: (thrown: unknown) => Fault): Fault {
  const name = isNativeError(thrown) ? thrown.name : ''
  if (name === 'RemoteError' || name === 'RpcError' || name === 'ConfigError') {
    return callFault(thrown)
  }
  const { what, where } = scriptError(thrown)
  return new Fault(`the script failed: ${what}`, {
    exit: EXIT.failed,
    code: 'script',
    why: where === '' ? undefined : where,
    cause: thrown,
  })
}

/** What was called in this session: RabbitMQ cannot be asked for the services that run. */
class Known {
  readonly #methods = new Map<string, Set<string>>()

  /** The same clients; whom they are asked for is kept. */
  remembering(services: Readonly<Record<string, object>>): object {
    return new Proxy(services, {
      get: (target, service): unknown => {
        const client = Reflect.get(target, service) as object | undefined
        if (client === undefined || typeof service !== 'string') return client
        const methods = this.#methods.get(service) ?? new Set<string>()
        this.#methods.set(service, methods)
        return new Proxy(client, {
          get: (inner, method): unknown => {
            const call: unknown = Reflect.get(inner, method)
            if (typeof method === 'string' && typeof call === 'function') methods.add(method)
            return call
          },
        })
      },
    })
  }

  /** What a line may go on with behind `n.`; undefined for anything else. */
  complete(line: string): ReturnType<Completer> {
    const [, path = '', partial = ''] = /\bn((?:\.\w+)*)\.(\w*)$/u.exec(line) ?? []
    const [, , service] = path.split('.')
    const among =
      path === '' && line.endsWith(`n.${partial}`)
        ? ['rpc', 'dispatchEvent', 'config', 'disconnect']
        : path === '.rpc'
          ? [...this.#methods.keys()]
          : path.startsWith('.rpc.') && service !== undefined
            ? [...(this.#methods.get(service) ?? [])]
            : undefined
    return among && [among.filter((name) => name.startsWith(partial)), partial]
  }
}

/** Where what was typed is kept; undefined: nowhere. */
function historyFile(env: ClewContext['env']): string | undefined {
  const { CLEW_HISTORY, XDG_STATE_HOME } = env
  if (CLEW_HISTORY === '') return undefined
  const file =
    CLEW_HISTORY ?? join(XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'clew', 'history')
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  } catch {
    return undefined
  }
  return file
}
