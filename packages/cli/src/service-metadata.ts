import { describeService, type EntrypointDescription } from 'clew'

const METADATA = (Symbol as { metadata?: symbol }).metadata ?? Symbol.for('Symbol.metadata')
/** What every copy of `clew` calls the place where it keeps its declarations. */
const ENTRYPOINTS = 'clew.entrypoints'

/** What can be told of something a module exports. */
export type Exported =
  /** A class that services can be made of. */
  | {
      readonly kind: 'service'
      readonly service: string
      readonly entrypoints: readonly EntrypointDescription[]
    }
  /** It has entrypoints but no service name of its own: a base class, or one that lacks `static readonly name`. */
  | { readonly kind: 'nameless'; readonly className: string }
  /** Its entrypoints were declared with another copy of `clew` than the one we run with. */
  | { readonly kind: 'foreign'; readonly className: string }
  | { readonly kind: 'other' }

export function inspect(value: unknown): Exported {
  const described = describeService(value)
  if (described !== undefined) {
    const { name, className, entrypoints } = described
    return name === undefined
      ? { kind: 'nameless', className }
      : { kind: 'service', service: name, entrypoints }
  }
  if (typeof value !== 'function') return { kind: 'other' }
  const metadata = (value as unknown as Record<symbol, unknown>)[METADATA]
  if (typeof metadata !== 'object' || metadata === null) return { kind: 'other' }
  const foreign = symbolsOf(metadata).some(({ description }) => description === ENTRYPOINTS)
  return foreign ? { kind: 'foreign', className: value.name } : { kind: 'other' }
}

/** A subclass's metadata inherits from its base's. */
function symbolsOf(metadata: object): readonly symbol[] {
  const inherited = Object.getPrototypeOf(metadata) as object | null
  const own = Object.getOwnPropertySymbols(metadata)
  return inherited === null ? own : [...own, ...symbolsOf(inherited)]
}
