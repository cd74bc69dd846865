/** What is remembered of a grant until it expires. */
interface Seen {
  left: number
  /** Calls it was used for: a request that the broker delivers again uses nothing. Mostly one. */
  readonly call: string | undefined
  others: Set<string> | undefined
}

/** The grants that expire within one minute. */
interface Bucket {
  readonly grants: Map<string, Seen>
  /** How many further calls are remembered of them. */
  calls: number
}

const BUCKET_SECONDS = 60
/** Further calls remembered of one grant; those of later ones are counted only. */
const MOST_CALLS = 1024

/**
 * Counts the uses of grants until they expire. Bounded: when it is full, grants not seen before are
 * refused. Forgetting older ones instead would let whoever floods it replay them.
 */
export class ReplayCache {
  readonly #limit: number
  /** By the minute in which grants expire, so that what is over goes away without a search. */
  readonly #buckets = new Map<number, Bucket>()
  #size = 0
  #calls = 0

  /** @param limit grants remembered, and further calls of all of them together */
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
    const minute = Math.floor(grant.untilSeconds / BUCKET_SECONDS)
    const known = this.#buckets.get(minute)
    const seen = known?.grants.get(grant.key)
    if (known !== undefined && seen !== undefined) {
      if (call?.again === true && isKnown(seen, call.id)) return 'used'
      if (seen.left <= 0) return 'used up'
      seen.left--
      if (call !== undefined) this.#remember(known, seen, call.id)
      return 'used'
    }
    this.#forget(nowSeconds)
    if (this.#size >= this.#limit) return 'full'
    const bucket = this.#buckets.get(minute) ?? { grants: new Map(), calls: 0 }
    this.#buckets.set(minute, bucket)
    bucket.grants.set(grant.key, { left: grant.uses - 1, call: call?.id, others: undefined })
    this.#size++
    return 'used'
  }

  #remember(bucket: Bucket, seen: Seen, call: string): void {
    seen.others ??= new Set()
    if (seen.others.size >= MOST_CALLS || this.#calls >= this.#limit) return
    seen.others.add(call)
    bucket.calls++
    this.#calls++
  }

  #forget(nowSeconds: number): void {
    const current = Math.floor(nowSeconds / BUCKET_SECONDS)
    for (const [minute, { grants, calls }] of this.#buckets) {
      if (minute >= current) continue
      this.#buckets.delete(minute)
      this.#size -= grants.size
      this.#calls -= calls
    }
  }
}

function isKnown(seen: Seen, call: string): boolean {
  return seen.call === call || seen.others?.has(call) === true
}
