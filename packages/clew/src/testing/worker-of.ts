import { defineService, type ServiceClass } from '../service/index.ts'
import { checkFakes, type Fakes, strict, unnamed } from './fakes.ts'

/**
 * An instance of a service with fakes in its fields: the unit under test, without a broker, a container
 * or anything else (Nameko's `worker_factory`). A dependency that gets no fake, and a member that a fake
 * lacks, fails with a clear message when the method uses it. Calls are plain method calls: nothing is
 * checked or encoded.
 * @throws ConfigError when the class is no service, or has no dependency of that name
 */
export function workerOf<S extends object>(Service: ServiceClass<S>, fakes: Fakes<S> = {}): S {
  const definition = defineService(Service)
  checkFakes(definition, fakes)
  const worker = new Service()
  for (const [field] of definition.dependencies) {
    const value = Object.hasOwn(fakes, field)
      ? strict(definition.name, field, (fakes as Record<string, unknown>)[field])
      : unnamed(definition.name, field)
    ;(worker as Record<string, unknown>)[field] = value
  }
  return worker
}
