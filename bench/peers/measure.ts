import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { brokerClock } from '../harness/broker-process.ts'
import type { Say } from '../harness/command.ts'
import { type Remote, startRemote } from '../harness/remote.ts'
import { shuffled } from '../harness/statistics.ts'
import { type Cell, cellKey } from './kinds.ts'
import type { Concurrency } from './results.ts'
import { NAME, type RunningPeer } from './running-peer.ts'
import type { SinkProcess } from './sink.ts'
import type { Start } from './start.ts'

export interface Plan {
  /** Clew's among them, against which the others are held. */
  readonly cells: readonly Cell[]
  /** How often everybody is measured. */
  readonly rounds: number
  /** No round begins that would probably end later than so many seconds after the first. */
  readonly seconds: number
  /** How long one measurement takes, milliseconds, by calls under way at a time. */
  readonly windowsMs: Readonly<Record<Concurrency, number>>
  /** How long each is called before anything counts, milliseconds. */
  readonly warmUpMs: number
  /** How long traces of the calls that are checked may take to arrive, milliseconds. */
  readonly arrivalMs: number
  /** For how long to watch what else the machine does, before and after, milliseconds. */
  readonly watchMs: number
}

/** What one round says of a cell. */
export interface Sample {
  readonly sequentialP50Us: number
  readonly perS: Readonly<Record<Concurrency, number>>
  /** Of caller and service, a call at 100 at a time. */
  readonly cpuUs: number
  readonly brokerCpuUs: number | undefined
}

/** A cell with all that was found out about it. */
export interface MeasuredCell {
  readonly cell: Cell
  /** Why it has no samples. */
  readonly skipped: string | undefined
  /** One a round, in their order. */
  readonly samples: readonly Sample[]
  /** Spans or traces that reached the sink, a call. */
  readonly arrivedPerCall: number | undefined
}

const SINK = fileURLToPath(new URL('./sink.js', import.meta.url))
const CONCURRENCIES: readonly Concurrency[] = [1, 100, 500]
/** Calls whose traces must all arrive before anything is measured. */
const CHECKED_CALLS = 50
/** A peer without timeouts waits for ever for a reply that was lost. */
const PATIENCE_MS = 60_000

/** Processes started at a time; more would only wait for each other. */
const STARTERS = 3

class Course {
  readonly cell: Cell
  readonly samples: Sample[] = []
  peer: RunningPeer | undefined
  skipped: string | undefined
  /** All that were ever made. */
  calls = 0

  constructor(cell: Cell) {
    this.cell = cell
  }

  get key(): string {
    return cellKey(this.cell)
  }
}

/** Measures everybody, round by round, and lets all processes go, however it ends. */
export async function measurePeers(
  plan: Plan,
  url: string,
  start: Start,
  say: Say,
): Promise<{ readonly rounds: number; readonly cells: readonly MeasuredCell[] }> {
  const sink = startRemote<SinkProcess>(SINK, [])
  const courses = plan.cells.map((cell) => new Course(cell))
  try {
    const address = await sink.ask.address()
    await inTurn(courses, STARTERS, (course) =>
      attempt(course, say, async () => {
        course.peer = await start(course.cell, address)
      }),
    )
    say(`checking ${courses.filter(isUp).length} of ${courses.length}`)
    await inTurn(courses.filter(isUp), 1, (course) =>
      attempt(course, say, () => check(course, sink, plan.arrivalMs)),
    )
    const rounds = await measureRounds(courses, plan, await brokerClock(url), say)
    const arrived = await arrivals(courses, sink)
    const cells = courses.map(({ cell, skipped, samples, key, calls }) => {
      const count = arrived[key] ?? 0
      const arrivedPerCall = cell.tracer === undefined || calls === 0 ? undefined : count / calls
      return { cell, skipped, samples, arrivedPerCall }
    })
    return { rounds, cells }
  } finally {
    await Promise.all(courses.map(({ peer }) => peer?.stop()))
    await sink.stop()
  }
}

function isUp({ peer, skipped }: Course): boolean {
  return peer !== undefined && skipped === undefined
}

/** What fails is left out from then on, and said; the others go on. */
async function attempt(course: Course, say: Say, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    course.skipped = error instanceof Error ? error.message.split('\n')[0]! : String(error)
    course.samples.length = 0
    say(`${course.key} is left out: ${course.skipped}`)
  }
}

