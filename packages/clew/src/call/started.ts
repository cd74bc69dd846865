import { ContextKey } from './context-values.ts'

/** What a container calls when a call that had to wait for a free worker begins. Interceptors set it. */
export const STARTED = new ContextKey<() => void>('started')
