import { ConfigError, type ErrorClass } from '../call/index.ts'
import type { Entrypoint, EntrypointMethod } from './extension.ts'
import { parametersOf } from './signature.ts'

/** What every decorator of a method may be told. */
export interface MethodOptions {
  /** Name on the wire. @default the method's own name */
  readonly name?: string
  /**
   * Parameter names in order, for callers that use keyword arguments (Python).
   * @default none: keyword arguments arrive as one object behind the positional ones
   */
  readonly params?: readonly string[]
  /** Errors that belong to the method's contract; logged as warnings, without a stack. @default [] */
  readonly expectedErrors?: readonly ErrorClass[]
  /**
   * Arguments that must not appear in logs: a parameter's name, or a path into it such as
   * `card.number` or `users[0].password`. @default []
   */
  readonly sensitive?: readonly string[]
}

/** What fires the method: its decorator's name, and how to make the entrypoint. */
export interface EntrypointKind {
  readonly kind: string
  readonly make: (() => Entrypoint) | undefined
}

// Decorator metadata arrived in engines after the decorators did; both compilers and we agree on this name.
const symbols = Symbol as { metadata?: symbol }
symbols.metadata ??= Symbol.for('Symbol.metadata')

const ENTRYPOINTS = Symbol('clew.entrypoints')

/**
 * Declares an entrypoint on the class being defined: what decorators of methods are made of. A method
 * may have several.
 * @throws ConfigError when the method cannot be an entrypoint, or an option cannot be right
 */
export function declareMethod(
  { kind, make }: EntrypointKind,
  method: (...args: never[]) => unknown,
  context: ClassMethodDecoratorContext,
  options: MethodOptions = {},
): void {
  refuseOldDecorators(kind, context)
  const property = String(context.name)
  if (context.static || context.private || typeof context.name === 'symbol') {
    throw new ConfigError(
      `@${kind} on ${property}: only public instance methods can be called; make it one or remove @${kind}.`,
    )
  }
  const name = options.name ?? property
  // The RPC exchange binds `{service}.*`: one word after the dot, and 255 bytes for a routing key.
  if (!/^[^.\s*#]{1,127}$/u.test(name)) {
    throw new ConfigError(
      `@${kind} on ${property}: the wire name ${JSON.stringify(name)} cannot be routed; use 1 to 127 characters without dots, spaces, * and #.`,
    )
  }
  for (const expected of options.expectedErrors ?? []) {
    if (typeof expected !== 'function') {
      throw new ConfigError(
        `@${kind} on ${property}: expectedErrors holds ${String(expected)}, which is no class; are two modules importing each other?`,
      )
    }
  }
  const parameters = parametersOf(method)
  const sensitive = options.sensitive ?? []
  const names = options.params ?? parameters.names
  for (const path of sensitive) {
    // An argument must not be logged because its name was misspelt, or lost to a minifier.
    if (!names.includes(path.split(/[.[]/u)[0])) {
      throw new ConfigError(
        `@${kind} on ${property}: sensitive names ${JSON.stringify(path)}, but there is no such parameter; correct it, or declare the names with \`params\`.`,
      )
    }
  }
  addMethod(context.metadata, {
    kind,
    property,
    name,
    params: options.params,
    expectedErrors: options.expectedErrors ?? [],
    sensitive,
    parameters,
    owner: context.metadata,
    make,
  })
}

/** TypeScript's old decorators pass the method's name where the standard ones pass an object. */
export function refuseOldDecorators(kind: string, context: unknown): void {
  if (typeof context === 'object') return
  throw new ConfigError(
    `@${kind} needs standard decorators: remove \`experimentalDecorators\` from tsconfig.json.`,
  )
}

/** @throws ConfigError for a decorator that needs arguments and stands without, so that it would declare nothing */
export function refuseBare(first: unknown, context: unknown, example: string): void {
  if (typeof first !== 'function') return
  const { name } = Object(context) as { readonly name?: unknown }
  throw new ConfigError(`The decorator on ${String(name)} needs arguments, such as ${example}.`)
}

function addMethod(metadata: DecoratorMetadataObject, method: EntrypointMethod): void {
  if (!Object.hasOwn(metadata, ENTRYPOINTS)) {
    metadata[ENTRYPOINTS] = [...methodsIn(metadata)]
  }
  ;(metadata[ENTRYPOINTS] as EntrypointMethod[]).push(method)
}

/** The entrypoints that a class declares, inherited ones first. */
export function methodsOf(serviceClass: object): readonly EntrypointMethod[] {
  const metadata = (serviceClass as Record<symbol, unknown>)[symbols.metadata as symbol]
  return metadata === undefined || metadata === null
    ? []
    : methodsIn(metadata as DecoratorMetadataObject)
}

/** Declares on a subclass the entrypoints that it shall have in place of those it inherits. */
export function declareOnly(serviceClass: object, methods: readonly EntrypointMethod[]): void {
  const key = symbols.metadata as symbol
  const inherited = (serviceClass as Record<symbol, unknown>)[key]
  const metadata = Object.create((inherited as object | undefined) ?? null) as object
  Object.defineProperty(metadata, ENTRYPOINTS, { value: [...methods], writable: true })
  Object.defineProperty(serviceClass, key, { value: metadata, configurable: true })
}

function methodsIn(metadata: DecoratorMetadataObject): readonly EntrypointMethod[] {
  return (metadata[ENTRYPOINTS] as readonly EntrypointMethod[] | undefined) ?? []
}
