import { type Estimate, estimate } from '../harness/statistics.ts'
import type { Group } from './kinds.ts'
import type { MeasuredCell, Sample } from './measure.ts'
import type { Comparison, Ratios } from './results.ts'

/** The first against the second, round by round. */
export function comparisonOf(first: readonly Sample[], second: readonly Sample[]): Comparison {
  const ratio = (of: (sample: Sample) => number): Estimate =>
    estimate(first.map((sample, round) => of(sample) / of(second[round]!)))
  const known = [...first, ...second].every(({ brokerCpuUs }) => brokerCpuUs !== undefined)
  return {
    throughput100: ratio(({ perS }) => perS[100]),
    cpuPerCall: ratio(({ cpuUs }) => cpuUs),
    cpuPerCallWithBroker: known
      ? ratio(({ cpuUs, brokerCpuUs }) => cpuUs + (brokerCpuUs ?? 0))
      : null,
  }
}

export function ratiosOf(cells: readonly MeasuredCell[]): Ratios {
  const measured = cells.filter(({ samples }) => samples.length > 0)
  const find = (key: string, traced: boolean) =>
    measured.find(({ cell }) => cell.kind.key === key && (cell.tracer !== undefined) === traced)
  const tracing: Record<string, Comparison> = {}
  for (const { cell, samples } of measured) {
    const untraced = find(cell.kind.key, false)
    if (cell.tracer === undefined || untraced === undefined) continue
    tracing[cell.kind.key] = comparisonOf(samples, untraced.samples)
  }
  const against = (group: Group) => {
    const found: Record<string, { untraced?: Comparison; traced?: Comparison }> = {}
    for (const { cell, samples } of measured) {
      const { family, group: its, key: peer } = cell.kind
      if (family === 'clew' || its !== group) continue
      const traced = cell.tracer !== undefined
      const clew = find(`clew-${group}`, traced)
      if (clew === undefined) continue
      const comparison = comparisonOf(clew.samples, samples)
      found[peer] = { ...found[peer], [traced ? 'traced' : 'untraced']: comparison }
    }
    return found
  }
  return {
    clew: {
      fast: against('fast'),
      confirmed: against('confirmed'),
    },
    tracing,
  }
}
