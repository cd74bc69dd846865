import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { ConfigError, type Mailbox, type Problem } from '../call/index.ts'
import type { PacketRoot } from '../trace/blocks.ts'
import type { Access } from './access/access.ts'
import { type Clock, systemClock } from './clock.ts'
import { Post } from './post.ts'
import { type ProcessWatch, processWatch } from './process-watch.ts'
import { Answering } from './recall/answering.ts'
import { Asking } from './recall/asking.ts'
import { Recorder } from './recall/recorder.ts'
import { Roots } from './roots.ts'
import { givePacket, type Taker } from './taker.ts'
import { listedValues, type ValueOptions, ValueRules } from './value-rules.ts'
import type { Carrier } from './worker-log.ts'

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
  /**
   * The flight recorder: what this process finished of late, so that calls whose reply never came can
   * be followed all the same. `bytes`: how much is kept. `answers`: whether whoever may listen on the
   * broker is told; off, only this process's own traces gain from it.
   * @default { bytes: 4194304, answers: true }, with `require: 'grant'` answers: false
   */
  readonly recorder?: RecorderOptions | false | undefined
  /**
   * Whether this process asks the others what they know of a root call that timed out or lost its
   * reply, at most five times a second. Never delays a result.
   * @default true
   */
  readonly recallOnLoss?: boolean | undefined
  /** Where the time comes from. @default the system's monotonic clock, anchored to the wall */
  readonly clock?: Clock | undefined
}

export interface RecorderOptions {
  /** From 65536 on. @default 4194304 */
  readonly bytes?: number | undefined
  /** @default true, with `require: 'grant'` false */
  readonly answers?: boolean | undefined
}

const LEAST_RECORDED = 64 * 1024
const MOST_RECORDED = 1024 * 1024 * 1024

