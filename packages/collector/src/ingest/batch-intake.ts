import { createHash } from 'node:crypto'
import { packetHead, readBatch, readPacket } from 'clew/trace/blocks'
import { ApiError } from '../http/api-error.ts'
import type { Settler } from '../settle/settler.ts'
import type { RoadName } from '../store/accounts.ts'
import { StoreError } from '../store/store-error.ts'
import type { StoredBatch, StoredPacket, TraceStore } from '../store/trace-store.ts'
import type { Delivery, Intake, IntakeAnswer, RejectReason } from './intake.ts'

export interface BatchIntakeOptions {
  readonly store: Pick<TraceStore, 'append'>
  readonly settler: Settler
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: (() => number) | undefined
  /** Told of each batch; must not throw. */
  readonly onTaken?: ((taken: TakenBatch) => void) | undefined
}

/** What became of a batch, for whoever counts. Counts are calls. */
export interface TakenBatch {
  readonly road: RoadName
  readonly bytes: number
  readonly stored?: number
  readonly duplicates?: number
  readonly rejected?: Readonly<Partial<Record<RejectReason, number>>>
  /** The whole batch had come before. */
  readonly duplicate?: boolean
  /** Batches that could not be read at all. */
  readonly unreadable?: number
  /** From its arrival until it was durable. */
  readonly ms?: number
}

/** Bytes of one packet; larger ones are rejected. */
const MOST_PACKET_BYTES = 8 * 1024 * 1024
/** Bytes that wait to be made durable; whoever brings more is told to come again. */
const MOST_WAITING_BYTES = 64 * 1024 * 1024
/** Bytes of packets that are made durable at a time. */
const GROUP_BYTES = 8 * 1024 * 1024

interface Waiting {
  readonly batch: StoredBatch
  readonly bytes: number
  readonly calls: number
  readonly done: (duplicate: boolean) => void
  readonly failed: (error: unknown) => void
}

/**
 * Makes batches durable before they are answered for. Those that come while others are on their way to
 * the disk go together: however many senders there are, each waits for two rounds at most.
 */
export class BatchIntake implements Intake {
  readonly #store: Pick<TraceStore, 'append'>
  readonly #settler: Settler
  readonly #now: () => number
  #waiting: Waiting[] = []
  #bytes = 0
  #running: Promise<void> | undefined
  readonly #tell: (taken: TakenBatch) => void

  constructor({ store, settler, now = Date.now, onTaken = () => {} }: BatchIntakeOptions) {
    this.#tell = onTaken
    this.#store = store
    this.#settler = settler
    this.#now = now
  }

  async take(tenant: string, bytes: Uint8Array, road: 'http' | 'broker'): Promise<IntakeAnswer> {
    const batch = readBatch(bytes)
    if (batch === undefined) {
      this.#tell({ road, bytes: bytes.length, unreadable: 1 })
      throw new ApiError(400, 'unreadable', 'this is no batch, or of a version not known here', {
        advice:
          'send what httpSink or brokerSink of clew/profile send; docs/format.md has the bytes',
      })
    }
    const { id, packets, sender, taken, dropped, damaged } = batch
    const account = { ...sender, road, taken, dropped }
    // How many calls were in what cannot be read, nobody knows any more; that there were is told.
    return await this.keep({ tenant, id, packets, account, unreadable: Number(damaged) })
  }

  async keep(delivery: Delivery): Promise<IntakeAnswer> {
    const { tenant, id, packets, account, unreadable = 0 } = delivery
    const began = performance.now()
    const kept: StoredPacket[] = []
    const rejected: Partial<Record<RejectReason, number>> = unreadable > 0 ? { unreadable } : {}
    let [stored, bytes] = [0, 0]
    for (const packet of packets) {
      bytes += packet.length
      const head = packetHead(packet)
      const reason = reasonAgainst(packet)
      if (head === undefined || reason !== undefined) {
        const why = reason ?? 'unreadable'
        rejected[why] = (rejected[why] ?? 0) + (head?.calls ?? 1)
        continue
      }
      stored += head.calls
      kept.push({ tenant, traceId: head.traceId, arrivedMs: this.#now(), bytes: packet })
    }
    const batch = {
      id: idOf(tenant, id),
      tenant,
      packets: kept,
      account: { ...account, stored, rejected },
    }
    const duplicate = await this.#keep(batch, bytes, stored)
    const duplicates = duplicate ? stored : 0
    const ms = performance.now() - began
    this.#tell({ road: account.road, bytes, stored, duplicates, rejected, duplicate, ms })
    return { stored, duplicates, rejected }
  }

  /** Resolves when nothing is on its way to the disk. */
  async drain(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  async #keep(batch: StoredBatch, bytes: number, calls: number): Promise<boolean> {
    if (this.#bytes + bytes > MOST_WAITING_BYTES) {
      throw new ApiError(429, 'busy', 'more comes than can be written', { retryAfterS: 1 })
    }
    this.#bytes += bytes
    try {
      return await new Promise<boolean>((done, failed) => {
        this.#waiting.push({ batch, bytes, calls, done, failed })
        this.#running ??= this.#run().finally(() => {
          this.#running = undefined
        })
      })
    } finally {
      this.#bytes -= bytes
    }
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#settler.ready()
      let [size, bytes] = [0, 0]
      while (size < this.#waiting.length && bytes < GROUP_BYTES) {
        bytes += this.#waiting[size++]!.bytes
      }
      await this.#append(this.#waiting.splice(0, size))
    }
  }

  async #append(group: readonly Waiting[]): Promise<void> {
    // One that is sent again while it waits is kept once.
    const batches = [...new Map(group.map(({ batch }) => [batch.id, batch])).values()]
    try {
      const before = await this.#store.append(batches)
      const fresh = batches.filter(({ id }) => !before.has(id))
      this.#settler.take(fresh.flatMap(({ packets }) => packets))
      const told = new Set(before)
      for (const { batch, done } of group) {
        done(told.has(batch.id))
        told.add(batch.id)
      }
    } catch (error) {
      for (const { failed } of group) failed(asApiError(error))
    }
  }
}

/** A tenant's ids are its own: nobody can make another's batch look as if it had come, or find out that it had. */
function idOf(tenant: string, id: string): string {
  return createHash('sha256').update(`${id} ${tenant}`).digest('hex').slice(0, 32)
}

function reasonAgainst(packet: Uint8Array): RejectReason | undefined {
  if (packet.length > MOST_PACKET_BYTES) return 'too_large'
  return readPacket(packet) === undefined ? 'unreadable' : undefined
}

function asApiError(error: unknown): unknown {
  if (!(error instanceof StoreError)) return error
  const what = error.code === 'full' ? 'there is no room left' : 'the store failed'
  return new ApiError(503, `store_${error.code}`, `nothing of this was kept: ${what}`, {
    advice: 'send it again later; /healthz tells how the store is',
    ...{ retryAfterS: 5, cause: error },
  })
}
