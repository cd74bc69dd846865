import { setTimeout } from 'node:timers/promises'
import { describeMachine, type Machine, otherWork } from './machine.ts'

/** When and on what something was measured. */
export interface Circumstances {
  /** When it began, ISO 8601. */
  readonly startedAt: string
  readonly seconds: number
  readonly machine: Machine
  /** Share of all cores' time that others used, just before the run and just after it, 0 to 1. */
  readonly otherWork: { readonly before: number; readonly after: number }
}

/** Measures, and notes the circumstances. @param watchMs for how long to watch what others do, before and after */
export async function observed<T>(
  watchMs: number,
  measure: () => Promise<T>,
): Promise<{ readonly measured: T; readonly circumstances: Circumstances }> {
  const machine = await describeMachine()
  const started = new Date()
  // A broker that has only just started still has work of its own.
  await setTimeout(2 * watchMs)
  const before = await otherWork(watchMs)
  const measured = await measure()
  const after = await otherWork(watchMs)
  const seconds = Math.round((Date.now() - started.getTime()) / 1000)
  const startedAt = started.toISOString()
  return { measured, circumstances: { startedAt, seconds, machine, otherWork: { before, after } } }
}
