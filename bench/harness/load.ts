import { quantile } from './statistics.ts'

/** So many calls under way at a time, for so long. */
export interface Load {
  readonly concurrency: number
  readonly ms: number
}

/** What came of a load. */
export interface LoadFigures {
  readonly calls: number
  readonly perS: number
  readonly p50Us: number
  readonly p95Us: number
  readonly p99Us: number
}

/**
 * Keeps calls under way, each as soon as one before it is answered, until the time is over; waits
 * for those that are still under way then, which count.
 * @throws what a call fails with
 */
export async function underLoad(
  call: () => Promise<unknown>,
  { concurrency, ms }: Load,
): Promise<LoadFigures> {
  const tookMs: number[] = []
  const began = performance.now()
  const until = began + ms
  const caller = async () => {
    for (let started = began; started < until; ) {
      started = performance.now()
      await call()
      tookMs.push(performance.now() - started)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, caller))
  return figuresOf(tookMs, performance.now() - began)
}

/** The figures of calls that took so long each, all of them within the time that passed. */
export function figuresOf(tookMs: readonly number[], passedMs: number): LoadFigures {
  const us = (share: number) => quantile(tookMs, share) * 1000
  return {
    calls: tookMs.length,
    perS: (tookMs.length * 1000) / passedMs,
    p50Us: us(0.5),
    p95Us: us(0.95),
    p99Us: us(0.99),
  }
}
