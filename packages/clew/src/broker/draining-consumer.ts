import type { Consumer } from '../call/index.ts'
import type { Consumption, Delivery, Queue, Transport } from './transport.ts'

/** Consumes a queue; stopped, it lets what was taken already come to its end. */
export abstract class DrainingConsumer implements Consumer {
  #consumption: Consumption | undefined
  #open = 0
  #stopping: Promise<void> | undefined
  readonly #stopped = Promise.withResolvers<void>()
  #drained: (() => void) | undefined

  /** @throws Error when the broker refuses */
  async open(transport: Transport, queue: Queue, prefetch: number): Promise<void> {
    this.#consumption = await transport.consume(queue, {
      prefetch,
      acknowledge: 'each',
      take: (delivery) => {
        if (this.#stopping !== undefined) {
          delivery.release()
          return
        }
        this.#open++
        this.take(delivery)
      },
    })
  }

  /** Takes a delivery, and says `ended` when nothing is to be done for it any more. Must not throw. */
  protected abstract take(delivery: Delivery): void

  protected ended(): void {
    this.#open--
    if (this.#open === 0) this.#drained?.()
  }

  /** The queue's name at the broker. */
  protected get queue(): string {
    return this.#consumption?.queue ?? ''
  }

  /** Resolves when it is told to stop. */
  protected get stopped(): Promise<void> {
    return this.#stopped.promise
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    this.#stopped.resolve()
    await this.#consumption?.cancel()
    if (this.#open > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve
      })
    }
    await this.#consumption?.close()
  }
}
