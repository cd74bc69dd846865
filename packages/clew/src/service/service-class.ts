import { ConfigError } from '../call/index.ts'
import { methodsOf } from './declare-method.ts'
import { Dependency, declarationsIn } from './dependency.ts'
import type { EntrypointMethod } from './extension.ts'

/** A class whose instances handle calls: `static readonly name`, methods with `@rpc`, injected fields. */
export interface ServiceClass<S extends object = object> {
  readonly name: string
  new (): S
}

/** What a service class declares, read once. */
export interface ServiceDefinition {
  readonly name: string
  readonly serviceClass: ServiceClass
  /** Methods that calls may reach, by their names on the wire. */
  readonly rpc: ReadonlyMap<string, EntrypointMethod>
  /** Methods that something else fires: events, clocks, requests. */
  readonly fired: readonly EntrypointMethod[]
  /** The dependencies and the fields they belong in. */
  readonly dependencies: readonly (readonly [field: string, dependency: Dependency<unknown>])[]
}

/**
 * Reads a service class.
 * @throws ConfigError saying what is wrong with the class and how to mend it
 */
export function defineService(serviceClass: ServiceClass): ServiceDefinition {
  const name = serviceName(serviceClass)
  const methods = overridden(methodsOf(serviceClass))
  const rpc = new Map<string, EntrypointMethod>()
  for (const method of methods) {
    if (method.make !== undefined) continue
    if (rpc.has(method.name)) {
      throw new ConfigError(
        `Service ${name} has two methods with the wire name ${method.name}; give one another @rpc({ name }).`,
      )
    }
    rpc.set(method.name, method)
  }
  if (methods.length === 0) {
    throw new ConfigError(
      `Service ${name} has no entrypoint, so nobody could call it; put @rpc before a method.`,
    )
  }
  const fired = methods.filter(({ make }) => make !== undefined)
  return { name, serviceClass, rpc, fired, dependencies: dependenciesOf(name, serviceClass) }
}

/**
 * A subclass that decorates an inherited method again replaces its declarations: those of one class
 * stand together, so what counts is the last run of each property.
 */
export function overridden(methods: readonly EntrypointMethod[]): readonly EntrypointMethod[] {
  return methods.filter(
    (method, index) =>
      !methods.some(
        (other, later) =>
          later > index && other.property === method.property && other.owner !== method.owner,
      ),
  )
}

function serviceName(serviceClass: ServiceClass): string {
  if (typeof serviceClass !== 'function') {
    throw new ConfigError(`A service must be a class; got ${typeof serviceClass}.`)
  }
  const name: unknown = serviceClass.name
  if (!namesItself(serviceClass)) {
    throw new ConfigError(
      `Class ${String(name)} has no service name; add \`static readonly name = '…'\`.`,
    )
  }
  if (typeof name !== 'string' || !/^[^.\s*#]{1,120}$/u.test(name)) {
    throw new ConfigError(
      `Service name ${JSON.stringify(name)} cannot be routed; use 1 to 120 characters without dots, spaces, * and #.`,
    )
  }
  return name
}

/** Every class has a `name`; a declared one differs by being enumerable or a getter. */
export function namesItself(serviceClass: object): boolean {
  const declared = Object.getOwnPropertyDescriptor(serviceClass, 'name')
  return declared !== undefined && (declared.enumerable === true || declared.get !== undefined)
}

function dependenciesOf(
  name: string,
  ServiceType: ServiceClass,
): readonly (readonly [string, Dependency<unknown>])[] {
  const { built, dependencies } = declarationsIn(() => new ServiceType())
  const fields = Object.entries(built).filter(
    (field): field is [string, Dependency<unknown>] => field[1] instanceof Dependency,
  )
  const found = new Set(fields.map(([, dependency]) => dependency))
  if (dependencies.some((dependency) => !found.has(dependency))) {
    throw new ConfigError(
      `Service ${name} declares a dependency where it cannot be injected (a #private field, or inside another value); put it into a field of its own.`,
    )
  }
  return fields
}
