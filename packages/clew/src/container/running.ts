import type { Extension } from '../service/index.ts'
import type { INSIDE, Inside } from './inside.ts'

/** Services at work. */
export interface Running extends AsyncDisposable {
  /** Takes no new calls, answers the running ones, closes everything. Idempotent. */
  stop(): Promise<void>
  /** Closes everything at once; running calls are redelivered by the broker where it can. */
  kill(): Promise<void>
  /**
   * The extension of this class that the services share, such as the web server.
   * @throws Error when none of them asked for it
   */
  shared<E extends Extension>(Shared: new () => E): E
  /** Resolves when everything has been closed, by whichever road. */
  readonly stopped: Promise<void>
  /** For `clew/testing` and debuggers. */
  readonly [INSIDE]: ReadonlyMap<string, Inside>
}
