import type { Reply } from '../call/index.ts'
import type {
  EntrypointMethod,
  Firing,
  Outcome,
  ServiceDefinition,
  WorkerContext,
} from '../service/index.ts'

/** The way into running services, by their names; for tests and for debugging. */
export const INSIDE = Symbol('clew.inside')

/** One service as it runs. */
export interface Inside {
  readonly definition: ServiceDefinition
  /** Runs a worker as an entrypoint would. Never rejects. */
  fire(method: EntrypointMethod, firing: Firing): Promise<Reply>
  /** Tells of workers until what is returned is called. */
  watch(watcher: WorkerWatcher): () => void
}

/** Told of workers. Must not throw. */
export interface WorkerWatcher {
  began?(worker: WorkerContext): void
  /** The method and all hooks of its dependencies are over. */
  ended?(worker: WorkerContext, outcome: Outcome): void
}
