/** What is remembered of a grant until it expires. */
interface Seen {
  left: number
  /** Calls it was used for: a request that the broker delivers again uses nothing. Mostly one. */
  readonly call: string | undefined
  others: Set<string> | undefined
}

const BUCKET_SECONDS = 60
/** Ids of calls kept of one grant; those of later calls are counted only. */
const MOST_CALLS = 1024

/**
 * Counts the uses of grants until they expire. Bounded: when it is full, grants not seen before are
 * refused. Forgetting older ones instead would let whoever floods it replay them.
 */
export class ReplayCache {
  readonly #limit: number
  /** By the minute in which grants expire, so that what is over goes away without a search. */
  readonly #buckets = new Map<number, Map<string, Seen>>()
  #size = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#size
  }

  /** Uses a grant once more. `again` is true when the broker says that it had delivered the call before. */
  use(
    grant: { readonly key: string; readonly uses: number; readonly untilSeconds: number },
    nowSeconds: number,
    call?: { readonly id: string; readonly again: boolean },
  ): 'used' | 'used up' | 'full' {
    const bucket = Math.floor(grant.untilSeconds / BUCKET_SECONDS)
    const seen = this.#buckets.get(bucket)?.get(grant.key)
    if (seen !== undefined) {
      if (call?.again === true && isKnown(seen, call.id)) return 'used'
      if (seen.left <= 0) return 'used up'
      seen.left--
      if (call !== undefined) remember(seen, call.id)
      return 'used'
    }
    this.#forget(nowSeconds)
    if (this.#size >= this.#limit) return 'full'
    const first: Seen = { left: grant.uses - 1, call: call?.id, others: undefined }
    const entries = this.#buckets.get(bucket)
    if (entries === undefined) this.#buckets.set(bucket, new Map([[grant.key, first]]))
    else entries.set(grant.key, first)
    this.#size++
    return 'used'
  }

  #forget(nowSeconds: number): void {
    const current = Math.floor(nowSeconds / BUCKET_SECONDS)
    for (const [bucket, entries] of this.#buckets) {
      if (bucket >= current) continue
      this.#buckets.delete(bucket)
      this.#size -= entries.size
    }
  }
}

function isKnown(seen: Seen, call: string): boolean {
  return seen.call === call || seen.others?.has(call) === true
}

function remember(seen: Seen, call: string): void {
  seen.others ??= new Set()
  if (seen.others.size < MOST_CALLS) seen.others.add(call)
}
