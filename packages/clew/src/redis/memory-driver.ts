import type { RedisCommand, RedisDriver } from './driver.ts'
import { RedisError } from './errors.ts'

type Value = string | Map<string, string>
type Store = Map<string, Value>

/** Stores of this process by address, with how many use them. */
const opened = new Map<string, { readonly store: Store; users: number }>()

/**
 * Strings and hashes in this process, for machines without a server. The same address is the same
 * store; it is gone when nobody uses it any more.
 */
export function memoryDriver(url: string): RedisDriver {
  const place = opened.get(url) ?? { store: new Map(), users: 0 }
  opened.set(url, place)
  place.users++
  let closed = false
  const run = ({ name, args }: RedisCommand): unknown => {
    const command = COMMANDS[name]
    if (command === undefined) {
      const message = `memory: has no ${name.toUpperCase()}; it has ${Object.keys(COMMANDS).join(', ')}. Use a Redis.`
      throw new RedisError('rejected', message)
    }
    return command(place.store, args.flat().map(String), args)
  }
  return {
    open: async () => {},
    send: async (command) => run(command),
    batch: async (commands) => commands.map(run),
    keysOf: ({ name, args }) =>
      name === 'del' || name === 'exists' ? args.flat().map(String) : args.slice(0, 1).map(String),
    async close() {
      if (closed) return
      closed = true
      if (--place.users === 0) opened.delete(url)
    },
  }
}

type Run = (store: Store, texts: readonly string[], args: readonly unknown[]) => unknown

const COMMANDS: Readonly<Record<string, Run>> = {
  ping: () => 'PONG',
  keys: (store, [pattern = '*']) => [...store.keys()].filter(globOf(pattern)),
  exists: (store, keys) => keys.filter((key) => store.has(key)).length,
  del: (store, keys) => keys.filter((key) => store.delete(key)).length,
  flushdb: (store) => {
    store.clear()
    return 'OK'
  },
  get: (store, [key = '']) => text(store, key) ?? null,
  set(store, [key = '', value = '', ...more]) {
    if (more.length > 0) throw new RedisError('rejected', 'memory: SET takes a key and a value.')
    store.set(key, value)
    return 'OK'
  },
  incrby(store, [key = '', by = '']) {
    const sum = whole(text(store, key) ?? '0') + whole(by)
    store.set(key, String(sum))
    return sum
  },
  hget: (store, [key = '', field = '']) => hash(store, key)?.get(field) ?? null,
  hgetall: (store, [key = '']) => Object.fromEntries(hash(store, key) ?? []),
  hdel(store, [key = '', ...fields]) {
    const found = hash(store, key)
    const gone = fields.filter((field) => found?.delete(field)).length
    if (found?.size === 0) store.delete(key)
    return gone
  },
  hset: (store, _, args) => put(store, args),
  hmset(store, _, args) {
    put(store, args)
    return 'OK'
  },
  hincrby(store, [key = '', field = '', by = '']) {
    const made = hash(store, key) ?? new Map<string, string>()
    const sum = whole(made.get(field) ?? '0') + whole(by)
    made.set(field, String(sum))
    store.set(key, made)
    return sum
  },
}

/** How many fields are new. Fields and values come one after the other, or as an object. */
function put(store: Store, [key, ...rest]: readonly unknown[]): number {
  const [first] = rest
  const pairs =
    typeof first === 'object' && first !== null ? Object.entries(first).flat() : rest.flat()
  if (pairs.length === 0 || pairs.length % 2 !== 0) {
    throw new RedisError('rejected', "ERR wrong number of arguments for 'hset' command")
  }
  const made = hash(store, String(key)) ?? new Map<string, string>()
  const before = made.size
  for (let at = 0; at < pairs.length; at += 2) made.set(String(pairs[at]), String(pairs[at + 1]))
  store.set(String(key), made)
  return made.size - before
}

function text(store: Store, key: string): string | undefined {
  const value = store.get(key)
  if (value === undefined || typeof value === 'string') return value
  throw wrongType()
}

function hash(store: Store, key: string): Map<string, string> | undefined {
  const value = store.get(key)
  if (typeof value === 'string') throw wrongType()
  return value
}

function wrongType(): RedisError {
  const message = 'WRONGTYPE Operation against a key holding the wrong kind of value'
  return new RedisError('rejected', message)
}

function whole(value: string): number {
  if (/^-?\d{1,15}$/.test(value)) return Number(value)
  throw new RedisError('rejected', 'ERR value is not an integer or out of range')
}

function globOf(pattern: string): (key: string) => boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  const expression = new RegExp(`^${source}$`, 's')
  return (key) => expression.test(key)
}
