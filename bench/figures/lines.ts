import { estimate, spread } from '../harness/statistics.ts'
import type { Cell } from './cells.ts'
import type { FigureRatios, Line, Measured, Point } from './results.ts'
import { callsOf, type Shape } from './services.ts'
import type { SystemKey } from './systems.ts'

/** What was measured of the cells of one figure, by system and size. */
export function linesOf(
  cells: readonly Cell[],
  shape: Shape,
  systems: readonly SystemKey[],
): readonly Line[] {
  return systems.map((system) => ({
    system,
    points: cells
      .filter((cell) => cell.shape === shape && cell.cast.system === system)
      .map(pointOf),
  }))
}

function pointOf({ cast, shape, size, failure, bytes, samples }: Cell): Point {
  const measured: Measured | undefined =
    samples.length === 0
      ? undefined
      : {
          ms: spread(samples.map(({ ms }) => ms)),
          ratio: cast.system === 'off' ? undefined : estimate(samples.map(({ ratio }) => ratio)),
          processorUs: spread(samples.map(({ processorUs }) => processorUs)),
        }
  return { size, calls: callsOf(shape, size), failure, bytes, measured }
}

/** Clew against `off`, the medians alone; nothing where Clew was not measured. */
export function ratiosOf(figures: Readonly<Record<Shape, readonly Line[]>>): FigureRatios {
  const bySize = (lines: readonly Line[]) => {
    const points = lines.find(({ system }) => system === 'clew')?.points ?? []
    const medians = points.flatMap(({ size, measured }) => {
      const median = measured?.ratio?.median
      return median === undefined ? [] : [[size, median] as const]
    })
    return Object.fromEntries(medians)
  }
  return {
    depth: bySize(figures.depth),
    together: bySize(figures.together),
    inSeries: bySize(figures.inSeries),
  }
}
