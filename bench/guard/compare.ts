import type { Figures } from './figures.ts'

/** How much more than accepted a figure may be, and how much less before that is told. */
export const TOLERANCE = 0.1

/** A figure that is not as accepted. */
export interface Difference {
  readonly name: string
  /** `new` and `missing`: only measured, and only accepted. */
  readonly kind: 'more' | 'less' | 'new' | 'missing'
  /** NaN where it is new. */
  readonly accepted: number
  /** NaN where it is missing. */
  readonly measured: number
}

/** Compares what was measured with what is accepted; figures within the tolerance are no difference. */
export function compare(accepted: Figures, measured: Figures): readonly Difference[] {
  const names = new Set([...Object.keys(accepted), ...Object.keys(measured)])
  return [...names].flatMap((name): readonly Difference[] => {
    const [before, now] = [accepted[name] ?? Number.NaN, measured[name] ?? Number.NaN]
    const kind = kindOf(before, now)
    return kind === undefined ? [] : [{ name, kind, accepted: before, measured: now }]
  })
}

function kindOf(before: number, now: number): Difference['kind'] | undefined {
  if (Number.isNaN(now)) return 'missing'
  if (Number.isNaN(before)) return 'new'
  if (now > before * (1 + TOLERANCE)) return 'more'
  return now < before * (1 - TOLERANCE) ? 'less' : undefined
}

/** Whether somebody has to look at it: everything but an improvement. */
export function isFailure({ kind }: Difference): boolean {
  return kind !== 'less'
}

const ACCEPT = 'npm run bench:guard -- --accept'

/** What to tell people of the differences, a line each. */
export function told(differences: readonly Difference[]): string {
  if (differences.length === 0) return 'every figure is as accepted\n'
  const lines = differences.map((difference) => lineOf(difference))
  return ['not as accepted:', ...lines, ''].join('\n')
}

/** What to do about the differences. */
export function advice(differences: readonly Difference[]): string {
  if (differences.length === 0) return ''
  return differences.some(isFailure)
    ? `This fails. Where it is as it should be, say why in the commit, and accept it: ${ACCEPT}\n`
    : `Nothing is worse. So that it stays as good as it is now, accept it: ${ACCEPT}\n`
}

function lineOf({ name, kind, accepted, measured }: Difference): string {
  if (kind === 'new') return `  NEW      ${name}: ${short(measured)}, nothing is accepted yet`
  if (kind === 'missing') return `  MISSING  ${name}: accepted ${short(accepted)}, not measured`
  const percent = `${Math.abs(Math.round((measured / accepted - 1) * 100))} %`
  const mark = kind === 'more' ? 'MORE   ' : 'less   '
  return `  ${mark}  ${name}: ${short(measured)}, accepted ${short(accepted)}: ${percent} ${kind}`
}

const short = (value: number) =>
  value.toLocaleString('en-US', { maximumFractionDigits: value < 100 ? 2 : 0 })
