import type { Problems } from '../trace/problems.ts'

/** What a message has where. A role is a message that is looked into. */
export interface MessageVisitor {
  /** @param role 'document' at the beginning */
  choose(role: string, field: number): 'take' | 'skip' | { readonly role: string }
  entered(role: string): void
  /** @throws when it is not the message that was to be taken */
  taken(role: string, bytes: Uint8Array, where: string): void
}

interface Frame {
  readonly role: string
  /** Where it ends in the whole of the bytes. */
  readonly end: number
}

const LENGTH_DELIMITED = 2
/** Longest tag and length before a value. */
const MAX_HEAD = 20
const NOTHING = new Uint8Array(0)

/**
 * Walks through messages of any size as their bytes come, holding no more than one that is taken. A
 * document is one message, or several with their lengths before them. A message that is no message
 * costs what it is in: the length of that tells where to go on.
 */
export class ProtobufWalker {
  readonly #visitor: MessageVisitor
  readonly #problems: Problems
  readonly #maxBytes: number
  readonly #frames: Frame[] = []
  #rest: Uint8Array = NOTHING
  /** Position of the first byte of the rest. */
  #at = 0
  /** Bytes to pass over. */
  #skip = 0
  /** Length of the value that is being waited for, and in which role; -1 for none. */
  #wanted = -1
  #parts: Uint8Array[] = []
  #held = 0
  /** Each message has its length before it; undefined until the first bytes are seen. */
  #delimited: boolean | undefined
  #broken = false

  constructor(visitor: MessageVisitor, problems: Problems, maxBytes: number) {
    this.#visitor = visitor
    this.#problems = problems
    this.#maxBytes = maxBytes
  }

