import { declareMethod, type MethodOptions, refuseOldDecorators } from './declare-method.ts'
import type { Travels } from './wire-types.ts'

/** How a method appears on the wire. */
export type RpcOptions = MethodOptions

type Method<This, Args extends unknown[], Result> = (this: This, ...args: Args) => Result
type MethodContext<This, Args extends unknown[], Result> = ClassMethodDecoratorContext<
  This,
  Method<This, Args, Result>
> &
  Travels<Args> &
  Travels<Awaited<Result>>

/** `@rpc` with options. */
export function rpc(
  options: RpcOptions,
): <This, Args extends unknown[], Result>(
  method: Method<This, Args, Result>,
  context: MethodContext<This, Args, Result>,
) => void
/**
 * Makes a method callable from other services: Nameko's `@rpc`, with or without options. Arguments
 * and result must be what JSON carries; anything else does not compile.
 */
// The compiler gives its reasons for the last overload only: here they are why something cannot travel.
export function rpc<This, Args extends unknown[], Result>(
  method: Method<This, Args, Result>,
  context: MethodContext<This, Args, Result>,
): void
export function rpc(
  first: RpcOptions | Method<unknown, never[], unknown>,
  context?: ClassMethodDecoratorContext,
): unknown {
  if (context !== undefined) refuseOldDecorators('rpc', context)
  if (typeof first === 'function') {
    declareMethod(RPC, first, context as ClassMethodDecoratorContext)
    return undefined
  }
  return (method: Method<unknown, never[], unknown>, late: ClassMethodDecoratorContext) =>
    declareMethod(RPC, method, late, first)
}

const RPC = { kind: 'rpc', make: undefined }
