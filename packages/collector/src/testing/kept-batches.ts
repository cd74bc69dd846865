import type { StoredBatch } from '../store/trace-store.ts'
import { madePackets } from './made-packets.ts'

export const TENANT = 'default'
/** All traces begin in this hour. */
export const HOUR_MS = 3_600_000
export const FROM_MS = Math.floor(Date.UTC(2026, 7, 1, 9) / HOUR_MS) * HOUR_MS
export const TRACES = 7

/** The batch of a number: always the same. */
export function keptBatch(number: number, arrivedMs = Date.now()): StoredBatch {
  const made = madePackets(TRACES, { seed: number + 1, fromMs: FROM_MS, overMs: HOUR_MS })
  const packets = [...made].map(({ traceId, bytes }) => ({
    ...{ tenant: TENANT, traceId, bytes, arrivedMs },
  }))
  return { id: (number + 1).toString(16).padStart(32, '0'), packets }
}
