import { StoreError, type StoreErrorCode } from '../store-error.ts'

/** What the engine's words mean; the first that fits. */
const MEANINGS: readonly (readonly [RegExp, StoreErrorCode])[] = [
  [/NOT_ENOUGH_SPACE|No space left|ENOSPC/u, 'full'],
  [/Cannot lock file|only one active data directory/u, 'locked'],
  [/QUERY_WAS_CANCELLED/u, 'cancelled'],
  [/TIMEOUT_EXCEEDED|TOO_SLOW/u, 'timeout'],
  [/MEMORY_LIMIT_EXCEEDED|TOO_MANY_ROWS|TOO_MANY_BYTES|SET_SIZE_LIMIT/u, 'costly'],
  [
    /CHECKSUM_DOESNT_MATCH|Checksum doesn't match|CORRUPTED_DATA|CANNOT_DECOMPRESS|CANNOT_READ_ALL_DATA|ATTEMPT_TO_READ_AFTER_EOF|UNKNOWN_CODEC|INCORRECT_DATA|SIZES_OF_|FILE_DOESNT_EXIST|BAD_DATA_PART_NAME|NO_FILE_IN_DATA_PART|TOO_LARGE_SIZE_COMPRESSED/u,
    'damaged',
  ],
]

/** What an engine's error comes to; what happened is told in the engine's words. */
export function storeErrorOf(error: unknown): StoreError {
  if (error instanceof StoreError) return error
  const told = error instanceof Error ? error.message : String(error)
  const type = typeof error === 'object' && error !== null && 'type' in error ? error.type : ''
  const message = type ? `${String(type)}: ${told}` : told
  const code = MEANINGS.find(([pattern]) => pattern.test(message))?.[1] ?? 'failed'
  return new StoreError(code, message.slice(0, 1_000), { cause: error })
}
