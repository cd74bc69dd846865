import { fitText, textWidth, wrapText } from '../layout/measure.ts'
import type { HeaderContent, KeyFigure } from './header-content.ts'
import { rect, text } from './markup.ts'
import { COLOR } from './palette.ts'

/** A part of a picture: drawn from y 0 downwards. */
export interface Band {
  readonly markup: string
  readonly height: number
}

/** Space at the left and right side of every band. */
export const MARGIN = 36

const TITLE = 24
const FIGURE = 17
const FIGURE_GAP = 31
const SENTENCE = 12.5
const LINE = 18

const TONES = { plain: COLOR.ink, path: COLOR.pathText, failure: COLOR.failure } as const

/** Name, identity and key figures of a trace; below them what is lacking, and the verdict. */
export function drawHeader(content: HeaderContent, width: number): Band {
  const inner = width - MARGIN * 2
  const figuresWidth = rowWidth(content.figures)
  const metaWidth =
    textWidth(`trace ${content.traceId}`, 'mono400', 12) +
    (content.time === undefined ? 0 : textWidth(content.time, 'inter400', 12) + 16)
  const serviceWidth = textWidth(content.service, 'inter500', 14.5) + 13
  const titleWidth = textWidth(content.title, 'inter700', TITLE) + serviceWidth
  const beside = Math.max(metaWidth, Math.min(titleWidth, 420)) + 48 + figuresWidth <= inner
  const room = beside ? inner - figuresWidth - 48 : inner
  const title = fitText(content.title, 'inter700', TITLE, Math.max(120, room - serviceWidth))
  const titleEnd = MARGIN + textWidth(title, 'inter700', TITLE)
  const service = fitText(content.service, 'inter500', 14.5, room + MARGIN - titleEnd - 13)
  const parts = [
    text({ x: MARGIN, y: 37, face: 'inter700', size: TITLE, fill: COLOR.ink }, title),
    text({ x: titleEnd + 13, y: 37, face: 'inter500', size: 14.5, fill: COLOR.quiet }, service),
    meta(content),
  ]
  let y = 62
  if (beside) {
    parts.push(figures(content.figures, width - MARGIN - figuresWidth, 33))
  } else {
    parts.push(figures(content.figures, MARGIN, y + 29))
    y += 57
  }
  for (const part of [notices, verdict]) {
    const { markup, height } = part(content, inner, y)
    if (markup !== '') parts.push(markup)
    y += height
  }
  const height = y + 23
  return {
    markup: [
      rect({ x: 0, y: 0, width, height }, { fill: COLOR.paper }),
      ...parts,
      rect({ x: 0, y: height - 1, width, height: 1 }, { fill: COLOR.rule }),
    ].join('\n'),
    height,
  }
}

function meta(content: HeaderContent): string {
  const id = content.traceId === '' ? '' : `trace ${content.traceId}`
  const after = MARGIN + (id === '' ? 0 : textWidth(id, 'mono400', 12) + 16)
  return (
    text({ x: MARGIN, y: 61, face: 'mono400', size: 12, fill: COLOR.quiet }, id) +
    text({ x: after, y: 61, face: 'inter400', size: 12, fill: COLOR.quiet }, content.time ?? '')
  )
}

/** The verdict's sentences beside a line. */
function verdict(content: HeaderContent, inner: number, above: number): Band {
  const lines = content.sentences
    .slice(0, 4)
    .flatMap((sentence) =>
      wrapText(sentence, { width: inner - 14, lines: 3 }, (part) =>
        textWidth(part, 'inter500', SENTENCE),
      ),
    )
  if (lines.length === 0) return { markup: '', height: 0 }
  const [top, height] = [above + 11, lines.length * LINE]
  const bar = { x: MARGIN, y: top + 2, width: 3, height: height - 3 }
  const style = { x: MARGIN + 14, face: 'inter500', size: SENTENCE, fill: COLOR.text } as const
  return {
    markup: [
      rect(bar, { rx: 1.5, fill: COLOR.rule }),
      ...lines.map((line, index) => text({ ...style, y: top + 13 + index * LINE }, line)),
    ].join(''),
    height: height + 7,
  }
}

/** Boxes with what the picture lacks, as many lines of them as it takes. */
function notices(content: HeaderContent, inner: number, above: number): Band {
  if (content.notices.length === 0) return { markup: '', height: 0 }
  const top = above + 12
  let [x, y] = [MARGIN, top]
  const parts = content.notices.map((notice) => {
    const words = fitText(notice.text, 'inter600', 11.5, inner - 20)
    const width = Math.ceil(textWidth(words, 'inter600', 11.5)) + 20
    if (x > MARGIN && x + width > MARGIN + inner) {
      x = MARGIN
      y += 26
    }
    const [ground, ink] =
      notice.tone === 'doubt' ? [COLOR.doubtGround, COLOR.doubt] : [COLOR.pill, COLOR.pillDark]
    const drawn =
      rect({ x, y, width, height: 21 }, { rx: 5, fill: ground }) +
      text({ x: x + 10, y: y + 14.6, face: 'inter600', size: 11.5, fill: ink }, words)
    x += width + 8
    return drawn
  })
  return { markup: parts.join(''), height: y - top + 33 }
}

function figures(all: readonly KeyFigure[], left: number, y: number): string {
  let x = left
  return all
    .map((figure) => {
      const drawn =
        text(
          { x, y, face: 'inter600', size: 9.5, fill: COLOR.label, spacing: 0.75 },
          figure.label,
        ) +
        text(
          { x, y: y + 22, face: 'inter700', size: FIGURE, fill: TONES[figure.tone ?? 'plain'] },
          figure.value,
        )
      x += figureWidth(figure) + FIGURE_GAP
      return drawn
    })
    .join('')
}

function rowWidth(all: readonly KeyFigure[]): number {
  return all.reduce((width, figure) => width + figureWidth(figure) + FIGURE_GAP, -FIGURE_GAP)
}

function figureWidth({ label, value }: KeyFigure): number {
  return Math.max(
    textWidth(label, 'inter600', 9.5) + label.length * 0.75,
    textWidth(value, 'inter700', FIGURE),
  )
}
