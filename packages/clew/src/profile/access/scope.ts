/**
 * What somebody may see of a call's tree. `none`: nothing. `total`: how long the call took. `own`: the
 * asked service's own work and the calls it made, what is below them merged. `full`: everything.
 */
export type Scope = 'none' | 'total' | 'own' | 'full'

/** From the least to the most. */
export const SCOPES: readonly Scope[] = ['none', 'total', 'own', 'full']

export function isScope(value: unknown): value is Scope {
  return SCOPES.includes(value as Scope)
}
