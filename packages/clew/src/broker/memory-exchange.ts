import type { Headers, HeaderValue } from '../call/index.ts'
import { TableReader } from './field-table.ts'
import type { MemoryQueue } from './memory-queue.ts'
import type { Message } from './message.ts'
import type { Exchange, Queue } from './transport.ts'

/** Queues by what they are bound with. */
type Bound = Map<string, Set<MemoryQueue>>

/** An exchange in memory: which queues want which messages. */
export class MemoryExchange {
  readonly declaration: Exchange
  // Whole keys, `{prefix}.*`, and all other patterns: what calls need is found without searching.
  readonly #exact: Bound = new Map()
  readonly #prefixes: Bound = new Map()
  readonly #patterns: Bound = new Map()
  /** For type `headers`. */
  readonly #matching = new Map<MemoryQueue, Headers>()

  constructor(declaration: Exchange) {
    this.declaration = declaration
  }

  get isBound(): boolean {
    const { size } = this.#exact
    return size + this.#prefixes.size + this.#patterns.size + this.#matching.size > 0
  }

  bind(queue: MemoryQueue, { bindingKey = '', bindingArguments }: Queue): void {
    if (this.declaration.type === 'headers') {
      this.#matching.set(queue, bindingArguments ?? {})
      return
    }
    const { map, key } = this.#place(bindingKey)
    const bound = map.get(key)
    if (bound === undefined) map.set(key, new Set([queue]))
    else bound.add(queue)
  }

  unbind(queue: MemoryQueue): void {
    this.#matching.delete(queue)
    for (const map of [this.#exact, this.#prefixes, this.#patterns]) {
      for (const [key, bound] of map) {
        if (bound.delete(queue) && bound.size === 0) map.delete(key)
      }
    }
  }

  #place(key: string) {
    const { type } = this.declaration
    if (type === 'fanout') return { map: this.#exact, key: '' }
    if (type !== 'topic' || !/[*#]/.test(key)) return { map: this.#exact, key }
    const prefix = key.endsWith('.*') ? key.slice(0, -2) : ''
    return prefix !== '' && !/[*#]/.test(prefix)
      ? { map: this.#prefixes, key: prefix }
      : { map: this.#patterns, key }
  }

  /** The queues that want a message, each once; undefined for none. */
  route({ routingKey, headers }: Message): ReadonlySet<MemoryQueue> | undefined {
    const { type } = this.declaration
    if (type === 'headers') return this.#matchHeaders(headers)
    const found = this.#exact.get(type === 'fanout' ? '' : routingKey)
    if (this.#prefixes.size + this.#patterns.size === 0) return found
    const dot = routingKey.lastIndexOf('.')
    const prefixed = dot < 0 ? undefined : this.#prefixes.get(routingKey.slice(0, dot))
    if (this.#patterns.size === 0 && (found === undefined || prefixed === undefined)) {
      return found ?? prefixed
    }
    const all = new Set([...(found ?? []), ...(prefixed ?? [])])
    const words = wordsOf(routingKey)
    for (const [pattern, queues] of this.#patterns) {
      if (matches(wordsOf(pattern), words)) for (const queue of queues) all.add(queue)
    }
    return all.size === 0 ? undefined : all
  }

  #matchHeaders(table: Buffer | undefined): ReadonlySet<MemoryQueue> | undefined {
    const headers = readTable(table)
    const all = new Set<MemoryQueue>()
    for (const [queue, wanted] of this.#matching) if (agrees(wanted, headers)) all.add(queue)
    return all.size === 0 ? undefined : all
  }
}

/** AMQP's topic patterns: `*` is one word, `#` any number of them. */
export function matches(pattern: readonly string[], words: readonly string[]): boolean {
  // Reachable positions in the pattern, word by word: linear in both, whatever the pattern.
  let reached = skipHashes(pattern, new Set([0]))
  for (const word of words) {
    const next = new Set<number>()
    for (const at of reached) {
      const part = pattern[at]
      if (part === '#') next.add(at)
      else if (part === '*' || part === word) next.add(at + 1)
    }
    reached = skipHashes(pattern, next)
  }
  return reached.has(pattern.length)
}

function wordsOf(key: string): readonly string[] {
  return key === '' ? [] : key.split('.')
}

function skipHashes(pattern: readonly string[], reached: Set<number>): Set<number> {
  for (const at of reached) if (pattern[at] === '#') reached.add(at + 1)
  return reached
}

function agrees(wanted: Headers, headers: Headers): boolean {
  const any = String(wanted['x-match'] ?? 'all').startsWith('any')
  const names = Object.keys(wanted).filter((name) => !name.startsWith('x-'))
  const fits = (name: string) =>
    Object.hasOwn(headers, name) && (wanted[name] === null || headers[name] === wanted[name])
  return any ? names.some(fits) : names.every(fits)
}

function readTable(table: Buffer | undefined): Headers {
  const headers: Record<string, HeaderValue> = Object.create(null)
  try {
    const reader = new TableReader(table ?? Buffer.alloc(0))
    while (reader.next()) {
      headers[reader.prefixed ? `nameko.${reader.key}` : reader.key] = reader.value
    }
  } catch {
    // Unreadable headers match nothing that asks for one.
  }
  return headers
}
