import { isCallable } from '../call/index.ts'
import type { WorkerContext } from '../service/index.ts'
import type { RedisCommand } from './driver.ts'
import { RedisError } from './errors.ts'
import type { RedisCommands } from './ioredis-driver.ts'
import { batchOf, operationOf } from './pattern.ts'

/** Commands to be sent in one go; what they return comes together, in their order. */
export type RedisBatch = {
  readonly [Name in keyof RedisCommands]: (...args: readonly RedisArgument[]) => void
}

export type RedisArgument = string | number | Buffer | Readonly<Record<string, string | number>>

/**
 * A Redis in a worker's name: every command by its lower-case name, `hgetall('products:1')`. What
 * would make others on the same connection wait, or change it for them, is refused: blocking
 * commands, subscriptions, WATCH, SELECT.
 */
export type RedisClient = RedisCommands & {
  /** Commands in one round trip, as a transaction (MULTI … EXEC). @throws the first one's error */
  multi(build: (batch: RedisBatch) => void): Promise<readonly unknown[]>
  /** Commands in one round trip, each on its own. @throws the first one's error */
  pipeline(build: (batch: RedisBatch) => void): Promise<readonly unknown[]>
}

/** What a client sends its commands through. */
export interface Sending {
  readonly worker: WorkerContext
  /** How traces name the Redis: `products.cache`. */
  readonly service: string
  send(worker: WorkerContext, command: RedisCommand, shown: string): Promise<unknown>
  batch(
    worker: WorkerContext,
    commands: readonly RedisCommand[],
    atomic: boolean,
    shown: string,
  ): Promise<readonly unknown[]>
  keysOf(command: RedisCommand): readonly string[]
}

const NOT_SHARED = new Set([
  ...['blpop', 'brpop', 'blmove', 'brpoplpush', 'bzpopmin', 'bzpopmax', 'blmpop', 'bzmpop'],
  ...['wait', 'waitaof', 'subscribe', 'psubscribe', 'ssubscribe', 'unsubscribe', 'punsubscribe'],
  ...['sunsubscribe', 'monitor', 'sync', 'psync', 'exec', 'discard', 'watch', 'unwatch', 'select'],
  ...['auth', 'hello', 'reset', 'quit', 'client', 'shutdown', 'readonly', 'readwrite', 'debug'],
])

export function clientOf(sending: Sending): RedisClient {
  const { worker, service } = sending
  const batch =
    (kind: 'MULTI' | 'PIPELINE') =>
    async (build: (batch: RedisBatch) => void): Promise<readonly unknown[]> => {
      const commands = gather(build)
      if (commands.length === 0) return []
      const shown = batchOf(
        kind,
        commands.map((command) => shownAs(command, sending)),
      )
      const run = () => sending.batch(worker, commands, kind === 'MULTI', shown)
      return worker.down(service, shown, run)
    }
  const own = { multi: batch('MULTI'), pipeline: batch('PIPELINE') }
  return new Proxy(own, {
    get(_, property): unknown {
      if (!isCallable(property)) return undefined
      if (property === 'multi' || property === 'pipeline') return own[property]
      return async (...args: readonly unknown[]) => {
        const command = commandOf(property, args)
        const shown = shownAs(command, sending)
        return worker.down(service, shown, () => sending.send(worker, command, shown))
      }
    },
    set() {
      throw new TypeError(`${service} is read-only`)
    },
  }) as unknown as RedisClient
}

function shownAs(command: RedisCommand, sending: Sending): string {
  return operationOf(command.name.replace(/Buffer$/, ''), sending.keysOf(command))
}

function gather(build: (batch: RedisBatch) => void): readonly RedisCommand[] {
  const commands: RedisCommand[] = []
  const batch = new Proxy({} as RedisBatch, {
    get:
      (_, property) =>
      (...args: readonly unknown[]) => {
        commands.push(commandOf(String(property), args))
      },
  })
  build(batch)
  return commands
}

/** @throws RedisError `rejected` for what one connection for all cannot do */
function commandOf(property: string, args: readonly unknown[]): RedisCommand {
  const called = property === 'call'
  const name = called ? String(args[0]).toLowerCase() : property
  const rest = called ? args.slice(1).flat() : args
  const blocks = /^xread/.test(name) && rest.some((one) => /^block$/i.test(String(one)))
  if (NOT_SHARED.has(name) || blocks) {
    const message = `${name.toUpperCase()} cannot be used here: all workers share one connection. Open a client of your own for it.`
    throw new RedisError('rejected', message)
  }
  if (rest.some((one) => typeof one === 'function')) {
    throw new RedisError('rejected', `${name.toUpperCase()} takes no callback here; await it.`)
  }
  return { name, args: rest }
}
