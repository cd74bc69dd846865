import type { PlacedLink } from '../layout/tree-layout.ts'
import { element, number, path } from './markup.ts'
import { COLOR } from './palette.ts'

const RADIUS = 12
const ARROW = 9

/** All lines between cards, those of the slowest path last and so on top. */
export function drawLinks(links: readonly PlacedLink[]): string {
  const plain = links.filter((link) => !link.onPath && !link.detached)
  const detached = links.filter((link) => !link.onPath && link.detached)
  const slow = links.filter((link) => link.onPath)
  return [
    ...plain.map((link) => line(link, { stroke: COLOR.link, 'stroke-width': 1.5 }) + end(link)),
    ...detached.map(
      (link) =>
        line(link, { stroke: COLOR.link, 'stroke-width': 1.5, 'stroke-dasharray': '5 4' }) +
        end(link),
    ),
    ...slow.map(drawSlow),
  ].join('\n')
}

/** The arrow that stands for the slowest path, in a legend as between cards. */
export function arrow(tipX: number, y: number): string {
  const back = tipX - ARROW
  return path(`M${number(tipX)} ${number(y)}L${number(back)} ${number(y - 5.5)}v11Z`, {
    fill: COLOR.path,
    stroke: COLOR.path,
    'stroke-width': 1,
    'stroke-linejoin': 'round',
  })
}

function drawSlow(link: PlacedLink): string {
  const start = element('circle', { cx: link.fromX, cy: link.fromY, r: 3.5, fill: COLOR.path })
  return (
    line({ ...link, toX: link.toX - ARROW + 2 }, { stroke: COLOR.path, 'stroke-width': 4 }) +
    start +
    arrow(link.toX - 1.5, link.toY)
  )
}

function end(link: PlacedLink): string {
  return element('circle', { cx: link.toX, cy: link.toY, r: 2.5, fill: COLOR.link })
}

function line(
  link: PlacedLink,
  attributes: Readonly<Record<string, string | number | undefined>>,
): string {
  return path(course(link), { fill: 'none', ...attributes })
}

function course({ fromX, fromY, trunkX, toX, toY }: PlacedLink): string {
  const rise = toY - fromY
  const from = `M${number(fromX)} ${number(fromY)}`
  if (Math.abs(rise) < 0.75) return `${from}H${number(toX)}`
  const radius = Math.min(RADIUS, Math.abs(rise) / 2)
  const turn = Math.sign(rise) * radius
  return [
    from,
    `H${number(trunkX - radius)}`,
    `Q${number(trunkX)} ${number(fromY)} ${number(trunkX)} ${number(fromY + turn)}`,
    `V${number(toY - turn)}`,
    `Q${number(trunkX)} ${number(toY)} ${number(trunkX + radius)} ${number(toY)}`,
    `H${number(toX)}`,
  ].join('')
}
