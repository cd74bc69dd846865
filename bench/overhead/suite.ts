import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { writeSection } from '../harness/document.ts'
import { describeMachine, otherWork } from '../harness/machine.ts'
import { type BrokerClock, type Launch, measureOverhead, type Plan, type Say } from './measure.ts'
import { drawOverhead } from './pictures.ts'
import type { OverheadResults, Ratios, SystemResults } from './results.ts'
import type { SystemKey } from './systems.ts'
import { reportOf } from './tables.ts'

/** Measures by plan; what it ran on is part of the results. */
export async function runOverhead(
  plan: Plan,
  broker: OverheadResults['broker'],
  parts: { readonly launch: Launch; readonly clock: BrokerClock; readonly say: Say },
): Promise<OverheadResults> {
  const machine = await describeMachine()
  const started = new Date()
  // A broker that has only just started still has work of its own.
  await setTimeout(2 * plan.watchMs)
  const before = await otherWork(plan.watchMs)
  const { rounds, systems } = await measureOverhead(plan, parts.launch, parts.clock, parts.say)
  const after = await otherWork(plan.watchMs)
  return {
    suite: 'overhead',
    schema: 1,
    startedAt: started.toISOString(),
    seconds: Math.round((Date.now() - started.getTime()) / 1000),
    machine,
    broker,
    delivery: plan.delivery,
    rounds,
    otherWork: { before, after },
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

/** Puts the tables and the picture into the documents. Returns what it wrote. */
export async function writeOverhead(
  results: OverheadResults,
  documents: string,
): Promise<readonly string[]> {
  const picture = path.join(documents, 'figures', 'overhead.svg')
  await mkdir(path.dirname(picture), { recursive: true })
  await writeFile(picture, drawOverhead(results))
  const page = path.join(documents, 'benchmarks.md')
  await writeSection(page, 'overhead', reportOf(results, 'figures'))
  return [picture, page]
}
