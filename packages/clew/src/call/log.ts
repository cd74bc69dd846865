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

/** The message, and behind it what its error says, where the message does not say that already. */
export function withReason({ message, error }: LogEvent): string {
  const reason = error instanceof Error ? error.message : error
  if (reason === undefined || reason === null || message.includes(String(reason))) return message
  return `${message}: ${String(reason)}`
}
