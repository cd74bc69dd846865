import { createHmac, type KeyObject } from 'node:crypto'

/**
 * Other names for what outsiders may tell apart but not know: the same name has the same alias as
 * long as the key is the same.
 */
export class Aliases {
  readonly #key: string | Uint8Array | KeyObject

  constructor(key: string | Uint8Array | KeyObject) {
    this.#key = key
  }

  host(name: string): string {
    return `host-${this.#hash('host', name).slice(0, 8)}`
  }

  /** For a call that stands for others: 16 hex digits. */
  callId(id: string): string {
    return this.#hash('call', id).slice(0, 16)
  }

  /** A trace's own id names the process that began it, so that processes could be counted. */
  traceId(id: string): string {
    return this.#hash('trace', id).slice(0, 32)
  }

  #hash(kind: string, name: string): string {
    return createHmac('sha256', this.#key).update(`${kind}\0${name}`).digest('hex')
  }
}
