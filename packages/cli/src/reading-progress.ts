/** When a line is drawn at first: whoever waits less does not wonder. */
const PATIENCE_MS = 500
const EVERY_MS = 100

/** A line on a terminal's stderr that says how far reading has come; nothing elsewhere. */
export class ReadingProgress {
  readonly #bytes: number | undefined
  readonly #began = performance.now()
  readonly #live = process.stderr.isTTY === true && process.env.TERM !== 'dumb'
  #drawn = Number.NEGATIVE_INFINITY
  #shown = false
  read = 0
  traces = 0

  /** @param bytes of all files; undefined where one of them does not tell */
  constructor(bytes: number | undefined) {
    this.#bytes = bytes
  }

  tell(): void {
    if (!this.#live) return
    const now = performance.now()
    if (now - this.#began < PATIENCE_MS || now - this.#drawn < EVERY_MS) return
    this.#drawn = now
    this.#shown = true
    process.stderr.write(`\r\x1b[2K${progressLine(this, this.#bytes, now - this.#began)}`)
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#shown) process.stderr.write('\r\x1b[2K')
    this.#shown = false
  }
}

/** `reading 12.3 of 80.0 MB · 10,234 traces · 3 s left` */
export function progressLine(
  { read, traces }: { readonly read: number; readonly traces: number },
  bytes: number | undefined,
  elapsedMs: number,
): string {
  const megabytes = (count: number) => (count / 1e6).toFixed(1)
  const of = bytes === undefined ? '' : ` of ${megabytes(bytes)}`
  const left = bytes === undefined || read === 0 ? 0 : (elapsedMs / read) * (bytes - read)
  const seconds = left > 0 ? ` · ${Math.ceil(left / 1_000)} s left` : ''
  return `reading ${megabytes(read)}${of} MB · ${traces.toLocaleString('en-US')} traces${seconds}`
}
