import { ConfigError } from '../../call/index.ts'
import {
  declareMethod,
  type MethodOptions,
  refuseBare,
  refuseOldDecorators,
} from '../declare-method.ts'
import { Entrypoint } from '../extension.ts'
import { type Clock, processClock } from './clock.ts'
import { formatDuration, parseDuration } from './duration.ts'
import { nextTick, type Schedule, tickTime } from './schedule.ts'

/** When a method is fired. */
export interface TimerOptions extends Pick<MethodOptions, 'name' | 'expectedErrors'> {
  /** Milliseconds, or a text: `250ms`, `5s`, `1.5m`, `1h`, `2d`. */
  readonly every: number | string
  /** Fire once at the start too. @default false */
  readonly eager?: boolean
  /**
   * Firings that a slow run has missed come at once, in a burst, as in Nameko. Otherwise they are
   * skipped, and the next one comes at its own time.
   * @default false
   */
  readonly catchUp?: boolean
}

type Method<This> = (this: This) => unknown

/**
 * Fires a method again and again, in every replica: Nameko's `@timer`. It fires at the service's
 * start plus whole multiples of the interval, never while it still runs. An error is logged, and the
 * next firing comes at its time.
 * @param when seconds, or options
 * @throws ConfigError when the interval is no length of time above 0
 */
export function timer(
  when: number | TimerOptions,
): <This>(method: Method<This>, context: ClassMethodDecoratorContext<This, Method<This>>) => void
export function timer(when: number | TimerOptions, context?: unknown): unknown {
  refuseBare(when, context, "@timer({ every: '5s' })")
  const options: Partial<TimerOptions> =
    typeof when === 'number' ? { every: when * 1000 } : (when ?? {})
  return (method: Method<never>, context: ClassMethodDecoratorContext) => {
    refuseOldDecorators('timer', context)
    const where = `@timer on ${String(context.name)}`
    const everyMs = interval(where, options.every, typeof when === 'number' ? when : options.every)
    requireNothing('timer', method, context)
    const { eager = false, catchUp = false } = options
    const make = () => new Timer({ everyMs, eager, catchUp })
    declareMethod({ kind: 'timer', make }, method, context, options)
  }
}

function interval(where: string, every: unknown, given: unknown): number {
  const ms = typeof every === 'string' ? parseDuration(every) : every
  if (typeof ms === 'number' && ms > 0 && Number.isFinite(ms)) return ms
  throw new ConfigError(
    `${where}: ${JSON.stringify(given)} is no interval; use seconds above 0, as in @timer(5), or { every } with milliseconds or a text such as '250ms', '5s', '1h'.`,
  )
}

/** @throws ConfigError when a method needs arguments that nobody could give it */
export function requireNothing(
  kind: string,
  method: { readonly length: number },
  { name }: ClassMethodDecoratorContext,
): void {
  if (method.length === 0) return
  throw new ConfigError(
    `@${kind} on ${String(name)}: the method needs ${method.length} arguments, but a clock gives none; make them optional.`,
  )
}

/** Fires by a schedule, one worker at a time. */
export class Timer extends Entrypoint {
  readonly #everyMs: number
  readonly #eager: boolean
  readonly #catchUp: boolean
  readonly #clock: Clock
  readonly #stopping = new AbortController()
  #running: Promise<void> | undefined

  /** @param clock what it goes by; tests bring their own */
  constructor(
    when: { readonly everyMs: number; readonly eager: boolean; readonly catchUp: boolean },
    clock: Clock = processClock,
  ) {
    super()
    this.#everyMs = when.everyMs
    this.#eager = when.eager
    this.#catchUp = when.catchUp
    this.#clock = clock
  }

  override start(): void {
    this.#running = this.#run()
  }

  /** Resolves when the worker that runs has ended. */
  override async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  override kill(): void {
    this.#stopping.abort()
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    const shownAs = `every ${formatDuration(this.#everyMs)}`
    const startMs = this.#clock.now()
    const schedule: Schedule = { startMs, everyMs: this.#everyMs, catchUp: this.#catchUp }
    let tick = this.#eager ? 0 : 1
    for (;;) {
      await this.#clock.until(tickTime(schedule, tick), signal)
      if (signal.aborted) return
      await this.fire({ args: [], shownAs })
      tick = nextTick(schedule, tick, this.#clock.now())
    }
  }
}
