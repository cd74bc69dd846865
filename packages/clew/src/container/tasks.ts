/** Background tasks of one service (Nameko's managed threads). */
export class Tasks {
  readonly #running = new Set<Promise<void>>()
  readonly #abort = new AbortController()
  readonly #failed: (error: unknown) => void

  /** @param failed told of an error that a task did not catch */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed
  }

  spawn(task: (signal: AbortSignal) => Promise<void>): void {
    if (this.#abort.signal.aborted) return
    const running = (async () => task(this.#abort.signal))()
      .catch((error: unknown) => {
        // Most ways to wait end in an error when their signal aborts: that is no failure.
        if (!this.#abort.signal.aborted) this.#failed(error)
      })
      .finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  /** Aborts what runs and waits for it. */
  async stop(): Promise<void> {
    this.abort()
    await Promise.all(this.#running)
  }

  abort(): void {
    this.#abort.abort()
  }
}
