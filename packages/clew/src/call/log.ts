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
