/** Failed attempts that an address has at once, and how fast they come back. */
const MOST_AT_ONCE = 20
const PER_MINUTE = 20
/** Addresses remembered; the one that failed longest ago is forgotten for a new one. */
const MOST_ADDRESSES = 10_000

/**
 * Counts failed attempts by address. Only who fails is slowed down: a token that is right is let in
 * whatever its address did, or else everybody behind one proxy could lock out all others there.
 */
export class Attempts {
  readonly #byAddress = new Map<string, { left: number; atMs: number }>()
  readonly #nowMs: () => number

  /** @param nowMs a clock that is never set back */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs
  }

  /** One more failed. @returns seconds to wait, 0 while it has attempts left */
  failed(address: string): number {
    const key = neighbourhood(address)
    const now = this.#nowMs()
    const before = this.#byAddress.get(key)
    this.#byAddress.delete(key)
    const regained = before === undefined ? 0 : ((now - before.atMs) / 60_000) * PER_MINUTE
    const left = Math.min(MOST_AT_ONCE, (before?.left ?? MOST_AT_ONCE) + regained)
    this.#byAddress.set(key, { left: Math.max(0, left - 1), atMs: now })
    if (this.#byAddress.size > MOST_ADDRESSES) {
      const [oldest] = this.#byAddress.keys()
      this.#byAddress.delete(oldest!)
    }
    return left >= 1 ? 0 : Math.ceil((1 - left) * (60 / PER_MINUTE))
  }

  /** Addresses remembered. */
  get size(): number {
    return this.#byAddress.size
  }
}

/** What one asker is likely to have all of: an IPv4 address, or the first 64 bits of an IPv6 address. */
function neighbourhood(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/iu, '')
  if (!plain.includes(':')) return plain.slice(0, 64)
  const [head = '', tail] = plain.split('%')[0]!.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right]
  return groups
    .slice(0, 4)
    .map((group) => group.slice(0, 4).replace(/^0+(?=.)/u, ''))
    .join(':')
}
