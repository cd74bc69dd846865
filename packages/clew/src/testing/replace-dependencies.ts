import { declarationsIn, defineService, type ServiceClass } from '../service/index.ts'
import { checkFakes, type Fakes, Replacement, strict } from './fakes.ts'

/**
 * The same service with some of its dependencies replaced, for `run` and `memoryCluster` (Nameko's
 * `replace_dependencies`). What is replaced is never set up, started or stopped.
 * @throws ConfigError when the class is no service, or has no dependency of that name
 */
export function replaceDependencies<S extends object>(
  Service: ServiceClass<S>,
  fakes: Fakes<S>,
): ServiceClass<S> {
  const definition = defineService(Service)
  checkFakes(definition, fakes)
  const replacements = new Map(
    Object.entries(fakes).map(([field, fake]) => [
      field,
      new Replacement(strict(definition.name, field, fake)),
    ]),
  )
  return new Proxy(Service, {
    construct(target, args, made): object {
      // What the class declares is kept apart: what is replaced must not reach the container.
      const { built } = declarationsIn(() => Reflect.construct(target, args, made) as object)
      return Object.assign(built, Object.fromEntries(replacements))
    },
  })
}
