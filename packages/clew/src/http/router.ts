import { ConfigError } from '../call/index.ts'
import type { Route, RoutePart, Weight } from './route.ts'

/** What a request line leads to. */
export type Match<T> =
  | { readonly target: T; readonly values: readonly (string | number)[] }
  /** The route is asked for under another path: with a slash at the end, or with fewer slashes. */
  | { readonly redirect: string }
  /** Others than this method would be answered. */
  | { readonly allowed: readonly string[] }
  | undefined

interface Rule<T> {
  readonly route: Route
  readonly methods: ReadonlySet<string>
  readonly target: T
}

interface State<T> {
  readonly literal: Map<string, State<T>>
  readonly variable: { readonly part: RoutePart; readonly next: State<T> }[]
  readonly rules: Rule<T>[]
}

/** Finds the route for a path: werkzeug's state machine, part by part, the most specific first. */
export class Router<T> {
  readonly #root: State<T> = newState()

  /**
   * @param methods upper case; `GET` answers `HEAD` too
   * @param owner for the error's text
   * @throws ConfigError when a route fits the very same requests already
   */
  add(route: Route, methods: readonly string[], target: T, owner: (target: T) => string): void {
    const rule = {
      route,
      methods: new Set(methods.includes('GET') ? [...methods, 'HEAD'] : methods),
      target,
    }
    let state = this.#root
    for (const part of route.parts) state = step(state, part)
    const other = state.rules.find((known) => methods.some((method) => known.methods.has(method)))
    if (other !== undefined) {
      throw new ConfigError(
        `${owner(target)} and ${owner(other.target)} would answer the same requests (${route.text} and ${other.route.text}); change one of the routes, or its methods.`,
      )
    }
    state.rules.push(rule)
  }

  /** @param path decoded, with its slash at the beginning */
  match(path: string, method: string): Match<T> {
    const search = new Search<T>(this.#root, method)
    const asked = `/${path.replace(/^\/+/u, '')}`
    const found = search.find(asked)
    if (found !== undefined) return found
    const merged = asked.replace(/\/{2,}/gu, '/')
    const again = search.find(merged)
    if (again !== undefined) return 'target' in again ? { redirect: merged } : again
    return search.allowed.size > 0 ? { allowed: [...search.allowed] } : undefined
  }
}

function newState<T>(): State<T> {
  return { literal: new Map(), variable: [], rules: [] }
}

function step<T>(state: State<T>, part: RoutePart): State<T> {
  if (part.pattern === undefined) {
    const known = state.literal.get(part.content) ?? newState<T>()
    state.literal.set(part.content, known)
    return known
  }
  const known = state.variable.find(({ part: other }) => samePart(other, part))
  if (known !== undefined) return known.next
  const next = newState<T>()
  state.variable.push({ part, next })
  state.variable.sort((left, right) => compareWeights(left.part.weight, right.part.weight))
  return next
}

function samePart(left: RoutePart, right: RoutePart): boolean {
  return (
    left.content === right.content &&
    left.final === right.final &&
    left.suffixed === right.suffixed &&
    compareWeights(left.weight, right.weight) === 0
  )
}

function compareWeights(left: Weight, right: Weight): number {
  return (
    left[0] - right[0] ||
    compareLists(left[1].flat(), right[1].flat()) ||
    left[2] - right[2] ||
    compareLists(left[3], right[3])
  )
}

function compareLists(left: readonly number[], right: readonly number[]): number {
  for (const [index, one] of left.entries()) {
    const other = right[index]
    if (other === undefined) return 1
    if (one !== other) return one - other
  }
  return left.length - right.length
}

/** One request's way through the states. */
class Search<T> {
  /** Methods of routes that fit the path. */
  readonly allowed = new Set<string>()
  readonly #root: State<T>
  readonly #method: string

  constructor(root: State<T>, method: string) {
    this.#root = root
    this.#method = method
  }

  find(path: string): Match<T> {
    const found = this.#follow(this.#root, path.split('/'), [])
    if (found === undefined) return undefined
    if (found === 'slash') return { redirect: `${path}/` }
    const values: (string | number)[] = []
    for (const [index, converter] of found.rule.route.converters.entries()) {
      const value = converter.read(found.texts[index]!)
      // As in werkzeug, no other route is tried then.
      if (value === undefined) return undefined
      values.push(value)
    }
    return { target: found.rule.target, values }
  }

  #follow(
    state: State<T>,
    parts: readonly string[],
    texts: readonly string[],
  ): { readonly rule: Rule<T>; readonly texts: readonly string[] } | 'slash' | undefined {
    if (parts.length === 0) return this.#arrived(state, texts)
    const [part, ...rest] = parts
    const literal = state.literal.get(part!)
    if (literal !== undefined) {
      const found = this.#follow(literal, rest, texts)
      if (found !== undefined) return found
    }
    for (const { part: test, next } of state.variable) {
      const text = test.final ? parts.join('/') : part!
      const match = text.length > test.longest ? null : test.pattern!.exec(text)
      if (match === null) continue
      const groups = match.slice(1)
      let remaining: readonly string[] = test.final ? [] : rest
      if (test.suffixed && groups.pop() === '/') remaining = ['']
      const found = this.#follow(next, remaining, [...texts, ...groups])
      if (found !== undefined) return found
    }
    return undefined
  }

  #arrived(state: State<T>, texts: readonly string[]) {
    for (const rule of state.rules) {
      if (rule.methods.has(this.#method)) return { rule, texts }
      for (const method of rule.methods) this.allowed.add(method)
    }
    const slashed = state.literal.get('')
    return slashed?.rules.some((rule) => rule.methods.has(this.#method))
      ? ('slash' as const)
      : undefined
  }
}
