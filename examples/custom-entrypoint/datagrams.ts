import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { declareMethod, Entrypoint, Extension } from 'clew'

type Handle = (text: string) => Promise<string>

/** Where a datagram came from. */
interface Address {
  readonly address: string
  readonly port: number
}

/** The one socket that all services of a `run` share (Nameko's SharedExtension). */
export class Datagrams extends Extension {
  readonly #handlers = new Map<string, Handle>()
  readonly #socket: Socket = createSocket('udp4')
  #port = 0

  /** Where it listens, once it has started. */
  get port(): number {
    return this.#port
  }

  /** Datagrams that begin with the word are handled so. */
  on(word: string, handle: Handle): void {
    this.#handlers.set(word, handle)
  }

  off(word: string): void {
    this.#handlers.delete(word)
  }

  override async start(): Promise<void> {
    this.#socket.on('message', (message, from) => void this.#take(String(message), from))
    this.#socket.bind(Number(this.host.config.datagramPort ?? 0), '127.0.0.1')
    await once(this.#socket, 'listening')
    this.#port = this.#socket.address().port
  }

  override stop(): void {
    this.#socket.close()
  }

  override kill(): void {
    this.#socket.close()
  }

  async #take(message: string, from: Address): Promise<void> {
    const [word = '', ...rest] = message.split(' ')
    const answer = await this.#handlers.get(word)?.(rest.join(' '))
    if (answer !== undefined) this.#socket.send(answer, from.port, from.address)
  }
}

class DatagramEntrypoint extends Entrypoint {
  readonly #word: string
  readonly #running = new Set<Promise<string>>()
  #datagrams: Datagrams | undefined

  constructor(word: string) {
    super()
    this.#word = word
  }

  override setup(): void {
    this.#datagrams = this.host.shared(Datagrams)
  }

  override start(): void {
    this.#datagrams!.on(this.#word, (text) => {
      const handled = this.#handle(text).finally(() => this.#running.delete(handled))
      this.#running.add(handled)
      return handled
    })
  }

  /** Takes no more, and waits for those that run. */
  override async stop(): Promise<void> {
    this.#datagrams!.off(this.#word)
    await Promise.all(this.#running)
  }

  /** Fires a worker. What it comes to is ours to tell: Nameko's `handle_result`. */
  async #handle(text: string): Promise<string> {
    const { result, error } = await this.fire({ args: [text], shownAs: `datagram ${this.#word}` })
    return error === undefined ? `ok ${JSON.stringify(result)}` : `error ${error.message}`
  }
}

/** Fires the method for each datagram that begins with the word, and answers with its result. */
export function datagram(word: string) {
  return (method: (text: string) => unknown, context: ClassMethodDecoratorContext): void =>
    declareMethod({ kind: 'datagram', make: () => new DatagramEntrypoint(word) }, method, context)
}
