import { ConfigError } from '../../call/index.ts'

export interface SendingOptions {
  /** What this process is called at the collector. @default the name of the program's file */
  readonly name?: string | undefined
  /** Bytes that wait to be sent, at most; beyond it the oldest packets are dropped and counted. @default 8388608 */
  readonly maxBufferBytes?: number | undefined
  /** A batch is sent when so many bytes wait. From 1024 to 8388608. @default 262144 */
  readonly batchBytes?: number | undefined
  /** A batch is sent when its first packet has waited so long, in milliseconds. @default 200 */
  readonly batchMs?: number | undefined
  /** How long an answer is waited for before the batch is sent again, in milliseconds. @default 10000 */
  readonly timeoutMs?: number | undefined
  /** How long `flush` and `close` try, in milliseconds. @default 5000 */
  readonly flushMs?: number | undefined
  /** Told once for each run of failures. @default a line on stderr */
  readonly onProblem?: ((message: string, error?: unknown) => void) | undefined
}

/** The options that are numbers, each given. */
export type SendingBounds = {
  readonly [Option in keyof typeof BOUNDS]: number
}

/** Of one packet; what is larger nobody would take. */
export const MOST_PACKET_BYTES = 8 * 1024 * 1024

const BOUNDS = {
  maxBufferBytes: [1_024, 2 ** 40],
  batchBytes: [1_024, MOST_PACKET_BYTES],
  batchMs: [0, 60_000],
  timeoutMs: [1, 600_000],
  flushMs: [0, 600_000],
} as const

/** The options with their defaults. @throws ConfigError for what no buffer or timer can be */
export function boundsOf(options: SendingOptions): SendingBounds {
  const bounds = {
    maxBufferBytes: options.maxBufferBytes ?? 8 * 1024 * 1024,
    batchBytes: options.batchBytes ?? 256 * 1024,
    batchMs: options.batchMs ?? 200,
    timeoutMs: options.timeoutMs ?? 10_000,
    flushMs: options.flushMs ?? 5_000,
  }
  for (const [option, value] of Object.entries(bounds)) {
    const [least, most] = BOUNDS[option as keyof typeof BOUNDS]
    if (typeof value === 'number' && value >= least && value <= most) continue
    throw new ConfigError(
      `sink: ${option} must be a number from ${least} to ${most}; got ${value}.`,
    )
  }
  return bounds
}
