import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { ConfigError, type Mailbox, type Problem } from '../call/index.ts'
import type { Access } from './access/access.ts'
import { type Clock, systemClock } from './clock.ts'
import { Post } from './post.ts'
import { type ProcessWatch, processWatch } from './process-watch.ts'
import { Roots } from './roots.ts'
import { givePacket, type Taker } from './taker.ts'
import { listedValues, type ValueOptions, ValueRules } from './value-rules.ts'

export interface ProfilerOptions extends ValueOptions {
  /** Bytes of metadata that a reply may bring at the most. @default 16384 */
  readonly budget?: number | undefined
  /** Milliseconds that a trace waits for pieces sent around the reply. @default 250 */
  readonly graceMs?: number | undefined
  /** Name of this host in entries. @default the operating system's host name */
  readonly host?: string | undefined
  /** Version of this program, at most 64 characters, for whoever reads traces. @default none is told */
  readonly version?: string | undefined
  /**
   * Whether the process watches its event loop and its garbage collector, so that calls can tell what
   * pauses they fell into and how busy the process was.
   * @default true
   */
  readonly watch?: boolean | undefined
  /** Where the time comes from. @default the system's monotonic clock, anchored to the wall */
  readonly clock?: Clock | undefined
}

/** How long anybody waits for the box at the most, in milliseconds. */
const OPENING_MS = 1000

/** @throws ConfigError when it is no number that a timer or a buffer can have */
function checked(option: string, value: number): number {
  if (value >= 0 && value <= 0x7fffffff) return value
  throw new ConfigError(`profile: ${option} must be a number from 0 to 2147483647; got ${value}.`)
}

const LONGEST_VERSION = 64

/** @throws ConfigError when it is too long to be told with every call */
function checkedVersion(version: string | undefined): string | undefined {
  if (version === undefined || (typeof version === 'string' && version.length <= LONGEST_VERSION))
    return version
  throw new ConfigError(
    `profile: version is told with every call, so it has at most ${LONGEST_VERSION} characters; got ${JSON.stringify(version)}.`,
  )
}

/** What the two interceptors share: who we are, where traces go, how pieces travel. */
export class Profiler {
  readonly host: string
  readonly pid: number = process.pid
  readonly clock: Clock
  readonly budget: number
  readonly version: string | undefined
  /** What the process knows of its pauses; undefined where it does not watch itself. */
  readonly watch: ProcessWatch | undefined
  /** Which values of calls may be told; undefined where none may. */
  readonly values: ValueRules | undefined
  readonly post = new Post()
  readonly roots: Roots
  /** Takes every trace begun here; undefined when nobody asked for them. */
  taker: Taker | undefined
  /** Judges calls that come over the broker; undefined where its users are trusted. */
  gate: Access | undefined
  /** Whether a call that arrives without a trace begins one. */
  readonly rootsAtCallee: boolean
  readonly #inFlight = new Map<string, number>()
  #onProblem: (problem: Problem) => void = () => {}
  #box: Promise<AsyncDisposable | undefined> | undefined
  #started = false

  constructor(options: ProfilerOptions = {}, taker?: Taker, rootsAtCallee = false) {
    this.host = options.host ?? hostname()
    const clock = options.clock ?? systemClock()
    this.clock = {
      anchorMs: () => this.guard('clock', () => clock.anchorMs()) ?? performance.timeOrigin,
    }
    this.budget = checked('budget', options.budget ?? 16 * 1024)
    this.version = checkedVersion(options.version)
    this.watch = options.watch === false ? undefined : processWatch
    const listed = listedValues(options.values)
    const tell = (message: string) => this.#onProblem({ kind: 'values', message })
    const { budget } = this
    this.values =
      listed.size > 0 ? new ValueRules(listed, { redact: options.redact, budget, tell }) : undefined
    this.taker = taker
    this.rootsAtCallee = rootsAtCallee
    this.roots = new Roots({
      graceMs: checked('graceMs', options.graceMs ?? 250),
      host: this.host,
      pid: this.pid,
      guard: (where, work) => this.guard(where, work),
      takeLate: (late) => this.taker && givePacket(this.taker, late),
    })
  }

  /**
   * From now on pieces travel by this mailbox. Opens our own box when we begin traces; one that
   * cannot be opened costs what travels around replies, nothing else.
   * @throws ConfigError when it serves a connection already
   */
  async start(
    mailbox: Mailbox,
    options: { readonly onProblem?: (problem: Problem) => void; readonly openBox: boolean },
  ): Promise<void> {
    if (options.onProblem !== undefined) this.#onProblem = options.onProblem
    if (this.#started) {
      throw new ConfigError(
        'One profile() serves one connection; make another for each `run` and `connect`. They may share a sink.',
      )
    }
    this.#started = true
    this.guard('watch', () => this.watch?.enter())
    this.post.use(mailbox)
    if (!options.openBox) return
    const take = (piece: Uint8Array) => this.guard('inbox', () => this.roots.take(piece))
    this.#box = mailbox.open(this.roots.inboxKey, take).catch((error: unknown) => {
      const message =
        'the inbox for traces cannot be opened; traces lack what travels around replies'
      this.guard('inbox', () => this.#onProblem({ kind: 'inbox', message, error }))
      return undefined
    })
    await Promise.race([this.#box, delay(OPENING_MS, undefined, { ref: false })])
  }

  async stop(): Promise<void> {
    const box = this.#box
    this.#box = undefined
    if (this.#started) this.guard('watch', () => this.watch?.leave())
    this.#started = false
    this.roots.flush()
    this.post.use(undefined)
    const closed = box?.then((opened) => opened?.[Symbol.asyncDispose]()).catch(() => {})
    await Promise.race([closed, delay(OPENING_MS, undefined, { ref: false })])
  }

  /** Runs a piece of profiling. Whatever it throws is told and costs the profile, never the call. */
  guard<T>(where: string, work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      try {
        const message = `the profiler failed (${where}); the call goes on, its trace will lack something`
        this.#onProblem({ kind: 'profiler', message, error })
      } catch {
        // Nothing is left to tell it to.
      }
      return undefined
    }
  }

  /** One more call of the service is being handled; how many that makes. */
  enter(service: string): number {
    const inFlight = (this.#inFlight.get(service) ?? 0) + 1
    this.#inFlight.set(service, inFlight)
    return inFlight
  }

  leave(service: string): void {
    this.#inFlight.set(service, (this.#inFlight.get(service) ?? 1) - 1)
  }
}

interface Starting {
  readonly profiler: Profiler
  /** Undefined when its box is open, or cannot be opened. */
  opening: Promise<void> | undefined
}

const byMailbox = new WeakMap<Mailbox, Starting>()

/**
 * The profiler of callers that have none of their own: one for each connection, made when first
 * needed. Without an open box traces lack what travels around replies; no call fails for it.
 */
export async function profilerOf(mailbox: Mailbox, patienceMs: number): Promise<Profiler> {
  let starting = byMailbox.get(mailbox)
  if (starting === undefined) {
    // It only calls: what its process does in the meantime is nobody's wait.
    const made: Starting = { profiler: new Profiler({ watch: false }), opening: undefined }
    const opened = () => {
      made.opening = undefined
    }
    made.opening = made.profiler.start(mailbox, { openBox: true }).then(opened, opened)
    byMailbox.set(mailbox, made)
    starting = made
  }
  if (starting.opening !== undefined) {
    const enough = delay(Math.min(OPENING_MS, patienceMs), undefined, { ref: false })
    await Promise.race([starting.opening, enough])
  }
  return starting.profiler
}
