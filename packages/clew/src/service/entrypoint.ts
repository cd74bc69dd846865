import type { ErrorClass } from '../call/index.ts'
import type { Parameters } from './signature.ts'

/** A method that calls may reach, as `@rpc` declared it. */
export interface Entrypoint {
  /** Name of the class's method. */
  readonly property: string
  /** Name on the wire. */
  readonly name: string
  /** Names that Python's keyword arguments are matched with; undefined: keywords arrive as one object. */
  readonly params: readonly string[] | undefined
  /** Errors that are part of the method's contract: logged as warnings, not as faults. */
  readonly expectedErrors: readonly ErrorClass[]
  /** Arguments never to be logged, such as `password` or `card.number`. */
  readonly sensitive: readonly string[]
  readonly parameters: Parameters
}

// Decorator metadata arrived in engines after the decorators did; both compilers and we agree on this name.
const symbols = Symbol as { metadata?: symbol }
symbols.metadata ??= Symbol.for('Symbol.metadata')

const ENTRYPOINTS = Symbol('clew.entrypoints')

/** Adds an entrypoint to the metadata of the class being defined; subclasses inherit them. */
export function declareEntrypoint(metadata: DecoratorMetadataObject, entrypoint: Entrypoint): void {
  if (!Object.hasOwn(metadata, ENTRYPOINTS)) {
    metadata[ENTRYPOINTS] = [...entrypointsIn(metadata)]
  }
  ;(metadata[ENTRYPOINTS] as Entrypoint[]).push(entrypoint)
}

/** The entrypoints a class declares, inherited ones first. */
export function entrypointsOf(serviceClass: object): readonly Entrypoint[] {
  const metadata = (serviceClass as Record<symbol, unknown>)[symbols.metadata as symbol]
  return metadata === undefined || metadata === null
    ? []
    : entrypointsIn(metadata as DecoratorMetadataObject)
}

function entrypointsIn(metadata: DecoratorMetadataObject): readonly Entrypoint[] {
  return (metadata[ENTRYPOINTS] as readonly Entrypoint[] | undefined) ?? []
}
