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
  // Two parallel arrays: there are one or two values, and a Map costs more than it saves.
  #keys: ContextKey<unknown>[] | undefined
  #values: unknown[] | undefined

  constructor(parent?: ContextValues) {
    this.#parent = parent
  }

  get<T>(key: ContextKey<T>): T | undefined {
    const index = this.#keys === undefined ? -1 : this.#keys.indexOf(key)
    if (index >= 0) return this.#values![index] as T
    return this.#parent?.get(key)
  }

  set<T>(key: ContextKey<T>, value: T): void {
    if (this.#keys === undefined) {
      this.#keys = [key]
      this.#values = [value]
      return
    }
    const index = this.#keys.indexOf(key)
    if (index >= 0) {
      this.#values![index] = value
    } else {
      this.#keys.push(key)
      this.#values!.push(value)
    }
  }
}
