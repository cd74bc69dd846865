import { shownAddress } from '../call/index.ts'

/**
 * What a configuration holds where an address should be, for an error's text: without passwords, and
 * with a word about YAML, for which `memory:` is a key without a value.
 */
export function gotInstead(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (typeof value === 'string') return shownAddress(value)
  const [key, ...others] = typeof value === 'object' ? Object.keys(value) : []
  if (key === undefined || others.length > 0) return `no text but ${typeof value}`
  return `the key ${key}; in YAML what ends with a colon needs quotes, as in "${key}:"`
}
