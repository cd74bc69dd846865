/** Places values of a chart's axis on its picture. */
export interface Scale {
  readonly place: (value: number) => number
  /** Values worth a line and a number. */
  readonly ticks: readonly number[]
}

export interface Range {
  readonly from: number
  readonly to: number
}

/** A linear axis; its ticks are 1, 2 or 5 times a power of ten apart, about so many of them. */
export function linearScale(values: Range, pixels: Range, wanted = 5): Scale {
  const step = niceStep((values.to - values.from) / wanted)
  const ticks: number[] = []
  for (let index = Math.ceil(values.from / step - 1e-9); index * step <= values.to * 1.000001; ) {
    ticks.push(Number((index++ * step).toPrecision(12)))
  }
  const slope = (pixels.to - pixels.from) / (values.to - values.from)
  return { place: (value) => pixels.from + (value - values.from) * slope, ticks }
}

/** What ticks of a logarithmic axis are, times powers of ten: the first that are not too many. */
const LOG_TICKS = [
  [1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2, 2.5, 3, 4, 5, 6, 8],
  [1, 1.2, 1.5, 2, 3, 5, 7],
  [1, 2, 5],
  [1],
]

/** A logarithmic axis from end to end, with at most so many ticks where powers of ten are not more. */
export function logScale(values: Range, pixels: Range, most: number): Scale {
  const slope = (pixels.to - pixels.from) / Math.log(values.to / values.from)
  const candidates = LOG_TICKS.map((factors) => {
    const ticks: number[] = []
    for (let power = 10 ** Math.floor(Math.log10(values.from)); power <= values.to; power *= 10) {
      ticks.push(...factors.map((factor) => Number((factor * power).toPrecision(12))))
    }
    return ticks.filter((tick) => tick >= values.from && tick <= values.to)
  })
  return {
    place: (value) => pixels.from + Math.log(value / values.from) * slope,
    ticks: candidates.find((ticks) => ticks.length <= most) ?? candidates.at(-1)!,
  }
}

function niceStep(atLeast: number): number {
  const power = 10 ** Math.floor(Math.log10(atLeast))
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= atLeast * 0.999) ?? 10
  return factor * power
}

/** Something that wants to be at a place and needs room from there on. */
export interface Placed {
  readonly at: number
  readonly height: number
}

/** Positions nearest to those wanted where nothing reaches into the next; in the order given. */
export function spreadOut(wanted: readonly Placed[], within: Range): number[] {
  if (wanted.length === 0) return []
  const order = wanted.map((one, index) => ({ ...one, index })).sort((a, b) => a.at - b.at)
  const places = order.map(({ at }) => at)
  // Pushed down from the top, then back up from the bottom: the pushes meet in the middle.
  for (let turn = 0; turn < 50; turn++) {
    for (let rank = 1; rank < places.length; rank++) {
      const lacking = order[rank - 1]!.height - (places[rank]! - places[rank - 1]!)
      if (lacking > 0) {
        places[rank - 1]! -= lacking / 2
        places[rank]! += lacking / 2
      }
    }
    places[0] = Math.max(within.from, places[0]!)
  }
  for (let rank = 1; rank < places.length; rank++) {
    places[rank] = Math.max(places[rank]!, places[rank - 1]! + order[rank - 1]!.height)
  }
  // From the bottom up again: what hangs out below moves up, and what it meets.
  let floor = within.to
  for (let rank = places.length - 1; rank >= 0; rank--) {
    places[rank] = Math.min(places[rank]!, floor - order[rank]!.height)
    floor = places[rank]!
  }
  const result = new Array<number>(wanted.length)
  order.forEach(({ index }, rank) => {
    result[index] = places[rank]!
  })
  return result
}
