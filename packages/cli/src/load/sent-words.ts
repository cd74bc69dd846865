import { formatMs, formatShare } from 'clew/trace'
import type { Sent } from './send.ts'

/** This process was so busy, or its timers so late, that its own work is in the figures. */
const BUSY = 0.85
const LAG_MS = 20
const LATE_SHARE = 0.01

/** What was sent, for a program. */
export function sentJson({ end, drive }: Sent): object {
  const { asked, answered, failed, late, notStarted, mostInFlight, total, own } = drive
  return {
    ...{ end, asked, answered, failed, late, notStarted, mostInFlight },
    ...{ meanMs: total.mean, p50Ms: total.quantile(0.5), p99Ms: total.quantile(0.99) },
    outcomes: [...drive.outcomes].map(([outcome, sketch]) => ({
      ...{ outcome, count: sketch.count },
      ...{ p50Ms: sketch.quantile(0.5), p99Ms: sketch.quantile(0.99) },
    })),
    generator: { busy: own.busy, lagP99Ms: own.lagP99Ms },
  }
}

/** A line for each way in which requests ended. */
export function outcomeLines({ drive }: Sent): readonly string[] {
  return [...drive.outcomes]
    .sort(([, a], [, b]) => b.count - a.count)
    .map(([outcome, sketch]) => {
      const [p50, p99] = [formatMs(sketch.quantile(0.5)), formatMs(sketch.quantile(0.99))]
      const share = formatShare(sketch.count / Math.max(1, drive.answered))
      return `${String(sketch.count).padStart(8)} ${outcome} (${share}), median ${p50}, p99 ${p99}`
    })
}

/** Where the sender itself was the limit, and why it ended before its time. */
export function sentNotes({ end, drive }: Sent, maxInFlight: number): string[] {
  const { busy, lagP99Ms } = drive.own
  const notes: string[] = []
  if (end === 'failures')
    notes.push('stopped, since one request after the other failed: clew call tells why one does')
  if (end === 'stopped') notes.push('stopped before its time')
  if (drive.notStarted > 0) {
    notes.push(
      `${drive.notStarted} requests were not sent: ${maxInFlight} were in flight (--max-in-flight)`,
    )
  }
  if (drive.late > Math.max(1, drive.asked * LATE_SHARE)) {
    notes.push(`${drive.late} requests were sent more than 10 ms after their time`)
  }
  if (busy > BUSY || lagP99Ms > LAG_MS) {
    notes.push(
      `clew load itself was ${formatShare(busy)} busy, its timers up to ${formatMs(lagP99Ms)} late: a part of these times is its own`,
    )
  }
  return notes
}
