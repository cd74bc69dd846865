import { path, rect, text } from './markup.ts'
import { COLOR } from './palette.ts'

export const AXIS_HEIGHT = 40

/** A time axis over a picture's whole width, its marks drawn down to the bottom. */
export function drawAxis(
  axis: {
    readonly ticks: readonly { readonly x: number; readonly label: string }[]
    readonly width: number
    /** Where the root's caller had its answer, when the picture goes on beyond. */
    readonly answeredX: number | undefined
  },
  /** `left`: where the ticks count from; `width`: of the picture; `bottom`: how far marks go down. */
  frame: { readonly left: number; readonly width: number; readonly bottom: number },
): string {
  const { left, width, bottom } = frame
  const marks = axis.ticks.map(({ x, label }) => {
    const atEnd = x > axis.width - 24
    const side = atEnd ? ({ x: left + x - 4, anchor: 'end' } as const) : { x: left + x + 4 }
    return (
      path(`M${left + x} ${AXIS_HEIGHT}V${bottom}`, { stroke: COLOR.grid, 'stroke-width': 1 }) +
      path(`M${left + x} ${AXIS_HEIGHT - 8}V${AXIS_HEIGHT}`, {
        stroke: COLOR.gap,
        'stroke-width': 1,
      }) +
      text({ ...side, y: 24, face: 'inter400', size: 11.5, fill: COLOR.text }, label)
    )
  })
  const answered =
    axis.answeredX === undefined
      ? ''
      : path(`M${left + axis.answeredX} ${AXIS_HEIGHT - 8}V${bottom}`, {
          stroke: COLOR.quiet,
          'stroke-width': 1.25,
          'stroke-dasharray': '3 3',
        })
  return [
    rect({ x: 0, y: 0, width, height: AXIS_HEIGHT }, { fill: COLOR.ground }),
    rect({ x: 0, y: AXIS_HEIGHT - 1, width, height: 1 }, { fill: COLOR.rule }),
    ...marks,
    answered,
  ].join('\n')
}
