interface Decoder {
  decode(bytes?: Uint8Array, options?: { readonly stream?: boolean }): string
}

// Browsers, workers and Node have it; the language's own declarations, all that this folder sees, do not.
declare const TextDecoder: new () => Decoder

/** Text from bytes that are cut anywhere. What is no UTF-8 becomes U+FFFD; a byte order mark is left out. */
export class Utf8 {
  readonly #decoder = new TextDecoder()

  push(bytes: Uint8Array): string {
    return this.#decoder.decode(bytes, { stream: true })
  }

  /** What is left of a character that was cut off. */
  end(): string {
    return this.#decoder.decode()
  }
}

const whole = new TextDecoder()

export const textOf = (bytes: Uint8Array): string => whole.decode(bytes)
