/** What an AMQP header can carry. Tables have no properties but their entries, so no key can reach a prototype's. */
export type HeaderValue =
  | string
  | number
  | boolean
  | null
  | Uint8Array
  | readonly HeaderValue[]
  | { readonly [key: string]: HeaderValue }

/** A header table: a record without inherited properties. */
export type Headers = Readonly<Record<string, HeaderValue>>

/** A header table that is being filled. */
export type HeaderTable = Record<string, HeaderValue>

// No class: the prototype of one cannot be replaced.
function Table(): void {}
Table.prototype = Object.freeze(Object.create(null))

/**
 * An empty header table. Its prototype is empty and has none itself: like an object without a
 * prototype, but the engine keeps it as fast as any other, which for those it does not.
 */
export const NewTable = Table as unknown as new () => HeaderTable
