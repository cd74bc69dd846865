import type { INSIDE, Inside } from './inside.ts'

/** Services at work. */
export interface Running extends AsyncDisposable {
  /** Takes no new calls, answers the running ones, closes everything. Idempotent. */
  stop(): Promise<void>
  /** Closes everything at once; running calls are redelivered by the broker where it can. */
  kill(): Promise<void>
  /** Resolves when everything has been closed, by whichever road. */
  readonly stopped: Promise<void>
  /** For `clew/testing` and debuggers. */
  readonly [INSIDE]: ReadonlyMap<string, Inside>
}
