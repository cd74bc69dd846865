import { type Logger, withReason } from '../call/index.ts'

/** A logger that never throws: what is told must not harm what it tells of. */
export function guarded(log: Logger): Logger {
  return (event) => {
    try {
      log(event)
    } catch {
      // Nothing is left to tell it to.
    }
  }
}

/** Warnings and errors to stderr, one line each, an unexpected error with its stack. */
export const stderrLogger: Logger = (event) => {
  const { level, error } = event
  if (level === 'debug' || level === 'info') return
  const detail =
    error instanceof Error && level === 'error' ? `\n${error.stack ?? error.message}` : ''
  const said = level === 'error' ? event.message : withReason(event)
  process.stderr.write(`clew ${level}: ${said}${detail}\n`)
}
