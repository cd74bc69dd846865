import type { Attributes, Edge } from './entry.ts'
import { EDGES, PAUSES, REASONS, STATUSES } from './format.ts'

/** Takes a value as it stands in a line; undefined where it is not what the field holds. */
export type Read = (value: unknown) => unknown

/** Longest text kept of a field, in UTF-16 units: beyond, no name or id means anything to anybody. */
const MAX_FIELD = 4_096

export function text(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  return value.length > MAX_FIELD ? `${value.slice(0, MAX_FIELD)}…` : value
}

export const someText = (value: unknown) => (value === '' ? undefined : text(value))

export const textOrNull = (value: unknown) => (value === null ? null : text(value))

export const textOrNone = (value: unknown) => text(value) ?? ''

export const number = (value: unknown) => (Number.isFinite(value) ? (value as number) : undefined)

export const count = (value: unknown) =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined

export const duration = (value: unknown) => ((value as number) >= 0 ? number(value) : undefined)

export const flag = (value: unknown) => (typeof value === 'boolean' ? value : undefined)

const oneOf =
  <T>(known: readonly T[]) =>
  (value: unknown) =>
    known.find((one) => one === value)

export const edge = oneOf<Edge>([...EDGES, 'local'])

export const share = (value: unknown) =>
  (value as number) >= 0 && (value as number) <= 1 ? number(value) : undefined

export const pauseKind = oneOf(PAUSES)

const knownStatus = oneOf(STATUSES)
const knownReason = oneOf(REASONS)

/** A status that nobody here knows still says that it was not `ok`. */
export const status = (value: unknown) =>
  knownStatus(value) ?? (typeof value === 'string' ? 'error' : undefined)

export const reason = (value: unknown) => knownReason(value) ?? 'unreadable'

/** Most attributes kept of an entry. */
const MAX_ATTRIBUTES = 128

export function attributes(value: unknown): Attributes | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const taken: [string, string | number | boolean][] = []
  for (const [key, told] of Object.entries(value).slice(0, MAX_ATTRIBUTES)) {
    const kept = typeof told === 'boolean' ? told : (number(told) ?? text(told))
    if (kept !== undefined) taken.push([key.slice(0, MAX_FIELD), kept])
  }
  return taken.length === 0 ? undefined : Object.fromEntries(taken)
}