async function inTurn<T>(
  things: readonly T[],
  atATime: number,
  work: (thing: T) => Promise<void>,
): Promise<void> {
  const rest = [...things]
  const worker = async () => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) await work(next)
  }
  await Promise.all(Array.from({ length: atATime }, worker))
}

/** The right answer, and all of the trace of every call. */
async function check(course: Course, sink: Remote<SinkProcess>, arrivalMs: number): Promise<void> {
  const peer = course.peer!
  for (let call = 0; call < CHECKED_CALLS; call++) {
    const answer = await inTime(peer.hello(NAME), PATIENCE_MS)
    course.calls++
    if (answer !== `Hello, ${NAME}!`) throw new Error(`it answered ${JSON.stringify(answer)}`)
  }
  const { tracer } = course.cell
  if (tracer === undefined) return
  await peer.flush()
  const wanted = CHECKED_CALLS * tracer.perCall
  const count = async () => (await sink.ask.counts())[course.key] ?? 0
  const until = performance.now() + arrivalMs
  while ((await count()) < wanted && performance.now() < until) await sleep(50)
  const arrived = await count()
  // What its start left behind may be among them.
  if (arrived < wanted) {
    throw new Error(`${arrived} of ${wanted} ${tracer.unit} arrived of ${CHECKED_CALLS} calls`)
  }
}

/**
 * Rounds in which everybody is measured, in a new order each time. Before the first each is called
 * for a while that does not count.
 * @returns how many rounds there were
 */
async function measureRounds(
  courses: readonly Course[],
  plan: Plan,
  brokerUs: () => Promise<number | undefined>,
  say: Say,
): Promise<number> {
  for (const course of shuffled(courses.filter(isUp))) {
    await attempt(course, say, async () => {
      await load(course, 100, plan.warmUpMs)
    })
  }
  const began = performance.now()
  for (let round = 1; ; round++) {
    for (const course of shuffled(courses.filter(isUp))) {
      await attempt(course, say, async () => {
        course.samples.push(await sampleOf(course, plan.windowsMs, brokerUs))
      })
    }
    const tookS = (performance.now() - began) / 1000
    say(`round ${round} of ${plan.rounds}, ${Math.round(tookS)} s`)
    if (round >= plan.rounds || tookS + tookS / round > plan.seconds) return round
  }
}

async function sampleOf(
  course: Course,
  windowsMs: Plan['windowsMs'],
  brokerUs: () => Promise<number | undefined>,
): Promise<Sample> {
  const perS: Record<Concurrency, number> = { 1: 0, 100: 0, 500: 0 }
  const cpu = async () => [await course.peer!.processorUs(), await brokerUs()] as const
  let [sequentialP50Us, cpuUs, brokerCpuUs] = [0, 0, undefined as number | undefined]
  for (const concurrency of CONCURRENCIES) {
    const [own, broker] = await cpu()
    const figures = await load(course, concurrency, windowsMs[concurrency])
    perS[concurrency] = figures.perS
    if (concurrency === 1) sequentialP50Us = figures.p50Us
    if (concurrency === 100) {
      const [ownAfter, brokerAfter] = await cpu()
      cpuUs = (ownAfter - own) / figures.calls
      if (broker !== undefined && brokerAfter !== undefined) {
        brokerCpuUs = (brokerAfter - broker) / figures.calls
      }
    }
  }
  return { sequentialP50Us, perS, cpuUs, brokerCpuUs }
}

async function load(course: Course, concurrency: Concurrency, ms: number) {
  const figures = await inTime(course.peer!.load({ concurrency, ms }), ms + PATIENCE_MS)
  course.calls += figures.calls
  return figures
}

async function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  const waiting = new AbortController()
  const tooLate = sleep(ms, undefined, { signal: waiting.signal }).then(() => {
    throw new Error(`it did not answer for ${Math.round(PATIENCE_MS / 1000)} seconds`)
  })
  tooLate.catch(() => {})
  try {
    return await Promise.race([work, tooLate])
  } finally {
    waiting.abort()
  }
}

/** Everything that reached the sink, once nothing more does. */
async function arrivals(courses: readonly Course[], sink: Remote<SinkProcess>) {
  const traced = courses.filter((course) => isUp(course) && course.cell.tracer !== undefined)
  await Promise.all(traced.map(({ peer }) => peer!.flush()))
  let counts = await sink.ask.counts()
  for (let before = -1, all = total(counts); all !== before && traced.length > 0; ) {
    await sleep(500)
    counts = await sink.ask.counts()
    before = all
    all = total(counts)
  }
  return counts
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, one) => sum + one, 0)
}
