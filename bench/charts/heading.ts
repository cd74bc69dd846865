import { element, escaped } from './markup.ts'

/** What a chart shows, and how to read it. */
export function heading(title: string, note: string | undefined, x: number, y: number): string {
  return element(
    'text',
    { x, y },
    element('tspan', { class: 'title' }, escaped(title)),
    note === undefined ? '' : element('tspan', { class: 'axis', dx: 7 }, escaped(note)),
  )
}
