import { ContextKey } from './context-values.ts'

/** Arguments of a call, as they were bound to the parameters of its method; what is sensitive is masked. */
export interface BoundArguments {
  /** Undefined where a parameter has no name. */
  readonly names: readonly (string | undefined)[]
  readonly args: readonly unknown[]
}

/** What a container calls with a call's arguments before its method runs. Interceptors set it. */
export const BOUND = new ContextKey<(bound: BoundArguments) => void>('bound')
