import type { Say } from '../harness/command.ts'
import { observed } from '../harness/observed.ts'
import type { Outcome } from '../harness/outcome.ts'
import { type BrokerClock, type Launch, measureOverhead, type Plan } from './measure.ts'
import { drawOverhead } from './pictures.ts'
import type { OverheadResults, Ratios, SystemResults } from './results.ts'
import type { SystemKey } from './systems.ts'
import { reportOf } from './tables.ts'

/** Measures by plan; what it ran on is part of the results. */
export async function runOverhead(
  plan: Plan,
  broker: OverheadResults['broker'],
  {
    launch,
    clock,
    say,
  }: { readonly launch: Launch; readonly clock: BrokerClock; readonly say: Say },
): Promise<OverheadResults> {
  const { measured, circumstances } = await observed(plan.watchMs, () =>
    measureOverhead(plan, launch, clock, say),
  )
  const { rounds, systems } = measured
  return {
    suite: 'overhead',
    schema: 1,
    ...circumstances,
    broker,
    delivery: plan.delivery,
    workers: plan.workers,
    rounds,
    ratios: ratiosOf(systems),
    systems,
  }
}

/** Of what was not measured the ratio is NaN, in JSON null. */
function ratiosOf(systems: readonly SystemResults[]): Ratios {
  const against = (key: SystemKey, concurrency: number) =>
    systems
      .find((system) => system.key === key)
      ?.loads.find((load) => load.concurrency === concurrency)?.against
  const hundred = against('traced', 100)
  return {
    throughput100: hundred?.throughput.median ?? Number.NaN,
    sequentialP50: against('traced', 1)?.p50.median ?? Number.NaN,
    cpuPerCall: hundred?.cpu.median ?? Number.NaN,
    off100: against('installed', 100)?.throughput.median ?? Number.NaN,
  }
}

export function outcomeOf(results: OverheadResults): Outcome {
  return {
    suite: 'overhead',
    results,
    report: (figures) => reportOf(results, figures),
    pictures: [{ file: 'overhead.svg', svg: drawOverhead(results) }],
  }
}
