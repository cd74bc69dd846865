/** Longest operation in a trace, in characters. */
export const LONGEST_OPERATION = 200

const WORD = /^[A-Za-z][A-Za-z_-]{0,39}$/

/**
 * A key without what varies: `products:42` is `products:?`. The word before the first colon names
 * the kind of thing by everybody's convention; a key without one is all value.
 */
export function keyPattern(key: string): string {
  const colon = key.indexOf(':')
  if (colon < 0) return '?'
  const kind = key.slice(0, colon)
  return WORD.test(kind) ? `${kind}:?` : '?'
}

/** What a command does, without values: `HGETALL products:?`. */
export function operationOf(command: string, keys: readonly string[]): string {
  const name = commandName(command)
  const patterns = [...new Set(keys.slice(0, 100).map(keyPattern))]
  return bounded([name, ...patterns].join(' '))
}

/** What a batch does, in one line: `MULTI HSET products:?, EXPIRE products:? x3`. */
export function batchOf(kind: string, operations: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const operation of operations) counts.set(operation, (counts.get(operation) ?? 0) + 1)
  const parts = [...counts].map(([operation, count]) =>
    count === 1 ? operation : `${operation} x${count}`,
  )
  return bounded(`${kind} ${parts.join(', ')}`.trim())
}

/** Redis has no command with other characters, so it can be no value by mistake. */
function commandName(command: string): string {
  return /^[a-z_.]{1,40}$/i.test(command) ? command.toUpperCase() : '?'
}

function bounded(text: string): string {
  return text.length <= LONGEST_OPERATION ? text : `${text.slice(0, LONGEST_OPERATION - 1)}…`
}
