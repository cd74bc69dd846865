import { declareMethod, type MethodOptions, refuseOldDecorators } from '../declare-method.ts'
import { Entrypoint } from '../extension.ts'
import { requireNothing } from './timer.ts'

/** How a method is fired once. */
export type OnceOptions = Pick<MethodOptions, 'name' | 'expectedErrors'>

type Method<This> = (this: This) => unknown
type MethodContext<This> = ClassMethodDecoratorContext<This, Method<This>>

/**
 * Fires a method once, when the service starts, in every replica: Nameko's `@once`, with or without
 * options. The start does not wait for it; the stop does. An error is logged.
 */
export function once<This>(method: Method<This>, context: MethodContext<This>): void
export function once(
  options: OnceOptions,
): <This>(method: Method<This>, context: MethodContext<This>) => void
export function once(
  first: OnceOptions | Method<never>,
  context?: ClassMethodDecoratorContext,
): unknown {
  const declare = (
    method: Method<never>,
    late: ClassMethodDecoratorContext,
    options: OnceOptions = {},
  ): void => {
    refuseOldDecorators('once', late)
    requireNothing('once', method, late)
    declareMethod({ kind: 'once', make: () => new Once() }, method, late, options)
  }
  if (typeof first === 'function') return declare(first, context as ClassMethodDecoratorContext)
  return (method: Method<never>, late: ClassMethodDecoratorContext) => declare(method, late, first)
}

class Once extends Entrypoint {
  #running: Promise<unknown> | undefined

  override start(): void {
    this.#running = this.fire({ args: [], shownAs: 'once' })
  }

  override async stop(): Promise<void> {
    await this.#running
  }
}
