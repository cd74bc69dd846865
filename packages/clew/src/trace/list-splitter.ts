export interface ListListener {
  /** An element that may be an entry. */
  element(text: string): void
  /** A line begins. */
  line(): void
  /** An element was passed over. */
  tooLong(): void
  /** Something else stands in the list. */
  stray(text: string): void
  /** It cannot be a list. What follows is to be read as lines. */
  broken(): void
}

/**
 * Cuts a JSON list into its elements as its text comes, without holding more than one of them.
 * What cannot be a list, such as a damaged line that begins like one, is given up early.
 */
export class ListSplitter {
  readonly #maxLength: number
  closed = false
  #depth = 0
  #inString = false
  #escaped = false
  #element = ''
  #tooLong = false
  /** The last character that was not white space. */
  #last = '['

  constructor(maxLength: number) {
    this.#maxLength = maxLength
  }

  /** Reads on from `at`; returns how far the list, or the chunk, went. */
  push(chunk: string, at: number, listener: ListListener): number {
    let from = at
    for (let index = at; index < chunk.length; index++) {
      const char = chunk[index]!
      if (this.#inString) {
        if (char === '\n') return this.#giveUp(index, listener)
        if (this.#escaped) this.#escaped = false
        else if (char === '\\') this.#escaped = true
        else if (char === '"') this.#inString = false
        continue
      }
      if (char === ' ' || char === '\t' || char === '\r') continue
      if (char === '\n') {
        listener.line()
        continue
      }
      if (this.#depth === 0 && (char === ',' || char === ']')) {
        this.#keep(chunk.slice(from, index), listener)
        this.#finish(listener)
        from = index + 1
        if (char === ']') {
          this.closed = true
          return from
        }
      } else if (char === '{' || char === '[') {
        if (!'[,:'.includes(this.#last)) return this.#giveUp(index, listener)
        this.#depth++
      } else if (char === '}' || char === ']') {
        this.#depth = Math.max(0, this.#depth - 1)
      } else if (char === '"') {
        this.#inString = true
      }
      this.#last = char
    }
    this.#keep(chunk.slice(from), listener)
    return chunk.length
  }

  #giveUp(index: number, listener: ListListener): number {
    listener.broken()
    this.closed = true
    return index
  }

  #keep(text: string, listener: ListListener): void {
    if (this.#tooLong) return
    if (this.#element.length + text.length > this.#maxLength) {
      this.#tooLong = true
      this.#element = ''
      listener.tooLong()
    } else {
      this.#element += text
    }
  }

  #finish(listener: ListListener): void {
    const text = this.#element.trim()
    this.#element = ''
    this.#tooLong = false
    if (text.startsWith('{')) listener.element(text)
    else if (text !== '') listener.stray(text.slice(0, 40))
  }
}
