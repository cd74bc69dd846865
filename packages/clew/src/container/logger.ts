/** Something an operator may want to read. */
export interface LogEvent {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly service?: string
  readonly method?: string
  readonly callId?: string
  readonly error?: unknown
}

/** Takes log events. What it throws is dropped. */
export type Logger = (event: LogEvent) => void

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
export const stderrLogger: Logger = ({ level, message, error }) => {
  if (level === 'debug' || level === 'info') return
  const detail =
    error instanceof Error && level === 'error' ? `\n${error.stack ?? error.message}` : ''
  process.stderr.write(`clew ${level}: ${message}${detail}\n`)
}
