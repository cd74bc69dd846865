import { randomBytes } from 'node:crypto'
import { closeSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { fileFault } from './fault.ts'

/** Bytes gathered before they are written. */
const CHUNK = 65_536

/**
 * Where a document goes, piece by piece: a file, which appears under its name only when it is whole, or
 * stdout. Written synchronously, so that no more than a chunk waits.
 */
export class WriteTarget {
  readonly #out: string | undefined
  /** Beside the file until it is whole; undefined where the name is no file to be replaced. */
  readonly #beside: string | undefined
  readonly #file: number
  #text = ''
  bytes = 0

  /**
   * @param out undefined for stdout
   * @throws Fault when the file cannot be made
   */
  constructor(out: string | undefined) {
    this.#out = out
    this.#beside =
      out === undefined || isSpecial(out)
        ? undefined
        : `${out}.${randomBytes(4).toString('hex')}.part`
    try {
      const path = this.#beside ?? out
      this.#file = path === undefined ? 1 : openSync(path, this.#beside === undefined ? 'w' : 'wx')
    } catch (error) {
      throw fileFault('write', out!, error)
    }
  }

  write(piece: string | Uint8Array): void {
    if (typeof piece === 'string') {
      this.#text += piece
      if (this.#text.length >= CHUNK) this.#flush()
    } else {
      this.#flush()
      this.#put(piece)
    }
  }

  /** Writes the rest and gives the file its name. */
  finish(): void {
    this.#flush()
    if (this.#out === undefined) return
    try {
      closeSync(this.#file)
      if (this.#beside !== undefined) renameSync(this.#beside, this.#out)
    } catch (error) {
      this.#remove()
      throw fileFault('write', this.#out, error)
    }
  }

  /** Leaves what was there under the name as it was. */
  abandon(): void {
    if (this.#out === undefined) return
    try {
      closeSync(this.#file)
    } catch {
      // It was closed already.
    }
    this.#remove()
  }

  #remove(): void {
    if (this.#beside !== undefined) rmSync(this.#beside, { force: true })
  }

  #flush(): void {
    if (this.#text === '') return
    const text = this.#text
    this.#text = ''
    this.#put(Buffer.from(text))
  }

  #put(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      try {
        at += writeSync(this.#file, bytes, at)
      } catch (error) {
        // A pipe that does not block is full: whoever reads it needs time.
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') {
          throw fileFault('write', this.#out ?? 'stdout', error)
        }
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
      }
    }
    this.bytes += bytes.length
  }
}

/** A device or a pipe has to be written itself. */
function isSpecial(path: string): boolean {
  try {
    return !statSync(path).isFile()
  } catch {
    return false
  }
}
