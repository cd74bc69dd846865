import { createHash, randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { openRecaller, type Recaller } from 'clew/profile'
import {
  encodeBatch,
  encodePacket,
  type Packet,
  packetCalls,
  packetHead,
  type Sender,
} from 'clew/trace/blocks'
import type { Intake } from '../ingest/intake.ts'
import type { TraceSummary } from '../store/summary.ts'

export interface RecallsOptions {
  /** Of a connection to the services' broker. */
  readonly mailbox: Parameters<typeof openRecaller>[0]
  /** Whose services they are. */
  readonly tenant: string
  readonly intake: Intake
  /** When it is asked for a trace after it was settled. Milliseconds. @default [1000, 10000] */
  readonly afterMs?: readonly number[] | undefined
  readonly onProblem?: ((error: unknown) => void) | undefined
}

/** What came of a recall. */
export interface RecallOutcome {
  /** False when no service listens at the broker. */
  readonly heard: boolean
  /** Answers, and calls recorded in them, that had not come before. */
  readonly answers: number
  readonly calls: number
}

/** Questions go out at most five times a second, each for at most a hundred traces. */
const EVERY_MS = 200
const MOST_TOGETHER = 100
/** Traces that wait to be asked for, and of which is known what came; beyond, new ones are left out, old ones forgotten. */
const MOST_WAITING = 10_000
const MOST_KNOWN = 10_000
/** Of older traces nobody knows anything any more. */
const OLDEST_MS = 5 * 60_000
/** Answers are kept together for so long, and so many bytes of them at most. */
const GATHER_MS = 100
const MOST_GATHERED = 4 * 1024 * 1024
/** Of one trace: answers, by which hostile processes are bounded too. */
const MOST_ANSWERS = 1_000
const TRIES = 3
/** On demand: the longest wait, and how long it is quiet when nothing more is expected. */
const LONGEST_MS = 2_000
const QUIET_MS = 400
const LOST = new Set(['timeout', 'lost'])

interface Known {
  readonly came: Set<string>
  answers: number
  calls: number
  lastMs: number
}

/**
 * Asks the services of one broker for what they know of traces that lost something: once, and once
 * more later. What they answer goes the way of everything that is sent.
 */
export class Recalls implements AsyncDisposable {
  readonly tenant: string
  /** Traces that were asked for, and those that were not because too many were waiting. */
  asked = 0
  leftOut = 0
  /** Calls that came and could not be kept. */
  dropped = 0
  readonly #intake: Intake
  readonly #afterMs: readonly number[]
  readonly #onProblem: ((error: unknown) => void) | undefined
  readonly #sender: Sender
  #recaller: Recaller | undefined
  /** One queue for each time that a trace is asked for: in each, the first is due first. */
  readonly #queues: { readonly traceId: string; readonly atMs: number }[][]
  readonly #known = new Map<string, Known>()
  readonly #timer: NodeJS.Timeout
  #gathered: Uint8Array[] = []
  #bytes = 0
  #taken = 0
  #flushing: Promise<void> | undefined

  private constructor({ tenant, intake, afterMs = [1_000, 10_000], onProblem }: RecallsOptions) {
    this.tenant = tenant
    this.#intake = intake
    this.#afterMs = afterMs
    this.#onProblem = onProblem
    this.#queues = afterMs.map(() => [])
    const instance = randomBytes(8).toString('hex')
    this.#sender = { name: 'recall', host: hostname(), pid: process.pid, instance }
    this.#timer = setInterval(() => void this.#askDue(), EVERY_MS).unref()
  }

  /** @throws Error when the box for answers cannot be opened */
  static async open(options: RecallsOptions): Promise<Recalls> {
    const recalls = new Recalls(options)
    try {
      recalls.#recaller = await openRecaller(options.mailbox, (packet) => recalls.#take(packet))
      return recalls
    } catch (error) {
      clearInterval(recalls.#timer)
      throw error
    }
  }

  /** Takes what was settled; of what lost something more is asked for, once. */
  settled(summaries: readonly TraceSummary[]): void {
    const now = Date.now()
    for (const summary of summaries) {
      const { traceId, startUs } = summary.row
      if (summary.tenant !== this.tenant || this.#known.has(traceId)) continue
      if (now - startUs / 1000 > OLDEST_MS || !isLossy(summary)) continue
      if (this.#queues[0]!.length >= MOST_WAITING) {
        this.leftOut++
        continue
      }
      this.#knownOf(traceId)
      for (const [index, afterMs] of this.#afterMs.entries()) {
        this.#queues[index]!.push({ traceId, atMs: now + afterMs })
      }
    }
  }

  /** Asks for a trace now, and waits until no more answers come; they are durable then. */
  async recall(traceId: string, signal?: AbortSignal): Promise<RecallOutcome> {
    const known = this.#knownOf(traceId)
    const before = { answers: known.answers, calls: known.calls }
    const begun = performance.now()
    const heard = (await this.#recaller?.ask([traceId])) ?? false
    this.asked++
    while (heard && performance.now() - begun < LONGEST_MS) {
      await delay(50, undefined, { signal })
      if (known.lastMs > begun && performance.now() - known.lastMs >= QUIET_MS) break
    }
    await this.#flush()
    return {
      heard,
      answers: known.answers - before.answers,
      calls: known.calls - before.calls,
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#recaller?.[Symbol.asyncDispose]()
    await this.#flush()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #askDue(): Promise<void> {
    const now = Date.now()
    const due = new Set<string>()
    for (const queue of this.#queues) {
      while (due.size < MOST_TOGETHER && queue[0] !== undefined && queue[0].atMs <= now) {
        due.add(queue.shift()!.traceId)
      }
    }
    if (due.size === 0) return
    this.asked += due.size
    await this.#recaller?.ask([...due])
  }

  #knownOf(traceId: string): Known {
    const before = this.#known.get(traceId)
    if (before !== undefined) return before
    const known: Known = { came: new Set(), answers: 0, calls: 0, lastMs: 0 }
    this.#known.set(traceId, known)
    if (this.#known.size > MOST_KNOWN) this.#known.delete(this.#known.keys().next().value!)
    return known
  }

  #take(packet: Packet): void {
    const known = this.#known.get(packet.traceId)
    if (known === undefined) return
    known.lastMs = performance.now()
    const isNew = (bytes: Uint8Array) => {
      const hash = createHash('sha1').update(bytes).digest('base64')
      if (known.came.has(hash) || known.came.size >= MOST_ANSWERS) return false
      known.came.add(hash)
      return true
    }
    const { traceId, root } = packet
    const pieces = packet.pieces.filter(isNew)
    const alone = root && encodePacket({ traceId, root, pieces: [], ended: false })
    const kept: Packet = {
      ...{ traceId, pieces, ended: false },
      root: alone !== undefined && isNew(alone) ? root : undefined,
    }
    if (pieces.length === 0 && kept.root === undefined) return
    const bytes = encodePacket(kept)
    const calls = packetCalls(kept)
    known.answers++
    known.calls += calls
    if (this.#bytes + bytes.length > MOST_GATHERED) {
      this.dropped += calls
      return
    }
    this.#gathered.push(bytes)
    this.#bytes += bytes.length
    if (this.#gathered.length === 1) setTimeout(() => void this.#flush(), GATHER_MS).unref()
  }

  /** Makes durable what has come. Never rejects: what cannot be kept is counted and told. */
  async #flush(): Promise<void> {
    while (this.#flushing !== undefined) await this.#flushing
    if (this.#gathered.length === 0) return
    this.#flushing = this.#keep(this.#gathered.splice(0)).finally(() => {
      this.#flushing = undefined
    })
    this.#bytes = 0
    await this.#flushing
  }

  async #keep(packets: readonly Uint8Array[]): Promise<void> {
    const calls = packets.reduce((sum, bytes) => sum + (packetHead(bytes)?.calls ?? 0), 0)
    this.#taken += calls
    const id = randomBytes(16).toString('hex')
    const dropped = this.dropped === 0 ? {} : { buffer_full: this.dropped }
    const taken = this.#taken + this.dropped
    const batch = encodeBatch({ id, sender: this.#sender, taken, dropped, packets })
    for (let tried = 1; ; tried++) {
      try {
        await this.#intake.take(this.tenant, batch, 'broker')
        return
      } catch (error) {
        if (tried < TRIES) await delay(tried * 500)
        else {
          this.#onProblem?.(error)
          this.#taken -= calls
          this.dropped += calls
          return
        }
      }
    }
  }
}

/** Somebody waited in vain, or calls are known to be missing. */
function isLossy({ row, calls }: TraceSummary): boolean {
  if (row.source !== undefined) return false
  return (
    row.missingCalls > 0 || LOST.has(row.status) || calls.some(({ status }) => LOST.has(status))
  )
}