/** @throws ConfigError when it is not a number of bytes that a process can spare */
function recordedBytes({ bytes = 4 * 1024 * 1024 }: RecorderOptions): number {
  if (bytes >= LEAST_RECORDED && bytes <= MOST_RECORDED) return Math.floor(bytes)
  throw new ConfigError(
    `profile: recorder.bytes must be from ${LEAST_RECORDED} to ${MOST_RECORDED}; got ${bytes}. Without a recorder: recorder: false.`,
  )
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

export interface InFlight {
  calls: number
}

/** What the two interceptors share: who we are, where traces go, how pieces travel. */
export class Profiler implements Carrier {
  readonly host: string
  readonly pid: number = process.pid
  readonly #clock: Clock
  readonly budget: number
  readonly version: string | undefined
  /** What the process knows of its pauses; undefined where it does not watch itself. */
  readonly watch: ProcessWatch | undefined
  /** Which values of calls may be told; undefined where none may. */
  readonly values: ValueRules | undefined
  readonly post = new Post()
  readonly roots: Roots
  /** What this process finished of late, and what it is at; undefined where nobody may ask. */
  readonly recorder: Recorder | undefined
  /** Answers for it over the broker. */
  readonly answering: Answering | undefined
  readonly #asking: Asking
  /** Takes every trace begun here; undefined when nobody asked for them. */
  taker: Taker | undefined
  /** Judges calls that come over the broker; undefined where its users are trusted. */
  gate: Access | undefined
  /** Whether a call that arrives without a trace begins one. */
  readonly rootsAtCallee: boolean
  readonly #inFlight = new Map<string, InFlight>()
  #onProblem: (problem: Problem) => void = () => {}
  #box: Promise<AsyncDisposable | undefined> | undefined
  #ear: Promise<AsyncDisposable | undefined> | undefined
  #started = false

  constructor(options: ProfilerOptions = {}, taker?: Taker, rootsAtCallee = false) {
    this.host = options.host ?? hostname()
    this.#clock = options.clock ?? systemClock()
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
      anchorMs: () => this.anchorMs(),
      failed: (where, error) => this.failed(where, error),
      guard: (where, work) => this.guard(where, work),
      takeLate: (late) => this.taker && givePacket(this.taker, late),
      ended: (traceId, root) => {
        if (root.record.status !== 'ok') this.#recordRoot(traceId, root)
      },
      recall: options.recallOnLoss === false ? undefined : (id) => this.#asking.ask(id),
    })
    this.#asking = new Asking(this.roots.inboxKey, this.post)
    const recorder = options.recorder ?? {}
    this.recorder =
      recorder === false ? undefined : new Recorder(recordedBytes(recorder), this.roots)
    this.answering =
      recorder === false || recorder.answers === false || this.recorder === undefined
        ? undefined
        : new Answering(this.recorder, this.post)
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
    this.#listen(mailbox)
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

  /** Of a root call that went well the trace has come home, and its callee has the block. */
  #recordRoot(traceId: string, root: PacketRoot): void {
    this.guard('recorder', () => this.recorder?.root(traceId, root))
  }

  /** What is asked before the process listens is not answered: nothing waits for this. */
  #listen(mailbox: Mailbox): void {
    const { answering } = this
    if (answering === undefined) return
    const take = (question: Uint8Array) => {
      answering.take(question).catch((error: unknown) =>
        this.guard('recall', () => {
          throw error
        }),
      )
    }
    this.#ear = mailbox.listen(take).catch((error: unknown) => {
      const message = 'this process cannot be asked for calls whose reply never came'
      this.guard('recall', () => this.#onProblem({ kind: 'recall', message, error }))
      return undefined
    })
  }

  async stop(): Promise<void> {
    const [box, ear] = [this.#box, this.#ear]
    this.#box = undefined
    this.#ear = undefined
    this.#asking.stop()
    if (this.#started) this.guard('watch', () => this.watch?.leave())
    this.#started = false
    this.roots.flush()
    this.post.use(undefined)
    const closed = Promise.all(
      [box, ear].map((one) =>
        one?.then((opened) => opened?.[Symbol.asyncDispose]()).catch(() => {}),
      ),
    )
    await Promise.race([closed, delay(OPENING_MS, undefined, { ref: false })])
  }

  /** Runs a piece of profiling. Whatever it throws is told and costs the profile, never the call. */
  guard<T>(where: string, work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      this.failed(where, error)
      return undefined
    }
  }

  /** A piece of profiling threw. Never throws itself. */
  failed(where: string, error: unknown): void {
    try {
      const message = `the profiler failed (${where}); the call goes on, its trace will lack something`
      this.#onProblem({ kind: 'profiler', message, error })
    } catch {
      // Nothing is left to tell it to.
    }
  }

  /** What stamps are reckoned with now: see `Clock`. */
  anchorMs(nowMs?: number): number {
    try {
      return this.#clock.anchorMs(nowMs)
    } catch (error) {
      this.failed('clock', error)
      return performance.timeOrigin
    }
  }

  /** The calls of a service that are being handled: whoever handles one counts it in and out. */
  inFlight(service: string): InFlight {
    let inFlight = this.#inFlight.get(service)
    if (inFlight === undefined) {
      inFlight = { calls: 0 }
      this.#inFlight.set(service, inFlight)
    }
    return inFlight
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
export function profilerOf(mailbox: Mailbox, patienceMs: number): Profiler | Promise<Profiler> {
  let starting = byMailbox.get(mailbox)
  if (starting === undefined) {
    // It only calls: what its process does in the meantime is nobody's wait.
    const made: Starting = {
      profiler: new Profiler({ watch: false, recorder: false }),
      opening: undefined,
    }
    const opened = () => {
      made.opening = undefined
    }
    made.opening = made.profiler.start(mailbox, { openBox: true }).then(opened, opened)
    byMailbox.set(mailbox, made)
    starting = made
  }
  const { profiler, opening } = starting
  if (opening === undefined) return profiler
  const enough = delay(Math.min(OPENING_MS, patienceMs), undefined, { ref: false })
  return Promise.race([opening, enough]).then(() => profiler)
}
