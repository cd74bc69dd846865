/** Texts remembered; beyond, a file has no names but noise. */
const MOST_TEXTS = 100_000
const MAX_LENGTH = 256

/** One string for all that are equal: parsers make a new one for each, and names come a million times. */
export class Interning {
  readonly #texts = new Map<string, string>()

  of(text: string): string {
    if (text.length > MAX_LENGTH) return text
    const known = this.#texts.get(text)
    if (known !== undefined) return known
    if (this.#texts.size < MOST_TEXTS) this.#texts.set(text, text)
    return text
  }
}
