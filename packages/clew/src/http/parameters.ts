/**
 * What a route's variables become, in the order of its text: numbers for `<int:id>` and
 * `<float:share>`, one of the items for `<any(a,b):kind>`, text for all others.
 */
export type RouteParameters<Url extends string> = string extends Url
  ? (string | number)[]
  : Url extends `${string}<${infer Variable}>${infer Rest}`
    ? [Value<Variable>, ...RouteParameters<Rest>]
    : []

type Value<Variable extends string> = Variable extends `int:${string}` | `int(${string}):${string}`
  ? number
  : Variable extends `float:${string}` | `float(${string}):${string}`
    ? number
    : Variable extends `any(${infer Items}):${string}`
      ? Item<Items>
      : string

/** Quoted items may contain commas, so they are only known to be text. */
type Item<Items extends string> = Items extends `${string}${'"' | "'"}${string}`
  ? string
  : Items extends `${infer First},${infer Rest}`
    ? Trimmed<First> | Item<Rest>
    : Trimmed<Items>

type Trimmed<Text extends string> = Text extends ` ${infer Rest}` | `${infer Rest} `
  ? Trimmed<Rest>
  : Text
