/** Longest beginning of a record that is looked at across two chunks, in UTF-16 units. */
const MOST_AHEAD = 300

const FIRST_KEY = /^\{\s*"((?:[^"\\]|\\.){1,100})"\s*:/

/**
 * Finds where to go on in damaged JSON. Who writes records begins all of them with the same key, and
 * whatever else their text has does not; who writes a document a line begins each with the same.
 */
export class JsonRecovery {
  #record: string
  #document: string | undefined
  #learned = false
  #pattern: RegExp | undefined

  constructor(firstKey: string) {
    this.#record = firstKey
  }

  /** A record that could be read begins so. */
  learnRecord(text: string): void {
    if (this.#learned) return
    const key = FIRST_KEY.exec(text)?.[1]
    if (key === undefined) return
    this.#record = key
    this.#learned = true
    this.#pattern = undefined
  }

  /** A document begins at `at`. */
  learnDocument(text: string, at: number): void {
    if (this.#document !== undefined) return
    const key = FIRST_KEY.exec(text.slice(at, at + MOST_AHEAD))?.[1]
    if (key === undefined && text[at] === '{') return
    this.#document = key === undefined ? '\\[' : startOf(key)
    this.#pattern = undefined
  }

  /**
   * @returns where the next record or document begins; without `what`, from where on the text is to
   *   be looked at again when more of it has come
   */
  find(text: string, from: number): { at: number; what: 'record' | 'document' | undefined } {
    const record = startOf(this.#record)
    // In a group that nothing matches as long as no document's beginning is known.
    const document = this.#document ?? '(?!)'
    this.#pattern ??= new RegExp(`\\n(${document})|(${record})`, 'gi')
    this.#pattern.lastIndex = from
    const found = this.#pattern.exec(text)
    if (found === null) return { at: Math.max(from, text.length - MOST_AHEAD), what: undefined }
    const isDocument = found[1] !== undefined
    return { at: found.index + (isDocument ? 1 : 0), what: isDocument ? 'document' : 'record' }
  }
}

function startOf(key: string): string {
  return `\\{\\s{0,100}"${key.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}"\\s{0,20}:`
}
