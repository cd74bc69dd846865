/** Texts remembered: a power of two. */
const MOST_TEXTS = 16_384
/** Longer texts are no names. */
const MAX_LENGTH = 256
/** Characters that say where a text is remembered: ids and names differ in the last of them. */
const HASHED = 12

/**
 * One string for those that are equal: parsers make a new one for each, and names come a million times.
 * Each text has one place, where the next one of the same hash takes over, so this is as quick as a
 * comparison and never grows; ids, which come a few times within some lines, are caught as well.
 */
export class Interning {
  readonly #texts: string[] = new Array<string>(MOST_TEXTS).fill('')

  of(text: string): string {
    const { length } = text
    if (length > MAX_LENGTH) return text
    let hash = length
    for (let at = Math.max(0, length - HASHED); at < length; at++) {
      hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0
    }
    const place = hash & (MOST_TEXTS - 1)
    const known = this.#texts[place]!
    if (known === text) return known
    this.#texts[place] = text
    return text
  }
}
