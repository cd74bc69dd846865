import { rpc } from 'clew'

const METADATA = (Symbol as { metadata?: symbol }).metadata ?? Symbol.for('Symbol.metadata')

interface Declared {
  /** The method's name on the wire. */
  readonly name: string
}

/** Where `@rpc` of the `clew` we run with keeps its declarations: found by letting it declare one. */
const OURS = (() => {
  const metadata: DecoratorMetadataObject = Object.create(null)
  const declare = rpc as unknown as (method: () => void, context: object) => void
  const place = { kind: 'method', name: 'probe', static: false, private: false, metadata }
  declare(() => {}, place)
  return Object.getOwnPropertySymbols(metadata)[0]!
})()

/** What can be told of something a module exports. */
export type Exported =
  /** A class that services can be made of; `methods` are the wire names of its calls. */
  | { readonly kind: 'service'; readonly service: string; readonly methods: readonly string[] }
  /** It has calls but no service name of its own: a base class, or one that lacks `static readonly name`. */
  | { readonly kind: 'nameless'; readonly className: string }
  /** Its calls were declared with another copy of `clew` than the one we run with. */
  | { readonly kind: 'foreign'; readonly className: string }
  | { readonly kind: 'other' }

export function inspect(value: unknown): Exported {
  if (typeof value !== 'function') return { kind: 'other' }
  const metadata = (value as unknown as Record<symbol, unknown>)[METADATA]
  if (typeof metadata !== 'object' || metadata === null) return { kind: 'other' }
  const declared = (metadata as Record<symbol, readonly Declared[] | undefined>)[OURS]
  if (declared === undefined) {
    const foreign = symbolsOf(metadata).some(({ description }) => description === OURS.description)
    return foreign ? { kind: 'foreign', className: value.name } : { kind: 'other' }
  }
  if (!namesItself(value)) return { kind: 'nameless', className: String(value.name) }
  return { kind: 'service', service: value.name, methods: declared.map(({ name }) => name) }
}

/** Every class has a `name`; one that was declared differs by being enumerable or a getter. */
function namesItself(value: object): boolean {
  const name = Object.getOwnPropertyDescriptor(value, 'name')
  return name !== undefined && (name.enumerable === true || name.get !== undefined)
}

/** A subclass's metadata inherits from its base's. */
function symbolsOf(metadata: object): readonly symbol[] {
  const inherited = Object.getPrototypeOf(metadata) as object | null
  const own = Object.getOwnPropertySymbols(metadata)
  return inherited === null ? own : [...own, ...symbolsOf(inherited)]
}
