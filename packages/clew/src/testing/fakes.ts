import { ConfigError } from '../call/index.ts'
import { Dependency, type ServiceDefinition } from '../service/index.ts'

/**
 * What a test may put in place of a dependency: the value itself, or of an object only the members
 * that the test needs.
 */
export type Fake<T> = T extends (...args: never[]) => unknown
  ? T
  : T extends object
    ? { readonly [Member in keyof T]?: T[Member] }
    : T

/** Fakes by the fields they belong in. */
export type Fakes<S> = { readonly [Field in keyof S]?: Fake<S[Field]> }

/** @throws ConfigError for a fake that no dependency of the service asks for */
export function checkFakes(definition: ServiceDefinition, fakes: object): void {
  const fields = definition.dependencies.map(([field]) => field)
  for (const name of Object.keys(fakes)) {
    if (fields.includes(name)) continue
    const has = fields.length === 0 ? 'it has none' : `it has ${fields.join(', ')}`
    throw new ConfigError(
      `Service ${definition.name} has no dependency ${name} to put a fake in place of; ${has}.`,
    )
  }
}

/** A fake whose members that the test left out fail when they are used, in words. */
export function strict(service: string, field: string, fake: unknown): unknown {
  if (typeof fake !== 'object' || fake === null) return fake
  const prototype: unknown = Object.getPrototypeOf(fake)
  // An instance of a class, or a proxy, means what it does not have.
  if (prototype !== Object.prototype && prototype !== null) return fake
  return new Proxy(fake, {
    get(target, member, receiver): unknown {
      if (member in target || !isMember(member)) return Reflect.get(target, member, receiver)
      const given = Object.keys(target)
      const has = given.length === 0 ? 'nothing' : given.join(', ')
      throw new ConfigError(
        `${service} used ${field}.${member}, but the fake given for ${field} has only ${has}; add ${member} to it.`,
      )
    },
  })
}

/** What stands for a dependency that no test has named: using it fails, and says what is missing. */
export function unnamed(service: string, field: string): object {
  const explain = (member: string | symbol) =>
    new ConfigError(
      `${service} used ${field}.${String(member)}, but no fake was given for ${field}; pass { ${field}: { ${String(member)}: … } }.`,
    )
  // A function, because some dependencies are one: `this.dispatch('order_created', order)`.
  return new Proxy(() => {}, {
    get(_, member): unknown {
      if (!isMember(member)) return undefined
      throw explain(member)
    },
    apply(): never {
      throw new ConfigError(
        `${service} called ${field}, but no fake was given for it; pass { ${field}: async () => … }.`,
      )
    },
    set(_, member): never {
      throw explain(member)
    },
  }) as object
}

/** Assertions, consoles and `await` look at members that no service means. */
function isMember(member: string | symbol): member is string {
  return typeof member === 'string' && !NOT_MEANT.has(member)
}

const NOT_MEANT: ReadonlySet<string> = new Set([
  ...[
    'then',
    'toJSON',
    'toString',
    'valueOf',
    'constructor',
    'inspect',
    'nodeType',
    'asymmetricMatch',
  ],
])

/** A dependency that gives every worker the same. */
export class Replacement extends Dependency<unknown> {
  readonly #value: unknown
  constructor(value: unknown) {
    super()
    this.#value = value
  }
  override get(): unknown {
    return this.#value
  }
}
