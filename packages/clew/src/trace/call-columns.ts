import { ByteReader } from './byte-reader.ts'
import * as format from './format.ts'
import { Names } from './names.ts'
import type { PacketRoot } from './packet.ts'

/** Blocks within blocks that are followed; deeper ones are not plain. */
const MOST_DEPTH = format.MAX_DEPTH
const NONE = -1

/**
 * What a reader has to remember of one callee while it goes through its items. Made once for each
 * level, and used again.
 */
class Level {
  call = 0
  end = 0
  receiveUs = 0
  host = 0
  pid = 0
  /** As its own record says; -1 where they are as many as follow. */
  announced = NONE
  met = 0
  /** Names that items had so far, by their place; the first two are its own. */
  readonly names: number[] = []
  readonly hosts: number[] = []
  readonly pids: number[] = []
}

/**
 * Calls of plain traces, side by side, without an object for any of them: what most traces are, and
 * what has to be read most quickly. Plain is a trace of which everything came with the reply, each call
 * with both sides and no failure, none of them late, tried again in vain, merged or missing. Of others
 * `read` says no, and {@link Assembly} reads them.
 */
export class CallColumns {
  readonly names = new Names()
  /** Calls held. */
  length = 0
  service = new Uint32Array(0)
  method = new Uint32Array(0)
  host = new Uint32Array(0)
  version = new Uint32Array(0)
  /** Place of the call above; -1 for a root. Callers come before those they call. */
  parent = new Int32Array(0)
  inFlight = new Uint32Array(0)
  /** Stamps in microseconds since 1970, on the clock of whoever took them. */
  requestUs = new Float64Array(0)
  receiveUs = new Float64Array(0)
  /** When the method began; -1 where that was at once. */
  startUs = new Float64Array(0)
  respondUs = new Float64Array(0)
  finishUs = new Float64Array(0)
  readonly #reader = new ByteReader(new Uint8Array(0))
  readonly #levels: Level[] = []
  #scratch = new Uint8Array(1_024)

  /** Forgets all calls, and names where there are very many. */
  clear(): void {
    this.length = 0
    this.names.renew()
  }

  /**
   * Adds the calls of a trace.
   * @returns false, and adds nothing, where it is not plain
   */
  read({ record, block }: PacketRoot): boolean {
    const { requestUs, finishUs, status, edge, attempt, late } = record
    if (block === undefined || finishUs === undefined || finishUs < requestUs) return false
    if (status !== 'ok' || edge !== 'call' || attempt !== 1 || late === true) return false
    const before = this.length
    if (this.#readBlock(block, requestUs, finishUs) && !this.#reader.bad) return true
    this.length = before
    return false
  }

  #readBlock(block: Uint8Array, requestUs: number, finishUs: number): boolean {
    const reader = this.#reader
    reader.bytes = block
    reader.at = 0
    reader.end = block.length
    reader.bad = false
    if (block.length > format.MAX_MESSAGE_BYTES) return false
    if (reader.byte() !== (format.BLOCK_MAGIC | format.VERSION)) return false
    if (reader.varint() !== block.length - reader.at) return false
    // An odd count tells that something is not well.
    if (reader.varint() % 2 === 1) return false
    reader.varint()
    const host = this.#text()
    const pid = format.toCount(reader.varint())
    const service = this.#text()
    const method = this.#text()
    const receiveUs = reader.varint()
    const call = this.#add(NONE, service, method, host)
    this.requestUs[call] = requestUs
    this.finishUs[call] = finishUs
    const level = this.#enter(0, { call, host, pid, receiveUs, end: block.length })
    return this.#own(level) && this.#items()
  }

  #items(): boolean {
    const reader = this.#reader
    for (let depth = 0; depth >= 0; ) {
      const level = this.#levels[depth]!
      if (reader.at >= level.end) {
        if (level.announced !== NONE && level.announced !== level.met) return false
        depth--
        continue
      }
      reader.end = level.end
      if (depth + 1 >= MOST_DEPTH || !this.#call(level, depth + 1) || reader.bad) return false
      depth++
    }
    return true
  }

