/**
 * What a value looks like once JSON has carried it. Types that cannot travel become a sentence, so
 * that the compiler's message says what is wrong.
 */
export type WireForm<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends bigint | symbol
    ? 'bigint and symbol cannot travel as JSON'
    : T extends Date | RegExp | Map<unknown, unknown> | Set<unknown> | Promise<unknown>
      ? 'this class cannot travel as JSON; send its value'
      : T extends (...args: never[]) => unknown
        ? 'functions cannot travel as JSON'
        : T extends object
          ? { [K in keyof T]: WireForm<T[K]> }
          : T

/** `unknown` where the type can travel, else a type nothing can be assigned to. */
export type Travels<T> = [T] extends [WireForm<T>]
  ? unknown
  : { readonly cannotTravel: WireForm<T> }

/**
 * A service as its clients see it: each public method returns a promise of its result; fields are
 * `never`. They are not filtered out: to know which keys are methods the compiler would have to
 * resolve every field, and services that hold proxies of each other would never end.
 */
export type Rpc<S> = {
  readonly [M in keyof S]: S[M] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never
}

/** The same service called with keyword arguments: the methods take no positional ones. */
export type RpcByKeyword<S> = {
  readonly [M in keyof S]: S[M] extends (...args: never[]) => Promise<infer R>
    ? () => Promise<R>
    : never
}

/** Several services by their names. */
export type RpcCluster<Services> = {
  readonly [Name in keyof Services]: Rpc<Services[Name]>
}
