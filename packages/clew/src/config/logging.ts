import { type LogEvent, type Logger, withReason } from '../call/index.ts'

export type LogLevel = LogEvent['level']
export type LogFormat = 'text' | 'json'

export interface LogSettings {
  /** The least level that is told. @default 'info' */
  readonly level?: LogLevel | undefined
  /** @default 'text' */
  readonly format?: LogFormat | undefined
}

const ORDER: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

/**
 * A log for `run`: a line for each event, to stderr. For a library such as pino it takes one line of your own:
 * `({ level, message, ...rest }) => log[level](rest, message)`.
 */
export function logger(
  settings: LogSettings = {},
  write: (line: string) => void = (line) => process.stderr.write(`${line}\n`),
): Logger {
  const { level = 'info', format = 'text' } = settings
  const least = ORDER.indexOf(level)
  const line = format === 'json' ? jsonLine : textLine
  return (event) => {
    if (ORDER.indexOf(event.level) >= least) write(line(event))
  }
}

/** `{"time":…,"level":…,"message":…,"service":…,"method":…,"callId":…,"error":{…}}` */
export function jsonLine(event: LogEvent, time = new Date()): string {
  return visible(JSON.stringify(logRecord(event, time)), /[\x7f-\x9f\u2028\u2029]/gu)
}

/** What a line of JSON says. */
export function logRecord(event: LogEvent, time = new Date()): Readonly<Record<string, unknown>> {
  const { error, level, message, ...rest } = event
  const told = { time: time.toISOString(), level, message, ...rest }
  return error === undefined ? told : { ...told, error: errorTold(error) }
}

/** `2020-01-01T00:00:00.000Z error message`, with what the error says; of level `error`, its stack below it. */
export function textLine(event: LogEvent, time = new Date()): string {
  const { level, error } = event
  const stack =
    error instanceof Error && level === 'error' ? `\n${error.stack ?? error.message}` : ''
  const said = level === 'error' ? event.message : withReason(event)
  return `${time.toISOString()} ${level} ${visible(said, CONTROLS)}${visible(stack, CONTROLS_BUT_BREAKS)}`
}

const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}]/gu
const CONTROLS_BUT_BREAKS = /[^\P{Cc}\n\t]/gu

/** Messages hold what others sent: it must neither steer a terminal nor look like another line. */
function visible(text: string, hidden: RegExp): string {
  return text.replace(hidden, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(4, '0')
    return `\\u${code}`
  })
}

function errorTold(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) }
  return { name: error.name, message: error.message, stack: error.stack }
}

/** Python's names for levels, and where its dictConfig keeps them. */
const LEVELS: ReadonlyMap<string, LogLevel> = new Map([
  ['DEBUG', 'debug'],
  ['INFO', 'info'],
  ['WARNING', 'warn'],
  ['WARN', 'warn'],
  ['ERROR', 'error'],
  ['CRITICAL', 'error'],
])

/**
 * What the key LOGGING says: a level, `{ level, format }`, or Python's dictConfig, of which only the
 * level of `root` means something here.
 */
export function logSettings(values: Readonly<Record<string, unknown>>): LogSettings {
  const { LOGGING: logging } = values as {
    readonly LOGGING?:
      | string
      | {
          readonly level?: string
          readonly format?: LogFormat
          readonly root?: { readonly level?: string }
        }
      | null
  }
  if (logging === undefined || logging === null) return {}
  if (typeof logging === 'string') return { level: LEVELS.get(logging.toUpperCase()) }
  const level = logging.level ?? logging.root?.level
  return { level: LEVELS.get(String(level).toUpperCase()), format: logging.format }
}