  /** Reads a call item as far as the items of its callee. */
  #call(level: Level, depth: number): boolean {
    const reader = this.#reader
    const tag = reader.byte()
    const odd = format.CALL_STATUS | format.CALL_ERROR | format.CALL_ATTEMPT
    if ((tag & 3) !== format.ITEM_CALL || (tag & odd) !== 0) return false
    if ((tag & format.CALL_BLOCK) === 0) return false
    const more = (tag & format.CALL_MORE) === 0 ? 0 : reader.byte()
    if ((more & ~format.MORE_EXTENSION) !== 0) return false
    reader.skip(8)
    const [ownService = 0, ownMethod = 0] = level.names
    let service = this.#name(level, ownService)
    let method = this.#name(level, ownMethod)
    const requestUs = level.receiveUs + reader.zigzag()
    const finishUs = requestUs + reader.varint()
    if ((tag & format.CALL_SEQ) !== 0) reader.zigzag()
    if ((more & format.MORE_EXTENSION) !== 0) reader.skip(reader.varint())
    const length = reader.varint()
    const end = reader.at + length
    if (reader.bad || end > reader.end) return false
    reader.end = end
    if (reader.varint() % 2 === 1) return false
    const code = reader.varint()
    const place = this.#place(level, Math.floor(code / 2))
    const host = level.hosts[place] ?? 0
    const pid = level.pids[place] ?? 0
    if (code % 2 === 1) {
      service = this.#text()
      method = this.#text()
    }
    const receiveUs = Math.max(0, requestUs + reader.zigzag())
    if (reader.bad) return false
    level.met++
    const call = this.#add(level.call, service, method, host)
    this.requestUs[call] = requestUs
    this.finishUs[call] = finishUs
    return this.#own(this.#enter(depth, { call, host, pid, receiveUs, end }))
  }

  /** Places by number: the first is that of the owner itself. */
  #place(level: Level, code: number): number {
    const reader = this.#reader
    if (code === format.PLACE_SAME) return 0
    if (code >= format.PLACE_KNOWN) {
      const place = code - format.PLACE_KNOWN + 1
      if (place >= level.hosts.length) reader.bad = true
      return place
    }
    const known = code === format.PLACE_OTHER_PID
    level.hosts.push(known ? level.host : this.#text())
    level.pids.push(format.toCount(known ? level.pid + reader.zigzag() : reader.varint()))
    return level.hosts.length - 1
  }

  #enter(depth: number, at: Pick<Level, 'call' | 'host' | 'pid' | 'receiveUs' | 'end'>): Level {
    let level = this.#levels[depth]
    if (level === undefined) {
      level = new Level()
      this.#levels[depth] = level
    }
    level.call = at.call
    level.host = at.host
    level.pid = at.pid
    level.receiveUs = at.receiveUs
    level.end = at.end
    level.met = 0
    level.names.length = 2
    level.names[0] = this.service[at.call]!
    level.names[1] = this.method[at.call]!
    level.hosts.length = 1
    level.hosts[0] = at.host
    level.pids.length = 1
    level.pids[0] = at.pid
    return level
  }

  /** The callee's own record. */
  #own(level: Level): boolean {
    const reader = this.#reader
    const { call, receiveUs } = level
    const flags = reader.byte()
    const odd = format.OWN_BACKWARD | format.OWN_ERROR | format.OWN_FIRST
    if ((flags & odd) !== 0) return false
    this.receiveUs[call] = receiveUs
    this.respondUs[call] = receiveUs + reader.varint()
    this.startUs[call] = (flags & format.OWN_START) === 0 ? NONE : receiveUs + reader.zigzag()
    this.inFlight[call] = (flags & format.OWN_IN_FLIGHT) === 0 ? 1 : format.toCount(reader.varint())
    level.announced = (flags & format.OWN_CALLS) === 0 ? NONE : format.toCount(reader.varint())
    return (flags & format.OWN_EXTENSION) === 0 || this.#extension(call)
  }

  #extension(call: number): boolean {
    const reader = this.#reader
    const length = reader.varint()
    const end = reader.at + length
    if (reader.bad || end > reader.end) return false
    if (length > 0) {
      const flags = reader.byte()
      // An edge, another try and values of arguments are told of a call; who asked and pauses are not.
      const odd = format.OWN_MORE_ATTEMPT | format.OWN_MORE_VALUES | 3
      if ((flags & odd) !== 0) return false
      if ((flags & format.OWN_MORE_FOREIGN) !== 0) reader.skip(24)
      if ((flags & format.OWN_MORE_BUSY) !== 0) reader.byte()
      if ((flags & format.OWN_MORE_VERSION) !== 0) this.version[call] = this.#text()
    }
    if (reader.bad || reader.at > end) return false
    reader.at = end
    return true
  }

  #text(): number {
    const reader = this.#reader
    const size = reader.varint()
    const start = reader.skip(size)
    return reader.bad ? 0 : this.names.of(reader.bytes, start, start + size)
  }

  #name(level: Level, own: number): number {
    const reader = this.#reader
    const code = reader.byte()
    if (code < format.NAME_NEW) {
      const index = code === format.NAME_LONG_INDEX ? code + reader.varint() : code
      const name = level.names[index]
      if (name === undefined) reader.bad = true
      return name ?? 0
    }
    const shared = code - format.NAME_NEW
    const name = shared === 0 ? this.#text() : this.#longer(own, shared)
    level.names.push(name)
    return name
  }

  /** A name that begins as the owner's does. */
  #longer(own: number, shared: number): number {
    const reader = this.#reader
    const size = reader.varint()
    const start = reader.skip(size)
    if (reader.bad || shared > this.names.texts[own]!.length) {
      reader.bad = true
      return 0
    }
    if (shared + size > this.#scratch.length) this.#scratch = new Uint8Array((shared + size) * 2)
    const at = this.names.copy(own, shared, this.#scratch, 0)
    this.#scratch.set(reader.bytes.subarray(start, start + size), at)
    return this.names.of(this.#scratch, 0, at + size)
  }

  #add(parent: number, service: number, method: number, host: number): number {
    const call = this.length++
    if (call >= this.service.length) this.#grow()
    this.parent[call] = parent
    this.service[call] = service
    this.method[call] = method
    this.host[call] = host
    this.version[call] = 0
    return call
  }

  #grow(): void {
    const size = Math.max(1_024, this.service.length * 2)
    const whole = (old: Uint32Array) => {
      const grown = new Uint32Array(size)
      grown.set(old)
      return grown
    }
    const times = (old: Float64Array) => {
      const grown = new Float64Array(size)
      grown.set(old)
      return grown
    }
    const parents = new Int32Array(size)
    parents.set(this.parent)
    this.parent = parents
    this.service = whole(this.service)
    this.method = whole(this.method)
    this.host = whole(this.host)
    this.version = whole(this.version)
    this.inFlight = whole(this.inFlight)
    this.requestUs = times(this.requestUs)
    this.receiveUs = times(this.receiveUs)
    this.startUs = times(this.startUs)
    this.respondUs = times(this.respondUs)
    this.finishUs = times(this.finishUs)
  }
}
