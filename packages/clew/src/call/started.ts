import { ContextKey } from './context-values.ts'

/** Who is told when a call that had to wait for a free worker begins. */
export interface Starting {
  started(): void
}

/** Set by interceptors, told by the container. */
export const STARTED = new ContextKey<Starting>('started')
