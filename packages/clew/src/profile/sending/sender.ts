import { hostname } from 'node:os'
import { basename } from 'node:path'
import { newHalfId, toError } from '../../call/index.ts'
import {
  encodeBatch,
  encodePacket,
  MAX_BATCH_PACKETS,
  type Packet,
  packetCalls,
  packetHead,
  type Sender as Sending,
} from '../../trace/blocks.ts'
import type { Trace } from '../../trace/index.ts'
import { linesOf } from './lines-of.ts'
import { PacketQueue } from './packet-queue.ts'
import type { Outcome, Road } from './road.ts'
import {
  boundsOf,
  MOST_PACKET_BYTES,
  type SendingBounds,
  type SendingOptions,
} from './sending-options.ts'
import type { DropReason, SendingCounts, SendingSink } from './sending-sink.ts'

const FIRST_BACKOFF_MS = 100
const LONGEST_BACKOFF_MS = 5_000
/** While somebody waits for the end. */
const FLUSHING_BACKOFF_MS = 500
/** However long a collector asks to be left alone. */
const LONGEST_PATIENCE_MS = 60_000

interface Flushing {
  /** How many calls have to be settled. */
  readonly mark: number
  readonly done: () => void
}

/** Sends packets in batches over a road, one batch at a time, each until it is taken. */
export class Sender implements SendingSink {
  readonly #road: Road
  readonly #options: SendingBounds
  readonly #onProblem: (message: string, error?: unknown) => void
  readonly #sending: Sending
  readonly #queue = new PacketQueue()
  readonly #reasons = { buffer_full: 0, too_large: 0, refused: 0, closed: 0 }
  /** The batch under way. */
  #underWay = { bytes: 0, calls: 0 }
  #taken = 0
  #written = 0
  #rejected = 0
  /** Calls were dropped of which the collector has not heard. */
  #owesCounts = false
  #timer: NodeJS.Timeout | undefined
  #running = false
  #failing = false
  #flushing: Flushing[] = []
  /** Ends a pause between two attempts. */
  #wake: (() => void) | undefined
  #closed = false
  /** Closed, and not trying any more. */
  #over = false

