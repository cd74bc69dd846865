import { parseDuration } from '../duration.ts'
import { type Fault, usageFault } from '../fault.ts'

/** A time in which the rate is the same, or rises or falls evenly. */
export interface LoadSegment {
  /** Requests a second at its beginning and its end. */
  readonly fromRate: number
  readonly toRate: number
  readonly ms: number
}

/** What is asked when, from the first second on. */
export type LoadPlan = readonly LoadSegment[]

/** Whatever is asked for, no more than this is done. */
export const MOST_RATE = 2_000
export const LONGEST_MS = 600_000
const MOST_STEPS = 100

export interface PlanFlags {
  readonly rate: number | undefined
  readonly steps: Steps | undefined
  readonly ramp: Ramp | undefined
  readonly burst: Burst | undefined
  /** Milliseconds in all. */
  readonly for: number
}

export interface Ramp {
  readonly from: number
  readonly to: number
}

export interface Steps extends Ramp {
  readonly by: number
}

export interface Burst {
  readonly rate: number
  /** How long a burst lasts, and from when to when the next begins. */
  readonly ms: number
  readonly everyMs: number
}

const DEFAULT_RATE = 10

/**
 * The plan of a command line: steps and ramps share the time, bursts come on top of the rate.
 * @throws Fault when flags do not go together, or ask for too long
 */
export function planOf({ rate, steps, ramp, burst, for: ms }: PlanFlags): LoadPlan {
  if (ms > LONGEST_MS) {
    throw usageFault('--for: no load lasts longer than 10 minutes', { next: ['--for 10m'] })
  }
  if ([steps, ramp, burst].filter((each) => each !== undefined).length > 1) {
    throw usageFault('--steps, --ramp and --burst are three plans; give one of them')
  }
  if (rate !== undefined && (steps !== undefined || ramp !== undefined)) {
    throw usageFault('--rate is one rate all the time; leave it out with --steps or --ramp')
  }
  if (steps !== undefined) return stepsOf(steps, ms)
  if (ramp !== undefined) return [{ fromRate: ramp.from, toRate: ramp.to, ms }]
  if (burst !== undefined) return burstsOf(burst, rate ?? DEFAULT_RATE, ms)
  return [even(rate ?? DEFAULT_RATE, ms)]
}

export const planMs = (plan: LoadPlan) => plan.reduce((sum, { ms }) => sum + ms, 0)

/** The rate that is asked at a time. */
export function rateAt(plan: LoadPlan, atMs: number): number {
  let from = 0
  for (const { fromRate, toRate, ms } of plan) {
    if (atMs < from + ms) return fromRate + ((toRate - fromRate) * (atMs - from)) / ms
    from += ms
  }
  return 0
}

const even = (rate: number, ms: number): LoadSegment => ({ fromRate: rate, toRate: rate, ms })

function stepsOf({ from, to, by }: Steps, ms: number): LoadPlan {
  const count = Math.floor(Math.abs(to - from) / by + 1e-9) + 1
  if (count > MOST_STEPS) {
    throw usageFault(`--steps: ${count} steps are too many; at most ${MOST_STEPS} are done`)
  }
  const direction = to < from ? -1 : 1
  return Array.from({ length: count }, (_, at) => even(from + at * by * direction, ms / count))
}

function burstsOf({ rate, ms: burstMs, everyMs }: Burst, usual: number, ms: number): LoadPlan {
  const plan: LoadSegment[] = []
  for (let at = 0; at < ms; at += everyMs) {
    plan.push(even(usual, Math.min(everyMs - burstMs, ms - at)))
    const left = ms - at - (everyMs - burstMs)
    if (left > 0) plan.push(even(rate, Math.min(burstMs, left)))
  }
  return plan
}

/**
 * Requests a second: `50`, `0.5`.
 * @throws Fault when it is none, or more than 2,000
 */
export function parseRate(text: string): number {
  const rate = /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : Number.NaN
  if (!(rate > 0)) throw notAs(text, 'no rate above zero', 'write requests a second, such as 50')
  if (rate > MOST_RATE) {
    throw usageFault(`${text} requests a second are more than clew load sends (${MOST_RATE})`)
  }
  return rate
}

/** `10..500`. */
export function parseRamp(text: string): Ramp {
  const match = /^([^./]+(?:\.\d+)?)\.\.([^/]+)$/.exec(text.trim())
  if (match === null) throw notAs(text, 'no ramp', 'write --ramp 10..500')
  return { from: parseRate(match[1]!), to: parseRate(match[2]!) }
}

/** `50..400/50`. */
export function parseSteps(text: string): Steps {
  const match = /^([^/]+)\/([^/]+)$/.exec(text.trim())
  if (match === null) throw notAs(text, 'no steps', 'write --steps 50..400/50')
  return { ...parseRamp(match[1]!), by: parseRate(match[2]!) }
}

/** `300x2s/10s`: 300 requests a second for 2 seconds, every 10 seconds. */
export function parseBurst(text: string): Burst {
  const match = /^([^x/]+)x([^x/]+)\/([^x/]+)$/.exec(text.trim())
  if (match === null) throw notAs(text, 'no burst', 'write --burst 300x2s/10s')
  const [ms, everyMs] = [parseDuration(match[2]!), parseDuration(match[3]!)]
  if (ms >= everyMs || everyMs < 100) {
    throw notAs(text, 'a burst that never ends', 'a burst is shorter than from one to the next')
  }
  return { rate: parseRate(match[1]!), ms, everyMs }
}

const notAs = (text: string, what: string, how: string): Fault =>
  usageFault(`${JSON.stringify(text)} is ${what}; ${how}`)
