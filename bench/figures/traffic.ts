import type { Headers, HeaderValue, Plugin } from 'clew'

/** Bytes of trace metadata in messages. */
export interface Traffic {
  /** In all requests and replies together. */
  readonly all: number
  readonly largestRequest: number
  readonly largestReply: number
}

export const NO_TRAFFIC: Traffic = { all: 0, largestRequest: 0, largestReply: 0 }

/** Length, version and magic bytes that frame a block behind a body (`docs/format.md`). */
const FRAMING_BYTES = 9

/**
 * Counts what profiling adds to messages: headers that interceptors set, and blocks behind bodies.
 * Belongs innermost, where a call is as it leaves and a reply as it came. Does nothing until told to.
 */
export class TrafficCounter {
  counting = false
  #traffic: Traffic = NO_TRAFFIC

  /** What was counted since it was last taken. */
  take(): Traffic {
    const taken = this.#traffic
    this.#traffic = NO_TRAFFIC
    return taken
  }

  get plugin(): Plugin {
    return {
      name: 'traffic-counter',
      caller: (next) => (call) => {
        if (!this.counting) return next(call)
        const request = tableBytes(call.headers)
        return next(call).then((reply) => {
          const block = reply.attachment === undefined ? 0 : reply.attachment.length + FRAMING_BYTES
          this.#add(request, block + tableBytes(reply.headers ?? {}))
          return reply
        })
      },
    }
  }

  #add(request: number, reply: number): void {
    this.#traffic = together([
      this.#traffic,
      { all: request + reply, largestRequest: request, largestReply: reply },
    ])
  }
}

export function together(all: readonly Traffic[]): Traffic {
  return all.reduce(
    (sum, one) => ({
      all: sum.all + one.all,
      largestRequest: Math.max(sum.largestRequest, one.largestRequest),
      largestReply: Math.max(sum.largestReply, one.largestReply),
    }),
    NO_TRAFFIC,
  )
}

/** Bytes that entries add to a header table (AMQP 0-9-1, section 4.2.5.5, with RabbitMQ's types). */
export function tableBytes(table: Headers): number {
  let bytes = 0
  for (const [key, value] of Object.entries(table)) {
    bytes += 1 + Buffer.byteLength(key) + valueBytes(value)
  }
  return bytes
}

function valueBytes(value: HeaderValue): number {
  const tag = 1
  if (value === null) return tag
  if (typeof value === 'boolean') return tag + 1
  if (typeof value === 'number') return tag + (isInt32(value) ? 4 : 8)
  const length = 4
  if (typeof value === 'string') return tag + length + Buffer.byteLength(value)
  if (value instanceof Uint8Array) return tag + length + value.length
  if (isList(value)) return value.reduce<number>((sum, one) => sum + valueBytes(one), tag + length)
  return tag + length + tableBytes(value)
}

function isInt32(value: number): boolean {
  return (value | 0) === value
}

// Array.isArray does not narrow a readonly array out of a union.
function isList(value: object): value is readonly HeaderValue[] {
  return Array.isArray(value)
}
