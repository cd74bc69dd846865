/** Names a value that travels beside calls within one process, never on the wire. */
export class ContextKey<T> {
  readonly name: string
  /** Only gives the key its type; never set. */
  declare readonly valueType: T
  constructor(name: string) {
    this.name = name
  }
}

/**
 * Values of one worker, shared by the call it handles and the calls it makes. A derived set sees
 * its parent's values and keeps its own to itself.
 */
export class ContextValues {
  readonly #parent: ContextValues | undefined
  // There are one or two values: two places spare them a list.
  #firstKey: ContextKey<unknown> | undefined
  #first: unknown
  #secondKey: ContextKey<unknown> | undefined
  #second: unknown
  #more: Map<ContextKey<unknown>, unknown> | undefined

  constructor(parent?: ContextValues) {
    this.#parent = parent
  }

  get<T>(key: ContextKey<T>): T | undefined {
    if (this.#firstKey === key) return this.#first as T
    if (this.#secondKey === key) return this.#second as T
    if (this.#more?.has(key)) return this.#more.get(key) as T
    return this.#parent?.get(key)
  }

  set<T>(key: ContextKey<T>, value: T): void {
    if (this.#firstKey === undefined || this.#firstKey === key) {
      this.#firstKey = key
      this.#first = value
    } else if (this.#secondKey === undefined || this.#secondKey === key) {
      this.#secondKey = key
      this.#second = value
    } else {
      this.#more ??= new Map()
      this.#more.set(key, value)
    }
  }
}
