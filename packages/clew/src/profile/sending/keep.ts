import { type CollectQueue, ConfigError } from '../../call/index.ts'
import { isUneven, lookAtPacket, type Packet, packetCalls } from '../../trace/blocks.ts'
import { callTree, stragglers, type Trace } from '../../trace/index.ts'
import type { Sink, SinkCounts } from '../sink.ts'
import { givePacket, readPacketAlone } from '../taker.ts'
import { linesOf } from './lines-of.ts'
import { Pace } from './pace.ts'

export interface KeepRules {
  /** Traces in which a call was refused, failed, timed out or got lost. @default true */
  readonly errors?: boolean | undefined
  /**
   * Traces of the slowest share of requests of their kind, against a percentile that follows the load:
   * 0.01 are those above the 99th. 0 for none.
   * @default 0.01
   */
  readonly slowest?: number | undefined
  /**
   * Traces in which a call took much longer than its siblings and the answer waited for it. Only what
   * looks like it is read; traces of more than 1,000 calls are kept by their looks.
   * @default true
   */
  readonly stragglers?: boolean | undefined
  /** How much of everything else, from 0 to 1, by the trace's id. @default 0.1 */
  readonly share?: number | undefined
}

/** Why a trace was kept, or that it was left out. */
export type Verdict = 'errors' | 'slowest' | 'stragglers' | 'share' | 'leftOut'

/** A sink that passes on what is worth it. */
export interface KeepingSink extends Sink {
  takePacket(packet: Packet): void
  /** Traces by what was decided of them; each is counted once, whatever comes late. */
  readonly decided: Readonly<Record<Verdict, number>>
  /** What became of those that were kept. */
  readonly counts: SinkCounts
}

/** Ids of traces that a rule has kept, so that what comes late follows them. */
const MOST_REMEMBERED = 16_384
/** Larger traces are not read for their stragglers. */
const MOST_READ_CALLS = 1_000

/**
 * Decides when a trace is there, and not before, whether it is kept: what went wrong or was slow
 * always, of the rest a share. Those that were drawn stand for those that were not: their packets say
 * for how many (weight, 1 / share), so that a collector's counts, rates and quantiles are those of all
 * traces. With a share of 0 they are those of what the rules keep. Files do not keep weights.
 * @throws ConfigError for a share that is none
 */
export function keep(rules: KeepRules, sink: Sink): KeepingSink {
  const { errors = true, slowest = 0.01, stragglers = true, share = 0.1 } = rules
  for (const [rule, value] of Object.entries({ slowest, share })) {
    if (typeof value === 'number' && value >= 0 && value <= 1) continue
    throw new ConfigError(`keep: ${rule} must be a number from 0 to 1; got ${String(value)}.`)
  }
  return new Keeping({ errors, slowest, stragglers, share }, sink)
}

/** Rules, each given. */
type Rules = { readonly [Rule in keyof KeepRules]-?: NonNullable<KeepRules[Rule]> }

class Keeping implements KeepingSink {
  readonly #rules: Rules
  readonly #sink: Sink
  readonly #pace: Pace
  /** Of late those kept by a rule; the others are found by their id. */
  readonly #kept = new Set<string>()
  readonly decided = { errors: 0, slowest: 0, stragglers: 0, share: 0, leftOut: 0 }

  constructor(rules: Rules, sink: Sink) {
    this.#rules = rules
    this.#sink = sink
    this.#pace = new Pace(rules.slowest, () => performance.now())
  }

  get counts(): SinkCounts {
    return this.#sink.counts
  }

  takePacket(packet: Packet): void {
    const { traceId } = packet
    const look = lookAtPacket(packet)
    if (!look.first) {
      const verdict = this.#kept.has(traceId) ? 'errors' : this.#drawn(traceId)
      this.#pass(packet, verdict)
      return
    }
    const { service, method, failed, tookUs } = look
    const slow = this.#isSlow(`${service} ${method}`, tookUs)
    const verdict = this.#judge(traceId, failed, slow, () => hasStraggler(packet))
    this.#pass(packet, verdict)
  }

  take(trace: Trace): void {
    const tree = callTree(trace)
    const { service, method, totalMs, handleMs } = tree.root
    const tookMs = totalMs ?? handleMs
    const failed = trace.entries.some(({ status }) => FAILED.has(status))
    const slow = this.#isSlow(`${service} ${method}`, tookMs && tookMs * 1000)
    const verdict = this.#judge(trace.id, failed, slow, () => stragglers(tree).length > 0)
    if (verdict === 'leftOut') return
    if (this.#sink.takePacket === undefined) this.#sink.take(trace)
    else this.#pass(linesOf(trace), verdict)
  }

  #judge(traceId: string, failed: boolean, slow: boolean, straggles: () => boolean): Verdict {
    const verdict = this.#rule(failed, slow, straggles) ?? this.#drawn(traceId)
    this.decided[verdict]++
    if (verdict !== 'share' && verdict !== 'leftOut') this.#remember(traceId)
    return verdict
  }

  #rule(failed: boolean, slow: boolean, straggles: () => boolean): Verdict | undefined {
    if (failed && this.#rules.errors) return 'errors'
    if (slow) return 'slowest'
    return this.#rules.stragglers && straggles() ? 'stragglers' : undefined
  }

  /** Known of every request, kept or not, or the percentile would be that of the slow ones. */
  #isSlow(kind: string, tookUs: number | undefined): boolean {
    if (tookUs === undefined || this.#rules.slowest === 0) return false
    return this.#pace.isSlow(kind, tookUs / 1000)
  }

  #drawn(traceId: string): Verdict {
    return placeOf(traceId) < this.#rules.share ? 'share' : 'leftOut'
  }

  #remember(traceId: string): void {
    if (this.#kept.size >= MOST_REMEMBERED) {
      const [oldest] = this.#kept
      this.#kept.delete(oldest!)
    }
    this.#kept.add(traceId)
  }

  #pass(packet: Packet, verdict: Verdict): void {
    if (verdict === 'leftOut') return
    const weight = verdict === 'share' ? 1 / this.#rules.share : 1
    givePacket(this.#sink, weight === 1 ? packet : { ...packet, weight })
  }

  useQueue(queue: CollectQueue): () => void {
    return this.#sink.useQueue?.(queue) ?? (() => {})
  }

  flush(): Promise<void> {
    return this.#sink.flush()
  }

  close(): Promise<void> {
    return this.#sink.close()
  }
}

const FAILED: ReadonlySet<unknown> = new Set(['error', 'rejected', 'timeout', 'lost'])

function hasStraggler(packet: Packet): boolean {
  const { root, pieces } = packet
  const uneven = (root?.block !== undefined && isUneven(root.block)) || pieces.some(isUneven)
  if (!uneven || packetCalls(packet) > MOST_READ_CALLS) return uneven
  const trace = readPacketAlone(packet)
  return trace !== undefined && stragglers(callTree(trace)).length > 0
}

/**
 * From 0 to 1, evenly, the same for a trace in every process: FNV-1a of the id's text, then murmur3's
 * finish, without which ids that differ in their last digits would lie beside each other.
 */
function placeOf(traceId: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < traceId.length; index++) {
    hash = Math.imul(hash ^ traceId.charCodeAt(index), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}