  constructor(road: Road, options: SendingOptions) {
    const { name, onProblem } = options
    this.#road = road
    this.#options = boundsOf(options)
    this.#onProblem =
      onProblem ?? ((message) => void process.stderr.write(`clew warn: ${message}\n`))
    this.#sending = {
      name: name ?? basename(process.argv[1] ?? 'node'),
      host: hostname(),
      pid: process.pid,
      instance: newHalfId(),
    }
  }

  get counts(): SendingCounts {
    return {
      taken: this.#taken,
      written: this.#written,
      rejected: this.#rejected,
      dropped: this.#dropped,
      buffered: this.#queue.calls + this.#underWay.calls,
      reasons: { ...this.#reasons },
    }
  }

  get #dropped(): number {
    const { buffer_full, too_large, refused, closed } = this.#reasons
    return buffer_full + too_large + refused + closed
  }

  take(trace: Trace): void {
    this.takePacket(linesOf(trace))
  }

  takePacket(packet: Packet): void {
    const calls = packetCalls(packet)
    this.#taken += calls
    if (this.#closed) {
      this.#drop('closed', calls)
      return
    }
    const bytes = encodePacket(packet)
    const { maxBufferBytes, batchBytes } = this.#options
    if (bytes.length > Math.min(MOST_PACKET_BYTES, maxBufferBytes)) {
      this.#drop('too_large', calls)
      this.#tell(`a trace of ${bytes.length} bytes is larger than a collector takes`)
      return
    }
    const queue = this.#queue
    queue.push(bytes, calls)
    while (queue.bytes + this.#underWay.bytes > maxBufferBytes && queue.length > 0) {
      this.#drop('buffer_full', queue.nextCalls)
      queue.shift()
      this.#tell(`the buffer for ${this.#road.name} is full (${maxBufferBytes} bytes)`)
    }
    if (queue.bytes >= batchBytes) this.#start()
    else this.#startLater()
  }

  /** Tries for `flushMs` at the most; what was not taken by then still waits. */
  async flush(): Promise<void> {
    const { taken, buffered } = this.counts
    if (buffered === 0 && !this.#owesCounts) return
    let timer: NodeJS.Timeout | undefined
    const flushed = new Promise<void>((done) => {
      this.#flushing.push({ mark: taken, done })
      timer = setTimeout(done, this.#options.flushMs)
    })
    this.#start()
    this.#wake?.()
    await flushed
    clearTimeout(timer)
    this.#flushing = this.#flushing.filter(({ mark }) => mark > this.#settled)
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.flush()
    this.#over = true
    clearTimeout(this.#timer)
    this.#wake?.()
    while (this.#queue.length > 0) {
      this.#drop('closed', this.#queue.nextCalls)
      this.#queue.shift()
    }
    const { calls } = this.#underWay
    this.#underWay = { bytes: 0, calls: 0 }
    if (calls > 0) this.#drop('closed', calls)
    this.#road.close()
  }

  /** Calls of which it is known what became of them. */
  get #settled(): number {
    return this.#written + this.#rejected + this.#dropped
  }

  #drop(reason: DropReason, calls: number): void {
    if (calls === 0) return
    this.#reasons[reason] += calls
    // Who refuses what we send is not sent more for it.
    if (reason === 'refused') return
    this.#owesCounts = true
    this.#startLater()
  }

  #startLater(): void {
    if (this.#running || this.#over) return
    this.#timer ??= setTimeout(() => this.#start(), this.#options.batchMs).unref()
  }

  #start(): void {
    if (this.#running || this.#over) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#running = true
    // Not within the call that brought the last packet.
    setImmediate(() => void this.#run())
  }

  async #run(): Promise<void> {
    do await this.#sendNext()
    while (!this.#over && this.#isDue)
    this.#running = false
    this.#tellFlushed()
    if (this.#queue.length > 0 || this.#owesCounts) this.#startLater()
  }

  /** Whether the next batch goes at once. */
  get #isDue(): boolean {
    const { bytes, length } = this.#queue
    if (bytes >= this.#options.batchBytes) return true
    return this.#flushing.length > 0 && (length > 0 || this.#owesCounts)
  }

  #tellFlushed(): void {
    if (this.#flushing.length === 0) return
    const settled = this.#settled
    for (const { mark, done } of this.#flushing) if (mark <= settled) done()
    this.#flushing = this.#flushing.filter(({ mark }) => mark > settled)
  }

  async #sendNext(): Promise<void> {
    const queue = this.#queue
    const packets: Uint8Array[] = []
    const { calls, bytes } = queue
    do {
      const packet = queue.shift()
      if (packet !== undefined) packets.push(packet)
    } while (
      queue.length > 0 &&
      packets.length < MAX_BATCH_PACKETS &&
      bytes - queue.bytes + queue.nextBytes <= this.#options.batchBytes
    )
    if (packets.length === 0 && !this.#owesCounts) return
    this.#underWay = { bytes: bytes - queue.bytes, calls: calls - queue.calls }
    await this.#deliver(packets, this.#underWay.calls)
    this.#underWay = { bytes: 0, calls: 0 }
  }

  /** Until they are taken, refused, or nobody tries any more. */
  async #deliver(packets: readonly Uint8Array[], calls: number): Promise<void> {
    const batch = this.#batchOf(packets)
    for (let attempt = 0; !this.#over; attempt++) {
      const outcome = await this.#road.send(batch, this.#options.timeoutMs).catch(failed)
      if (this.#over) return
      if (outcome.kind === 'later') {
        this.#tell(`${this.#road.name} takes nothing: ${outcome.why}`)
        await this.#pause(attempt, outcome.afterMs)
      } else if (outcome.kind === 'refused' && outcome.tooLarge === true && packets.length > 1) {
        // Some proxies take less than a collector would.
        const half = packets.length >> 1
        const first = Math.min(calls, callsIn(packets.slice(0, half)))
        await this.#deliver(packets.slice(0, half), first)
        await this.#deliver(packets.slice(half), calls - first)
        return
      } else {
        this.#settle(outcome, calls)
        return
      }
    }
  }

  #batchOf(packets: readonly Uint8Array[]): Uint8Array {
    this.#owesCounts = false
    const told = Object.entries(this.#reasons).filter(([, calls]) => calls > 0)
    return encodeBatch({
      id: newHalfId() + newHalfId(),
      sender: this.#sending,
      taken: this.#taken,
      dropped: Object.fromEntries(told),
      packets,
    })
  }

  #settle(outcome: Exclude<Outcome, { kind: 'later' }>, calls: number): void {
    const { bytes, calls: underWay } = this.#underWay
    this.#underWay = { bytes, calls: underWay - calls }
    if (outcome.kind === 'taken') {
      const stored = Math.min(calls, Math.max(0, outcome.stored ?? calls))
      this.#written += stored
      this.#rejected += calls - stored
      this.#failing = false
    } else {
      this.#drop(outcome.tooLarge === true ? 'too_large' : 'refused', calls)
      this.#tell(`${this.#road.name} refuses what it is sent: ${outcome.why}`)
    }
    this.#tellFlushed()
  }

  /** Longer each time, and never all senders at once. */
  async #pause(attempt: number, atLeastMs = 0): Promise<void> {
    const longest = this.#flushing.length > 0 ? FLUSHING_BACKOFF_MS : LONGEST_BACKOFF_MS
    const backoffMs = Math.min(longest, FIRST_BACKOFF_MS * 2 ** Math.min(attempt, 16))
    const jittered = backoffMs * (0.5 + Math.random() / 2)
    const ms = Math.max(jittered, Math.min(atLeastMs, LONGEST_PATIENCE_MS))
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      timer = setTimeout(resolve, ms).unref()
    })
    clearTimeout(timer)
    this.#wake = undefined
  }

  #tell(what: string, error?: unknown): void {
    if (this.#failing) return
    this.#failing = true
    const { maxBufferBytes } = this.#options
    const message = `${what}; at most ${maxBufferBytes} bytes of traces wait, what does not fit or is refused is dropped and counted. No call is affected.`
    try {
      this.#onProblem(message, error)
    } catch {
      // A listener's failure is no reason to lose more.
    }
  }
}

function callsIn(packets: readonly Uint8Array[]): number {
  return packets.reduce((calls, packet) => calls + (packetHead(packet)?.calls ?? 0), 0)
}

const failed = (error: unknown): Outcome => ({ kind: 'later', why: toError(error).message })
