/** What became of a command that failed. */
export type RedisErrorCode =
  /** Redis cannot be reached, or takes no commands. */
  | 'unavailable'
  /** It did not answer in time; a command that writes may have done so. */
  | 'timeout'
  /** The worker that asked for it has ended. */
  | 'cancelled'
  /** Redis answered with an error: a mistake in the command or its arguments. */
  | 'rejected'

/** A command failed. */
export class RedisError extends Error {
  readonly code: RedisErrorCode

  constructor(code: RedisErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'RedisError'
    this.code = code
  }
}

/** Redis cannot be reached, or takes no commands. */
export class RedisUnavailable extends RedisError {
  constructor(message: string, options?: ErrorOptions) {
    super('unavailable', message, options)
    this.name = 'RedisUnavailable'
  }
}

/** Redis did not answer in time. */
export class RedisTimeout extends RedisError {
  constructor(message: string, options?: ErrorOptions) {
    super('timeout', message, options)
    this.name = 'RedisTimeout'
  }
}

/** What Redis says first when it takes no commands for now. */
const UNAVAILABLE = /^(?:LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|READONLY|NOAUTH|WRONGPASS)\b/

/** @param redis how to name it in messages */
export function toRedisError(thrown: unknown, redis: string): RedisError {
  if (thrown instanceof RedisError) return thrown
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const options = { cause: thrown }
  const ofCommand = error.name === 'ReplyError' || error instanceof TypeError
  if (ofCommand && !UNAVAILABLE.test(error.message)) {
    return new RedisError('rejected', error.message, options)
  }
  return new RedisUnavailable(`${redis} cannot be used: ${error.message}`, options)
}
