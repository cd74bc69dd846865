export type Attributes = Readonly<Record<string, string | number | undefined>>

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
}

export function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ESCAPES[character]!)
}

/** An SVG element. Children are markup; text among them must be escaped by whoever makes it. */
export function element(name: string, attributes: Attributes, ...children: string[]): string {
  let opening = `<${name}`
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined) continue
    const text = typeof value === 'number' ? rounded(value) : escaped(value)
    opening += ` ${key}="${text}"`
  }
  return children.length === 0 ? `${opening}/>` : `${opening}>${children.join('')}</${name}>`
}

export function text(content: string, attributes: Attributes): string {
  return element('text', attributes, escaped(content))
}

/** Two decimals are finer than any screen and keep files small. */
export function rounded(value: number): string {
  return String(Math.round(value * 100) / 100)
}
