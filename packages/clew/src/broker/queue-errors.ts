import { ConfigError, RpcError } from '../call/index.ts'
import { refusalOf } from './transport.ts'

/** Why a queue cannot be consumed, in words that say what to do. */
export function unconsumed(queue: string, error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error)
  switch (refusalOf(error)) {
    case 'PRECONDITION_FAILED':
      return new ConfigError(
        `queue ${queue} cannot be consumed: it, or its exchange, exists with other properties. Declare it as it is, or delete it (${reason})`,
        { cause: error },
      )
    case 'NOT_FOUND':
      return new ConfigError(
        `queue ${queue} cannot be consumed: its exchange is not there. Leave out \`declareExchange: false\`, or start what declares it (${reason})`,
        { cause: error },
      )
    case 'RESOURCE_LOCKED':
      return new ConfigError(
        `queue ${queue} cannot be consumed: it is exclusive to another connection. Give each its own name, or leave out \`exclusive\` (${reason})`,
        { cause: error },
      )
    default: {
      const message = `queue ${queue} cannot be consumed: ${reason}`
      return new RpcError('disconnected', message, {}, { cause: error })
    }
  }
}