  push(chunk: Uint8Array): void {
    if (this.#broken) return
    let bytes = chunk
    if (this.#rest.length > 0) {
      bytes = new Uint8Array(this.#rest.length + chunk.length)
      bytes.set(this.#rest)
      bytes.set(chunk, this.#rest.length)
      this.#rest = NOTHING
    }
    let at = 0
    while (at < bytes.length && !this.#broken) {
      const next = this.#step(bytes, at, false)
      if (next < 0) break
      this.#at += next - at
      at = next
    }
    // A copy: the caller may write over its chunk.
    if (at < bytes.length && !this.#broken) this.#rest = bytes.slice(at)
  }

  end(): void {
    let at = 0
    while (at < this.#rest.length && !this.#broken) {
      const next = this.#step(this.#rest, at, true)
      if (next < 0) break
      this.#at += next - at
      at = next
    }
    const open = this.#frames.some(({ end }) => end !== Number.POSITIVE_INFINITY && end > this.#at)
    const waiting = this.#wanted >= 0 || this.#skip > 0 || at < this.#rest.length || open
    if (waiting && !this.#broken) {
      this.#problems.add('unreadable', `byte ${this.#at + 1}: the document ends in the middle`)
    }
    this.#rest = NOTHING
  }

  /** Returns how far it went; -1 where more bytes are needed. */
  #step(bytes: Uint8Array, at: number, last: boolean): number {
    if (this.#skip > 0) {
      const most = Math.min(this.#skip, bytes.length - at)
      this.#skip -= most
      return at + most
    }
    if (this.#wanted >= 0) return this.#take(bytes, at)
    while (this.#frames.length > 0 && this.#frames.at(-1)!.end <= this.#at) this.#frames.pop()
    if (bytes.length - at < MAX_HEAD && !last && !this.#endsIn(bytes.length - at)) return -1
    if (this.#frames.length === 0) {
      this.#delimited ??= startsDelimited(bytes, at)
      return this.#delimited ? this.#openDelimited(bytes, at) : this.#openWhole(at)
    }
    return this.#field(bytes, at)
  }

  /** True when the message on top ends within the bytes there are, so that no head reaches beyond. */
  #endsIn(length: number): boolean {
    const top = this.#frames.at(-1)
    return top !== undefined && top.end <= this.#at + length
  }

  #openWhole(at: number): number {
    this.#frames.push({ role: 'document', end: Number.POSITIVE_INFINITY })
    return at
  }

  #openDelimited(bytes: Uint8Array, at: number): number {
    const head = varintAt(bytes, at)
    if (head === undefined) return this.#give(at)
    this.#frames.push({ role: 'document', end: this.#at + head.next - at + head.value })
    return head.next
  }

  #give(at: number): number {
    this.#problems.add('unreadable', `byte ${this.#at + 1}: no message; nothing behind can be read`)
    this.#broken = true
    return at
  }

  /** Damage within a message: it is left at its end, where that is known. */
  #leave(at: number): number {
    const top = this.#frames.pop()
    if (top === undefined || top.end === Number.POSITIVE_INFINITY) return this.#give(at)
    this.#problems.add('unreadable', `byte ${this.#at + 1}: no field; passed over to what follows`)
    this.#skip = top.end - this.#at
    return at
  }

  #field(bytes: Uint8Array, at: number): number {
    const { role, end } = this.#frames.at(-1)!
    const tag = varintAt(bytes, at)
    if (tag === undefined || tag.value < 8) return this.#leave(at)
    const type = tag.value % 8
    const field = Math.floor(tag.value / 8)
    let length = type === 1 ? 8 : type === 5 ? 4 : 0
    let next = tag.next
    if (type === 0 || type === LENGTH_DELIMITED) {
      const value = varintAt(bytes, next)
      if (value === undefined) return this.#leave(at)
      next = value.next
      if (type === LENGTH_DELIMITED) length = value.value
    } else if (type !== 1 && type !== 5) {
      return this.#leave(at)
    }
    const begin = this.#at + next - at
    if (begin + length > end) return this.#leave(at)
    const choice = type === LENGTH_DELIMITED ? this.#visitor.choose(role, field) : 'skip'
    if (typeof choice === 'object') {
      this.#frames.push({ role: choice.role, end: begin + length })
      this.#visitor.entered(choice.role)
    } else if (choice === 'skip') {
      this.#skip = length
    } else if (length > this.#maxBytes) {
      this.#problems.add('limit', `byte ${begin + 1}: a record longer than ${this.#maxBytes}`)
      this.#skip = length
    } else {
      this.#wanted = length
      this.#held = 0
      if (length === 0) return this.#take(bytes, next)
    }
    return next
  }

  #take(bytes: Uint8Array, at: number): number {
    const next = Math.min(bytes.length, at + this.#wanted - this.#held)
    const part = bytes.subarray(at, next)
    this.#held += part.length
    if (this.#held < this.#wanted) {
      this.#parts.push(part.slice())
      return next
    }
    const whole = this.#parts.length === 0 ? part : joined([...this.#parts, part], this.#held)
    this.#parts = []
    this.#wanted = -1
    const where = `byte ${this.#at + 1}`
    try {
      this.#visitor.taken(this.#frames.at(-1)?.role ?? 'document', whole, where)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      this.#problems.add('unreadable', `before ${where}: a record that is no message: ${why}`)
    }
    return next
  }
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Up to 2^53; undefined where it does not end, or is more. */
export function varintAt(
  bytes: Uint8Array,
  start: number,
): { readonly value: number; readonly next: number } | undefined {
  let value = 0
  let scale = 1
  for (let at = start; at < bytes.length && at < start + 10; at++) {
    const byte = bytes[at]!
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return { value, next: at + 1 }
    scale *= 0x80
  }
  return undefined
}

/** OTLP's messages begin with field 1 as all do; where a length is before it, that comes second. */
function startsDelimited(bytes: Uint8Array, at: number): boolean {
  return !beginsMessage(bytes, at) && delimitedAt(bytes, at)
}

function delimitedAt(bytes: Uint8Array, at: number): boolean {
  const head = varintAt(bytes, at)
  return head !== undefined && head.value > 0 && beginsMessage(bytes, head.next)
}

const RESOURCE_SPANS = 0x0a
/** Tags of resource, scopeSpans, schemaUrl: what messages in field 1 may begin with. */
const INSIDE = [0x0a, 0x12, 0x1a]

function beginsMessage(bytes: Uint8Array, at: number): boolean {
  if (bytes[at] !== RESOURCE_SPANS) return false
  const head = varintAt(bytes, at + 1)
  if (head === undefined) return false
  if (head.value === 0) return true
  const inside = bytes[head.next]
  if (inside === undefined) return true
  if (!INSIDE.includes(inside)) return false
  const inner = varintAt(bytes, head.next + 1)
  return inner === undefined
    ? bytes.length - at < MAX_HEAD
    : inner.next - head.next + inner.value <= head.value
}

/** True when the bytes are OTLP as protobuf, with a length before it or without. */
export const beginsProtobuf = (bytes: Uint8Array): boolean =>
  bytes.length >= 2 && (beginsMessage(bytes, 0) || delimitedAt(bytes, 0))
