import { ConfigError } from '../call/index.ts'
import { declareOnly, methodsOf, type ServiceClass } from '../service/index.ts'

/**
 * The same service with only these entrypoints (Nameko's `restrict_entrypoints`): a test of an event
 * handler need not open a port, nor wait for a timer.
 * @param methods names of the class's methods; those with several entrypoints keep all of them
 * @throws ConfigError when the service has no entrypoint of that name
 */
export function restrictEntrypoints<S extends object>(
  Service: ServiceClass<S>,
  ...methods: readonly (keyof S & string)[]
): ServiceClass<S> {
  const declared = methodsOf(Service)
  for (const method of methods) {
    if (declared.some(({ property }) => property === method)) continue
    const has = [...new Set(declared.map(({ property }) => property))].join(', ') || 'none'
    throw new ConfigError(`Service ${Service.name} has no entrypoint ${method}; it has ${has}.`)
  }
  const Real = Service as new () => object
  const Restricted = class extends Real {}
  Object.defineProperty(Restricted, 'name', { value: Service.name, enumerable: true })
  declareOnly(
    Restricted,
    declared.filter(({ property }) => (methods as readonly string[]).includes(property)),
  )
  return Restricted as unknown as ServiceClass<S>
}
