import type { Filter } from '../filter/filter.ts'
import type { BatchAccount, SenderAccount } from './accounts.ts'
import type { CallStatisticsRow, LinkRow, PartRow, RequestRow, TimeBucket } from './answers.ts'
import type { TraceRow, TraceSummary } from './summary.ts'

/** A packet (`clew/trace/blocks`) as it is kept. */
export interface StoredPacket {
  readonly tenant: string
  /** 32 hex digits. */
  readonly traceId: string
  /** When it came, milliseconds since 1970. */
  readonly arrivedMs: number
  readonly bytes: Uint8Array
}

/** Packets that become durable together, or not at all. */
export interface StoredBatch {
  /** 32 hex digits, by which a batch that is sent again is known. */
  readonly id: string
  readonly packets: readonly StoredPacket[]
  /** Whose it is, and what it says of its sender. */
  readonly tenant?: string | undefined
  readonly account?: BatchAccount | undefined
}

/** A stretch of time, by the beginning of traces: milliseconds since 1970. */
export interface Period {
  /** The first moment in it. */
  readonly fromMs: number
  /** The first moment after it. */
  readonly toMs: number
}

/** Which traces are asked about. */
export interface Question {
  readonly tenant: string
  readonly period: Period
  readonly filter: Filter
}

/** Bounds of the work that one question may cause. Beyond them a store throws {@link StoreError}. */
export interface Effort {
  /** Ends the work: the store stops as soon as it can, and the promise rejects. */
  readonly signal?: AbortSignal | undefined
  /** @default 10,000 */
  readonly timeoutMs?: number | undefined
}

export interface FindQuestion extends Question {
  /**
   * `sample`: any, evenly over time and processes, the same again and again; such have no next page.
   * @default 'newest'
   */
  readonly order?: 'newest' | 'slowest' | 'sample' | undefined
  /** From 1 to 10,000. */
  readonly limit: number
  /** Of the page before, as it told; foreign. */
  readonly cursor?: string | undefined
}

export interface FoundTraces {
  readonly traces: readonly TraceRow[]
  /** Asks for the next page; undefined when there is none. */
  readonly cursor: string | undefined
}

/** How many traces there are, and for how many they stand. */
export interface CountedTraces {
  readonly traces: number
  readonly weight: number
}

export interface StoredBreakdown {
  readonly requests: readonly RequestRow[]
  readonly parts: readonly PartRow[]
}

export type NamedField = 'service' | 'method' | 'host' | 'type'

export interface ExpiryBounds {
  /** Milliseconds since 1970. */
  readonly beforeMs?: number | undefined
  readonly maxBytes?: number | undefined
}

/** What is kept. */
export interface StoreUsage {
  readonly traces: number
  readonly calls: number
  /** On the disk; of one tenant, those of its packets as they came. */
  readonly bytes: number
  readonly oldestMs: number | undefined
  readonly newestMs: number | undefined
}

/** How a store came back from what had happened to it. */
export interface StoreHealth {
  readonly writable: boolean
  /** Why it is not, for people. */
  readonly reason: string | undefined
  /** What was found damaged when it started, for people; nothing where all was well. */
  readonly damage: readonly string[]
  /** Of its disk, and what of that is never used; absent where it is not on one of this machine. */
  readonly room?: { readonly freeBytes: number; readonly reservedBytes: number } | undefined
}

/**
 * Keeps packets, and summaries by which they are found. Whatever engine is behind it passes
 * `contract.ts`. Everything is by tenant: no answer ever holds what is another's.
 */
export interface TraceStore {
  /**
   * Keeps packets: durable when it resolves. A batch of an id that was kept before is not kept again.
   * @returns ids of the batches that were there before
   * @throws StoreError `full`, `failed`: nothing of these batches is kept, they may be sent again
   */
  append(batches: readonly StoredBatch[]): Promise<ReadonlySet<string>>
  /**
   * Keeps what was made of traces. A summary takes the place of the one that is there of the same
   * trace, in every figure too; it may be given again.
   */
  settle(summaries: readonly TraceSummary[]): Promise<void>
  /**
   * Of these traces, those that have a summary. Keys are of {@link traceKey}.
   * @param near when they began, about: a summary from outside it may not be found
   */
  settled(traces: readonly TraceKey[], near?: Period): Promise<ReadonlySet<string>>
  /**
   * Traces that came within the last hour and have packets that no summary counts, or more than one
   * summary: what a crash left, or two collectors that settled at once.
   */
  unsettled(): Promise<readonly TraceKey[]>
  /** All packets of these traces, oldest first, by their keys. */
  packets(
    traces: readonly TraceKey[],
    effort?: Effort,
  ): Promise<ReadonlyMap<string, readonly Uint8Array[]>>
  /** Ids of a tenant's traces that begin, or end, with these hex digits, at most `limit`. */
  idsWith(tenant: string, digits: string, limit: number): Promise<readonly string[]>
  /** @throws StoreError `cursor` for a cursor that is none of its own */
  find(question: FindQuestion, effort?: Effort): Promise<FoundTraces>
  /** Traces that match: how many there are, and for how many they stand. */
  count(question: Question, effort?: Effort): Promise<CountedTraces>
  /** Rate, errors and durations of each service and method, of calls that match. */
  statistics(question: Question, effort?: Effort): Promise<readonly CallStatisticsRow[]>
  /** Kinds of request, and where the time of each goes by service and layer. */
  breakdown(question: Question, effort?: Effort): Promise<StoredBreakdown>
  /** Who calls whom. */
  links(question: Question, effort?: Effort): Promise<readonly LinkRow[]>
  /** Requests over time, in at most 1,000 buckets of equal width. */
  timeline(question: Question, bucketMs: number, effort?: Effort): Promise<readonly TimeBucket[]>
  /** Names that occur, most frequent first: for completion and menus. */
  names(
    tenant: string,
    field: NamedField,
    period: Period,
    limit: number,
  ): Promise<readonly string[]>
  /** Deletes traces; gone from the disk when it resolves. @returns how many there were */
  remove(tenant: string, traceIds: readonly string[]): Promise<number>
  /** Deletes everything of a tenant, figures included; gone from the disk when it resolves. */
  removeTenant(tenant: string): Promise<void>
  /** Deletes what began before, then the oldest until no more than `maxBytes` are left. @returns traces deleted */
  expire(bounds: ExpiryBounds): Promise<number>
  /** What became of all that senders of a tenant were given; of batches that said so. */
  accounts(tenant: string): Promise<readonly SenderAccount[]>
  usage(tenant?: string): Promise<StoreUsage>
  health(): StoreHealth
  /** Lets go of everything; what is durable stays. */
  close(): Promise<void>
}

export interface TraceKey {
  readonly tenant: string
  readonly traceId: string
}

/** One text for a trace of a tenant. */
export const traceKey = ({ tenant, traceId }: TraceKey) => `${traceId} ${tenant}`
