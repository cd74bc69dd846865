const decoder = new TextDecoder()

/** A URL's path as Python's servers read it: what cannot be decoded stays, and nothing throws. */
export function decodePath(path: string): string {
  if (!path.includes('%')) return path
  // Bytes first, then UTF-8: a character may be written in several escapes.
  return path.replace(/(?:%[0-9a-fA-F]{2})+/gu, (escapes) =>
    decoder.decode(Buffer.from(escapes.replaceAll('%', ''), 'hex')),
  )
}

/** A path as werkzeug writes it into a Location. */
export function encodePath(path: string): string {
  return encodeURIComponent(path.toWellFormed()).replace(
    /%(?:24|26|2B|2C|2F|3A|3B|3D|40)/gu,
    (one) => decodeURIComponent(one),
  )
}
