import { type CallRecord, encodePacket, Log } from 'clew/trace/blocks'

/** What traces are made of, and how many. The same seed makes the same traces. */
export interface MadeOptions {
  /** @default 1 */
  readonly seed?: number | undefined
  /** When the first trace begins, milliseconds since 1970. @default 2026-01-01 */
  readonly fromMs?: number | undefined
  /** Milliseconds in which all traces begin. @default an hour */
  readonly overMs?: number | undefined
  readonly services?: number | undefined
  /** Share of calls that fail by themselves. @default 0.004 */
  readonly failing?: number | undefined
}

export interface MadePacket {
  readonly traceId: string
  readonly bytes: Uint8Array
  readonly calls: number
}

/** One call of a kind of request: what it calls, one after the other or at once. */
interface Plan {
  readonly service: number
  readonly method: number
  readonly workUs: number
  readonly together: boolean
  readonly calls: readonly Plan[]
}

const KINDS = 12
const HOSTS = 3
const METHODS = 7
const LEG_US = 350

/**
 * Traces of a made-up shop of many services: twelve kinds of request of about twenty calls, durations
 * log-normal, some failing; packets as a root sends them. For tests and benchmarks.
 */
export function* madePackets(traces: number, options: MadeOptions = {}): Generator<MadePacket> {
  const { seed = 1, fromMs = Date.UTC(2026, 0, 1), overMs = 3_600_000 } = options
  const { services = 30, failing = 0.004 } = options
  const random = randomOf(seed)
  // The shop is the same whatever the seed of its traffic.
  const shop = randomOf(7)
  const kinds = Array.from({ length: KINDS }, (_, kind) => planOf(shop, services, kind, 0))
  const maker = new Maker(random, failing)
  for (let index = 0; index < traces; index++) {
    const kind = kinds[Math.floor(random() ** 2 * KINDS)]!
    const startUs = Math.round((fromMs + (overMs * index) / traces) * 1000)
    yield maker.packet(kind, startUs)
  }
}

function planOf(random: () => number, services: number, kind: number, depth: number): Plan {
  const wide = depth === 0 ? 4 : depth === 1 ? 3 : depth === 2 ? 1.2 : 0
  const count = Math.floor(wide * (0.5 + random()))
  return {
    service: depth === 0 ? kind % 3 : 3 + Math.floor(random() * (services - 3)),
    method: Math.floor(random() * METHODS),
    workUs: 200 + 4_000 * random() ** 3,
    together: random() < 0.4,
    calls: Array.from({ length: count }, () => planOf(random, services, kind, depth + 1)),
  }
}

interface Made {
  readonly block: Uint8Array
  readonly failed: boolean
  readonly lastedUs: number
}

class Maker {
  readonly #random: () => number
  readonly #failing: number
  #calls = 0
  #traceId = ''

  constructor(random: () => number, failing: number) {
    this.#random = random
    this.#failing = failing
  }

  packet(kind: Plan, startUs: number): MadePacket {
    this.#calls = 0
    this.#traceId = this.#id(32)
    const id = this.#id(16)
    const { block, failed, lastedUs } = this.#call(kind, id, startUs + this.#leg())
    const record = this.#record(kind, id, 0, startUs, lastedUs + this.#leg() * 2, failed)
    const root = { record, host: 'edge-1', pid: 100, block }
    const traceId = this.#traceId
    return {
      traceId,
      calls: this.#calls,
      bytes: encodePacket({ traceId, root, pieces: [], ended: true }),
    }
  }

  #call(plan: Plan, callId: string, receiveUs: number): Made {
    this.#calls++
    const random = this.#random
    const host = `host-${plan.service}-${Math.floor(random() * HOSTS)}`
    const owner = { traceId: this.#traceId, callId, host, pid: 1_000 + plan.service }
    const log = new Log({ ...owner, ...nameOf(plan) }, receiveUs)
    let failed = random() < this.#failing
    let at = this.#work(plan.workUs) / 2
    let end = at
    for (const [seq, child] of plan.calls.entries()) {
      const id = this.#id(16)
      const from = receiveUs + (plan.together ? at : end)
      const legs = this.#leg() * 2
      const made = this.#call(child, id, from + Math.floor(legs / 2))
      failed ||= made.failed
      log.append(this.#record(child, id, seq, from, made.lastedUs + legs, made.failed), made.block)
      end = Math.max(end, from - receiveUs + made.lastedUs + legs)
      at += 20
    }
    const lastedUs = Math.round(end + this.#work(plan.workUs) / 2)
    const block = log.close({
      ...{ receiveUs, respondUs: receiveUs + lastedUs, status: failed ? 'error' : 'ok' },
      ...(failed && { error: 'PaymentDeclined' }),
      ...{ inFlight: 1 + Math.floor(random() ** 3 * 40), redelivered: false },
      calls: plan.calls.length,
    })
    return { block, failed, lastedUs }
  }

  #record(
    plan: Plan,
    id: string,
    seq: number,
    requestUs: number,
    lastedUs: number,
    failed: boolean,
  ): CallRecord {
    return {
      ...{ id, ...nameOf(plan), edge: 'call', seq, attempt: 1, requestUs },
      finishUs: requestUs + Math.round(lastedUs),
      ...{ status: failed ? 'error' : 'ok', error: failed ? 'PaymentDeclined' : undefined },
    }
  }

  /** Log-normal. */
  #work(medianUs: number): number {
    const random = this.#random
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    return Math.round(medianUs * Math.exp(0.5 * normal))
  }

  #leg(): number {
    return this.#work(LEG_US)
  }

  #id(digits: number): string {
    let id = ''
    while (id.length < digits) {
      id += Math.floor(this.#random() * 2 ** 32)
        .toString(16)
        .padStart(8, '0')
    }
    return id
  }
}

const NAMES = ['orders', 'payments', 'stock', 'users', 'search', 'mail', 'prices', 'carts']
const VERBS = ['get', 'list', 'create', 'update', 'reserve', 'charge', 'notify']

const nameOf = ({ service, method }: Plan) => ({
  service: `${NAMES[service % NAMES.length]!}_${Math.floor(service / NAMES.length)}`,
  method: `${VERBS[method]!}_${service % 5}`,
})

/** mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
