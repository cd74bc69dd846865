import { writeFile } from 'node:fs/promises'

/** Traces kept. */
const MOST_TRACES = 40
/** The file is written again after so many more. */
const WRITE_EVERY = 5

export interface TraceSaver {
  take(encoded: string): void
  /** Writes what has not been written yet. */
  close(): Promise<void>
}

/** Keeps the latest traces in a file, which is bounded however long calls go on. A full disk ends nothing. */
export function traceSaver(path: string): TraceSaver {
  const latest: string[] = []
  let unwritten = 0
  let writing: Promise<void> = Promise.resolve()
  const write = (): void => {
    unwritten = 0
    const text = latest.join('')
    writing = writing.then(() => writeFile(path, text)).catch(() => {})
  }
  return {
    take(encoded) {
      latest.push(encoded)
      if (latest.length > MOST_TRACES) latest.shift()
      unwritten++
      if (unwritten === WRITE_EVERY) write()
    },
    async close() {
      if (unwritten > 0) write()
      await writing
    },
  }
}
