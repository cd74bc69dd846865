import { ConfigError, type ErrorClass } from '../call/index.ts'
import { declareEntrypoint } from './entrypoint.ts'
import { parametersOf } from './signature.ts'
import type { Travels } from './wire-types.ts'

/** How a method appears on the wire. */
export interface RpcOptions {
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

type Method<This, Args extends unknown[], Result> = (this: This, ...args: Args) => Result
type MethodContext<This, Args extends unknown[], Result> = ClassMethodDecoratorContext<
  This,
  Method<This, Args, Result>
> &
  Travels<Args> &
  Travels<Awaited<Result>>

/**
 * Makes a method callable from other services: Nameko's `@rpc`, with or without options. Arguments
 * and result must be what JSON carries; anything else does not compile.
 */
export function rpc<This, Args extends unknown[], Result>(
  method: Method<This, Args, Result>,
  context: MethodContext<This, Args, Result>,
): void
export function rpc(
  options: RpcOptions,
): <This, Args extends unknown[], Result>(
  method: Method<This, Args, Result>,
  context: MethodContext<This, Args, Result>,
) => void
export function rpc(
  first: RpcOptions | Method<unknown, never[], unknown>,
  context?: ClassMethodDecoratorContext,
): unknown {
  if (context !== undefined) refuseOldDecorators(context)
  if (typeof first === 'function') {
    declare(first, context as ClassMethodDecoratorContext, {})
    return undefined
  }
  return (method: Method<unknown, never[], unknown>, late: ClassMethodDecoratorContext) =>
    declare(method, late, first)
}

/** TypeScript's old decorators pass the method's name where the standard ones pass an object. */
function refuseOldDecorators(context: unknown): void {
  if (typeof context === 'object') return
  throw new ConfigError(
    '@rpc needs standard decorators: remove `experimentalDecorators` from tsconfig.json.',
  )
}

function declare(
  method: Method<unknown, never[], unknown>,
  context: ClassMethodDecoratorContext,
  options: RpcOptions,
): void {
  refuseOldDecorators(context)
  const property = String(context.name)
  if (context.static || context.private || typeof context.name === 'symbol') {
    throw new ConfigError(
      `@rpc on ${property}: only public instance methods can be called; make it one or remove @rpc.`,
    )
  }
  const name = options.name ?? property
  // The RPC exchange binds `{service}.*`: one word after the dot, and 255 bytes for a routing key.
  if (!/^[^.\s*#]{1,127}$/u.test(name)) {
    throw new ConfigError(
      `@rpc on ${property}: the wire name ${JSON.stringify(name)} cannot be routed; use 1 to 127 characters without dots, spaces, * and #.`,
    )
  }
  for (const expected of options.expectedErrors ?? []) {
    if (typeof expected !== 'function') {
      throw new ConfigError(
        `@rpc on ${property}: expectedErrors holds ${String(expected)}, which is no class; are two modules importing each other?`,
      )
    }
  }
  const parameters = parametersOf(method as (...args: never[]) => unknown)
  const sensitive = options.sensitive ?? []
  const names = options.params ?? parameters.names
  for (const path of sensitive) {
    // An argument must not be logged because its name was misspelt, or lost to a minifier.
    if (!names.includes(path.split(/[.[]/u)[0])) {
      throw new ConfigError(
        `@rpc on ${property}: sensitive names ${JSON.stringify(path)}, but there is no such parameter; correct it, or declare the names with \`params\`.`,
      )
    }
  }
  declareEntrypoint(context.metadata, {
    property,
    name,
    params: options.params,
    expectedErrors: options.expectedErrors ?? [],
    sensitive,
    parameters,
  })
}
