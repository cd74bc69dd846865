import { setTimeout as sleep } from 'node:timers/promises'
import { Command, Redis, type RedisCommander } from 'ioredis'
import type { RedisCommand, RedisDriver } from './driver.ts'

/** Every command that the library knows, by its lower-case name, with its types. */
export type RedisCommands = RedisCommander<{ type: 'default' }>

const LONGEST_PAUSE_MS = 1000
/** A connection that says nothing for so long while commands wait is given up. */
const SILENCE_MS = 15_000
const GOODBYE_MS = 1000

type Send = (...args: readonly unknown[]) => Promise<unknown>

export interface AddressOptions {
  readonly url: string
  readonly connectTimeoutMs: number
  /** Shown in the server's list of clients. */
  readonly application: string
}

/** A Redis over the network. After an outage it connects again by itself. */
export function ioredisDriver({ url, connectTimeoutMs, application }: AddressOptions): RedisDriver {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: connectTimeoutMs,
    connectionName: application,
    socketTimeout: SILENCE_MS,
    protocol: 2,
    retryStrategy: (times) => Math.min(times * 50, LONGEST_PAUSE_MS),
    // A command whose connection broke may have been carried out: the caller has to know, not we to repeat it.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
  })
  const known = new Set(client.getBuiltinCommands())
  let lastError: Error | undefined
  client.on('error', (error: Error) => {
    lastError = error
  })

  let closed = false
  let becoming: Promise<void> | undefined

  /** Resolves when commands can be sent; rejects when the attempt to connect that goes on has failed. */
  function ready(): Promise<void> {
    if (closed) return Promise.reject(new Error('the connection is closed'))
    if (client.status === 'ready') return Promise.resolve()
    // All who wait, wait together: in an outage there are many.
    becoming ??= attempt().finally(() => {
      becoming = undefined
    })
    return becoming
  }

  function attempt(): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (failed: boolean) => {
        client.off('ready', succeed)
        client.off('close', fail)
        if (failed) reject(lastError ?? new Error('the connection was closed'))
        else resolve()
      }
      const succeed = () => settle(false)
      const fail = () => settle(true)
      client.once('ready', succeed)
      client.once('close', fail)
      if (client.status === 'wait' || client.status === 'end') {
        client.connect().catch((error: Error) => {
          lastError = error
          fail()
        })
      }
    })
  }

  return {
    open: ready,
    async send({ name, args }) {
      if (closed || client.status !== 'ready') await ready()
      const method = known.has(name.replace(/Buffer$/, '')) ? name : undefined
      if (method === undefined) return client.call(name, ...(args as string[]))
      return (client as unknown as Readonly<Record<string, Send>>)[method]!(...args)
    },
    async batch(commands, atomic) {
      if (closed || client.status !== 'ready') await ready()
      const batch = atomic ? client.multi() : client.pipeline()
      const chain = batch as unknown as Readonly<Record<string, (...args: unknown[]) => unknown>>
      for (const { name, args } of commands) {
        if (known.has(name)) chain[name]!(...args)
        else chain.call!(name, ...args)
      }
      const results = (await batch.exec()) ?? []
      for (const [error] of results) if (error !== null) throw error
      return results.map(([, result]) => result)
    },
    keysOf: keysOf,
    async close() {
      closed = true
      if (client.status === 'ready') {
        await Promise.race([
          client.quit().catch(() => {}),
          sleep(GOODBYE_MS, undefined, { ref: false }),
        ])
      }
      client.disconnect()
    },
  }
}

function keysOf({ name, args }: RedisCommand): readonly string[] {
  // Its pattern looks like a key, and no value.
  if (name === 'keys') return args.slice(0, 1).map(String)
  try {
    const command = new Command(name.replace(/Buffer$/, ''), args as string[])
    return command.getKeys().map(String)
  } catch {
    return []
  }
}
