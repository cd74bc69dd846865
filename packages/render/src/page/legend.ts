import { make } from './dom.ts'

const SIGNS: readonly (readonly [sign: string, words: string])[] = [
  ['pale', 'on the way, or waiting for its calls'],
  ['solid', 'its own work'],
  ['path', 'critical path'],
  ['broken', '▲ failed'],
  ['unsure', 'uncertain within ± of the clocks'],
  ['open', 'not ended, merged, missing or folded'],
]

/** What the pictures' signs mean. */
export function legend(): HTMLElement {
  const items = SIGNS.map(([sign, words]) =>
    make('li', {}, make('span', { class: `sign ${sign}`, 'aria-hidden': 'true' }), words),
  )
  return make('footer', {}, make('ul', {}, ...items))
}
