/** What an AMQP header can carry. Tables are null-prototype objects, so no key can reach a prototype. */
export type HeaderValue =
  | string
  | number
  | boolean
  | null
  | Uint8Array
  | readonly HeaderValue[]
  | { readonly [key: string]: HeaderValue }

/** A header table: a null-prototype record. */
export type Headers = Readonly<Record<string, HeaderValue>>
