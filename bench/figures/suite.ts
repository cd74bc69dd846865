import type { Say } from '../harness/command.ts'
import { observed } from '../harness/observed.ts'
import type { Outcome } from '../harness/outcome.ts'
import { ratiosOf } from './lines.ts'
import { type Launch, measureFigures, type Plan } from './measure.ts'
import { drawFigures } from './pictures.ts'
import type { BrokerDescription, FigureResults } from './results.ts'
import { systemOf } from './systems.ts'
import { reportOf } from './tables.ts'

/** Measures by plan; what it ran on is part of the results. */
export async function runFigures(
  plan: Plan,
  broker: BrokerDescription,
  launch: Launch,
  say: Say,
): Promise<FigureResults> {
  const { measured, circumstances } = await observed(plan.watchMs, () =>
    measureFigures(plan, launch, say),
  )
  const { rounds, figures } = measured
  return {
    suite: 'figures',
    schema: 2,
    ...circumstances,
    broker,
    delivery: plan.delivery,
    rounds,
    systems: plan.systems.map((key) => ({ key, title: systemOf(key).title })),
    ratios: ratiosOf(figures),
    figures,
  }
}

export function outcomeOf(results: FigureResults): Outcome {
  return {
    suite: 'figures',
    results,
    report: (figures) => reportOf(results, figures),
    pictures: drawFigures(results),
  }
}
