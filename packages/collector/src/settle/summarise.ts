import type { TraceSummary } from '../store/summary.ts'
import type { StoredPacket } from '../store/trace-store.ts'

/** What is found and counted of a trace: all packets of it that have come, in any order. */
export type Summarise = (packets: readonly StoredPacket[], replaces: boolean) => TraceSummary
