type Attributes = Readonly<Record<string, string | number | undefined>>

/** An element with attributes and contents; text stays text, whatever it contains. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...contents: readonly (Element | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) made.setAttribute(name, String(value))
  }
  made.append(...contents)
  return made
}

/** A button whose title tells what it does and by which key; a sign alone is no name. */
export function button(
  words: string,
  title: string,
  act: () => void,
  attributes: Attributes = {},
): HTMLButtonElement {
  const name = words.length < 3 ? title : undefined
  const made = make('button', { type: 'button', title, 'aria-label': name, ...attributes }, words)
  made.addEventListener('click', act)
  return made
}

/** A drawing area as sharp as the screen, measured anew each time. */
export function sized(canvas: HTMLCanvasElement, width: number, height: number) {
  const ratio = Math.min(3, window.devicePixelRatio || 1)
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)]
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide
    canvas.height = high
    canvas.style.width = `${width}px`
    canvas.style.height = `${height}px`
  }
  const pen = canvas.getContext('2d')!
  pen.setTransform(ratio, 0, 0, ratio, 0, 0)
  pen.clearRect(0, 0, width, height)
  return pen
}

/** Text within a width: what is too long ends in an ellipsis. Measured by halves, so that long names cost little. */
export function fitted(pen: CanvasRenderingContext2D, text: string, width: number): string {
  if (width < 12) return ''
  if (text.length * 4 < width || pen.measureText(text).width <= width) return text
  let [fits, not] = [0, Math.min(text.length, Math.ceil(width / 2))]
  while (not - fits > 1) {
    const middle = (fits + not) >> 1
    if (pen.measureText(`${text.slice(0, middle)}…`).width <= width) fits = middle
    else not = middle
  }
  return fits < 2 ? '' : `${text.slice(0, fits)}…`
}
