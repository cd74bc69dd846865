import {
  Dependency,
  declarationsIn,
  defineService,
  inject,
  type ServiceClass,
} from '../service/index.ts'
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
      // What the class declares is kept apart: only what stays of it may reach the container.
      const { built } = declarationsIn(() => Reflect.construct(target, args, made) as object)
      const fields = built as Record<string, unknown>
      for (const [field, value] of Object.entries(fields)) {
        const replacement = replacements.get(field)
        if (replacement !== undefined) fields[field] = inject(replacement)
        else if (value instanceof Dependency) inject(value)
      }
      return built
    },
  })
}
