import { ContextKey } from '../call/index.ts'
import type { ForeignContext } from '../trace/index.ts'

/**
 * The trace context of somebody outside who may not continue it: the trace begun in its place keeps
 * it as an attribute. Set by who judges them, before the call reaches the callee's interceptor.
 */
export const FOREIGN = new ContextKey<ForeignContext>('foreign trace context')
