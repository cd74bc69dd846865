import type { Face } from '../layout/measure.ts'
import { visible } from '../visible.ts'

type Attributes = Readonly<Record<string, string | number | undefined>>

const FONTS: Readonly<Record<Face, { readonly family: string; readonly weight: number }>> = {
  inter400: { family: 'Inter, system-ui, sans-serif', weight: 400 },
  inter500: { family: 'Inter, system-ui, sans-serif', weight: 500 },
  inter600: { family: 'Inter, system-ui, sans-serif', weight: 600 },
  inter700: { family: 'Inter, system-ui, sans-serif', weight: 700 },
  mono400: { family: 'JetBrains Mono, ui-monospace, monospace', weight: 400 },
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text for any place of an XML document: what XML forbids is written out, what it uses is escaped. */
export function xml(text: string): string {
  return visible(text).replace(/[&<>"']/g, (character) => ENTITIES[character]!)
}

/** An element; attributes without a value are left out, numbers get two decimals at most. */
export function element(name: string, attributes: Attributes, content = ''): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? number(value) : xml(value!)}"`)
    .join('')
  return content === '' ? `<${name}${written}/>` : `<${name}${written}>${content}</${name}>`
}

export interface TextStyle {
  readonly x: number
  readonly y: number
  readonly face: Face
  readonly size: number
  readonly fill: string
  /** @default 'start' */
  readonly anchor?: 'start' | 'middle' | 'end'
  /** Letter spacing in pixels. @default 0 */
  readonly spacing?: number
}

/** A line of text; escapes it. */
export function text(style: TextStyle, content: string): string {
  if (content === '') return ''
  const { family, weight } = FONTS[style.face]
  return element(
    'text',
    {
      x: style.x,
      y: style.y,
      'font-family': family,
      'font-weight': weight,
      'font-size': style.size,
      fill: style.fill,
      'text-anchor': style.anchor === 'start' ? undefined : style.anchor,
      'letter-spacing': style.spacing,
    },
    xml(content),
  )
}

export function rect(
  box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
  attributes: Attributes,
): string {
  return element('rect', {
    ...box,
    width: Math.max(0, box.width),
    height: Math.max(0, box.height),
    ...attributes,
  })
}

export function path(d: string, attributes: Attributes): string {
  return element('path', { d, ...attributes })
}

/** A group that tells a text when pointed at, and to screen readers. */
export function titled(title: string, content: string): string {
  return `<g><title>${xml(title)}</title>${content}</g>`
}

/** Two decimals at most: what is finer nobody sees, and files stay small. */
export function number(value: number): string {
  return Number.isFinite(value) ? String(Math.round(value * 100) / 100 || 0) : '0'
}
