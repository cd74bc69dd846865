import { BUDGET, layersOf, reduceCrossings, spread } from './layers.ts'

export interface Box {
  readonly width: number
  readonly height: number
}

export interface LaidCard {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface LaidLine {
  /** Goes against the direction of reading: it closes a circle. */
  readonly back: boolean
  /** From left to right, whatever the direction: level stretches between which the line bends. */
  readonly points: readonly { readonly fromX: number; readonly toX: number; readonly y: number }[]
  /** Where words about it have room: the stretch of it beside its right end. */
  readonly label: { readonly x: number; readonly y: number; readonly width: number }
}

export interface MapLayout {
  readonly width: number
  readonly height: number
  readonly cards: readonly LaidCard[]
  /** undefined for what leads from a place to itself. */
  readonly lines: readonly (LaidLine | undefined)[]
}

/** Between columns: for bends, and for the words at the end of lines. */
export const BENDS = 64
/** From one line that arrives at a card to the next: a line of words is between them. */
export const PORT = 20
const CARD_GAP = 30
const LINE_GAP = 16

/** A place of a column: a card, or where a longer line passes. */
interface Stop {
  readonly height: number
  readonly column: number
  y: number
}

/**
 * Where cards and lines lie: columns from left to right, lines level within columns, so that no line
 * runs behind a card and no words meet. (Sugiyama, Tagawa and Toda 1981: break circles, layer,
 * reduce crossings, place.) The same input gives the same layout.
 * @param words width of the words on each line
 */
export function mapLayout(
  boxes: readonly Box[],
  lines: readonly { readonly from: number; readonly to: number }[],
  words: readonly number[],
): MapLayout {
  const { back, layers } = layersOf(boxes.length, lines)
  const stops: Stop[] = boxes.map(({ height }, index) => ({ height, column: layers[index]!, y: 0 }))
  const ways = lines.map(({ from, to }, index) => {
    if (from === to) return []
    const [left, right] = back[index] ? [to, from] : [from, to]
    const way = [left]
    for (let column = layers[left]! + 1; column < layers[right]!; column++) {
      way.push(stops.push({ height: PORT, column, y: 0 }) - 1)
    }
    way.push(right)
    return way
  })
  const columns = place(stops, ways)
  const widths = columns.map((column) =>
    column.reduce((most, at) => Math.max(most, boxes[at]?.width ?? 0), 0),
  )
  const rooms = columns.map(() => 0)
  for (const [index, way] of ways.entries()) {
    const last = way.at(-1)
    if (last === undefined) continue
    const column = stops[last]!.column
    rooms[column] = Math.max(rooms[column]!, words[index]! + 22)
  }
  const lefts: number[] = []
  let x = 0
  for (const [column, width] of widths.entries()) {
    if (column > 0) x += BENDS + rooms[column]!
    lefts.push(x)
    x += width
  }
  const cards = boxes.map(({ width, height }, index) => {
    const { column, y } = stops[index]!
    return { x: lefts[column]!, y: y - height / 2, width, height }
  })
  const laid = route(stops, ways, { lefts, widths, rooms, cards })
  const height = stops.reduce((most, stop) => Math.max(most, stop.y + stop.height / 2), 0)
  return {
    ...{ width: x, height, cards },
    lines: laid.map((line, index) => line && { ...line, back: back[index]! }),
  }
}

/** Puts stops into columns, and each column into order and place. */
function place(stops: Stop[], ways: readonly (readonly number[])[]): readonly number[][] {
  const columns: number[][] = []
  for (const [index, { column }] of stops.entries()) {
    while (columns.length <= column) columns.push([])
    columns[column]!.push(index)
  }
  const before: number[][] = stops.map(() => [])
  const after: number[][] = stops.map(() => [])
  for (const way of ways) {
    for (let step = 1; step < way.length; step++) {
      after[way[step - 1]!]!.push(way[step]!)
      before[way[step]!]!.push(way[step - 1]!)
    }
  }
  reduceCrossings(columns, before, after)
  const gap = (above: Stop, below: Stop) =>
    (above.height + below.height) / 2 +
    (above.height === PORT && below.height === PORT ? LINE_GAP : CARD_GAP)
  const sweeps = Math.min(10, Math.max(2, Math.floor(BUDGET / Math.max(1, stops.length))))
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const order = sweep % 2 === 0 ? columns : columns.toReversed()
    for (const column of order) {
      const some = column.map((at) => stops[at]!)
      const wishes = column.map((at) => {
        const joined = sweep % 2 === 0 ? before[at]! : after[at]!
        const all = joined.length > 0 ? joined : [...before[at]!, ...after[at]!]
        if (all.length === 0) return stops[at]!.y
        return all.reduce((sum, other) => sum + stops[other]!.y, 0) / all.length
      })
      const gaps = some.map((stop, index) => (index === 0 ? 0 : gap(some[index - 1]!, stop)))
      for (const [index, y] of spread(wishes, gaps).entries()) some[index]!.y = y
    }
  }
  const top = stops.reduce((least, { y, height }) => Math.min(least, y - height / 2), Infinity)
  for (const stop of stops) stop.y -= Number.isFinite(top) ? top : 0
  return columns
}

interface Frame {
  readonly lefts: readonly number[]
  readonly widths: readonly number[]
  readonly rooms: readonly number[]
  readonly cards: readonly LaidCard[]
}

/** Lines leave and enter cards one below the other, in the order of where they come from and go to. */
function route(
  stops: readonly Stop[],
  ways: readonly (readonly number[])[],
  { lefts, widths, rooms, cards }: Frame,
): readonly (Omit<LaidLine, 'back'> | undefined)[] {
  const leaving: number[][] = cards.map(() => [])
  const entering: number[][] = cards.map(() => [])
  for (const [index, way] of ways.entries()) {
    if (way.length === 0) continue
    leaving[way[0]!]!.push(index)
    entering[way.at(-1)!]!.push(index)
  }
  const starts: number[] = []
  const ends: number[] = []
  for (const [card, { y, height }] of cards.entries()) {
    const middle = y + height / 2
    const port = (list: number[], ys: number[], beside: (way: readonly number[]) => Stop) => {
      list.sort((a, b) => beside(ways[a]!).y - beside(ways[b]!).y || a - b)
      const step = Math.min(PORT, height / (list.length + 1))
      for (const [rank, index] of list.entries()) {
        ys[index] = middle + (rank - (list.length - 1) / 2) * step
      }
    }
    port(leaving[card]!, starts, (way) => stops[way[1]!]!)
    port(entering[card]!, ends, (way) => stops[way.at(-2)!]!)
  }
  return ways.map((way, index) => {
    if (way.length === 0) return undefined
    const points = way.map((at, step) => {
      const { column, y } = stops[at]!
      const left = lefts[column]! - rooms[column]!
      const right = lefts[column]! + widths[column]!
      if (step === 0)
        return { fromX: cards[at]!.x + cards[at]!.width, toX: right, y: starts[index]! }
      if (step === way.length - 1) return { fromX: left, toX: lefts[column]!, y: ends[index]! }
      return { fromX: left, toX: right, y }
    })
    const { fromX, toX, y } = points.at(-1)!
    return { points, label: { x: fromX, y, width: toX - fromX } }
  })
}
