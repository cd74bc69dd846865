/** By which road a batch came. */
export type RoadName = 'http' | 'broker' | 'otlp'

/** What a batch says of its sender, and what became of what is in it: calls. */
export interface BatchAccount {
  /** 16 hex digits; of one sink from its start to its end. */
  readonly instance: string
  readonly name: string
  readonly host: string
  readonly pid: number
  readonly road: RoadName
  /** Calls that the sink was given since it began; 0 where senders do not tell. */
  readonly taken: number
  /** Of those, what it dropped since it began, by reason. */
  readonly dropped: Readonly<Record<string, number>>
  /** Of this batch. */
  readonly stored: number
  readonly rejected: Readonly<Record<string, number>>
}

/**
 * What became of all that one sender was given. Once it has ended well,
 * `taken = stored + rejected + dropped`, exactly; before, the rest is under way.
 */
export interface SenderAccount {
  readonly instance: string
  readonly name: string
  readonly host: string
  readonly pid: number
  readonly road: RoadName
  readonly batches: number
  readonly firstMs: number
  readonly lastMs: number
  readonly taken: number
  readonly stored: number
  readonly rejected: Readonly<Record<string, number>>
  readonly dropped: Readonly<Record<string, number>>
}

/** Senders that are told, those heard of last. */
export const MOST_SENDERS = 10_000

export const sumOf = (counts: Readonly<Record<string, number>>) =>
  Object.values(counts).reduce((sum, count) => sum + count, 0)

/** Calls that were given to a sender, and of which it is not known what became of them. */
export const underWay = ({ taken, stored, rejected, dropped }: SenderAccount) =>
  Math.max(0, taken - stored - sumOf(rejected) - sumOf(dropped))

/** A sender's account with one more batch in it. */
export function withBatch(
  before: SenderAccount | undefined,
  batch: BatchAccount,
  now: number,
): SenderAccount {
  const { stored, taken, rejected, dropped, ...sender } = batch
  const all = {
    stored: (before?.stored ?? 0) + stored,
    rejected: added(before?.rejected ?? {}, rejected),
  }
  return {
    ...{ ...sender, ...all, batches: (before?.batches ?? 0) + 1 },
    ...{ firstMs: before?.firstMs ?? now, lastMs: now },
    // Whoever does not tell what it was given, gave what came.
    taken:
      batch.road === 'otlp'
        ? all.stored + sumOf(all.rejected)
        : Math.max(before?.taken ?? 0, taken),
    dropped: before !== undefined && before.taken > taken ? before.dropped : dropped,
  }
}

function added(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const sum: Record<string, number> = { ...a }
  for (const [reason, count] of Object.entries(b)) sum[reason] = (sum[reason] ?? 0) + count
  return sum
}
