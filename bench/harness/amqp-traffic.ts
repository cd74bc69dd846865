/** What has passed in one direction. Heartbeats, which come by the clock, and the greeting do not count. */
export interface Traffic {
  readonly frames: number
  readonly bytes: number
  /** How often each method came, by class and method as AMQP numbers them: `60.40`. */
  readonly methods: Readonly<Record<string, number>>
}

/** AMQP's numbers of what carries a message. */
export const PUBLISH = '60.40'
export const DELIVER = '60.60'

const METHOD = 1
const HEARTBEAT = 8
/** Type, channel, size of the payload; behind it the mark of the end. */
const HEAD_BYTES = 7
const AROUND_BYTES = HEAD_BYTES + 1
/** Of a frame's beginning, what says which method it is. */
const LOOKED_AT = HEAD_BYTES + 4
const GREETING_BYTES = 8

/** Counts the AMQP frames of one direction of one connection, however the network cuts them. */
export class FrameCounter {
  #frames = 0
  #bytes = 0
  readonly #methods: Record<string, number> = {}
  /** Bytes of the frame under way that are still to come, once its head is known. */
  #left: number
  readonly #head = Buffer.alloc(LOOKED_AT)
  #headBytes = 0

  /** @param greeted the direction begins with the client's greeting, which is no frame */
  constructor(greeted: boolean) {
    this.#left = greeted ? GREETING_BYTES : 0
  }

  get traffic(): Traffic {
    return { frames: this.#frames, bytes: this.#bytes, methods: { ...this.#methods } }
  }

  take(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, chunk.length - at)
        this.#left -= skipped
        at += skipped
        continue
      }
      const copied = Math.min(this.#wanted - this.#headBytes, chunk.length - at)
      chunk.copy(this.#head, this.#headBytes, at, at + copied)
      this.#headBytes += copied
      at += copied
      if (this.#headBytes === this.#wanted) this.#frame()
    }
  }

  /** How much of the frame under way must be seen: its head, and which method it is where it is one. */
  get #wanted(): number {
    return this.#headBytes >= HEAD_BYTES && this.#head[0] === METHOD ? LOOKED_AT : HEAD_BYTES
  }

  #frame(): void {
    const type = this.#head[0]
    const size = this.#head.readUInt32BE(3)
    this.#left = size + AROUND_BYTES - this.#headBytes
    this.#headBytes = 0
    if (type === HEARTBEAT) return
    this.#frames++
    this.#bytes += size + AROUND_BYTES
    if (type !== METHOD) return
    const method = `${this.#head.readUInt16BE(7)}.${this.#head.readUInt16BE(9)}`
    this.#methods[method] = (this.#methods[method] ?? 0) + 1
  }
}

/** Traffic of both, added up. */
export function together(one: Traffic, other: Traffic): Traffic {
  return combined(one, other, 1)
}

/** What has come since an earlier look. */
export function since(now: Traffic, before: Traffic): Traffic {
  return combined(now, before, -1)
}

function combined(one: Traffic, other: Traffic, sign: 1 | -1): Traffic {
  const methods: Record<string, number> = { ...one.methods }
  for (const [method, times] of Object.entries(other.methods)) {
    methods[method] = (methods[method] ?? 0) + sign * times
  }
  const frames = one.frames + sign * other.frames
  return { frames, bytes: one.bytes + sign * other.bytes, methods }
}
