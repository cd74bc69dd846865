import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { writeSection } from '../harness/document.ts'
import { describeMachine, otherWork } from '../harness/machine.ts'
import { ratiosOf } from './lines.ts'
import { type Launch, measureFigures, type Plan, type Say } from './measure.ts'
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
  const machine = await describeMachine()
  const started = new Date()
  // A broker that has only just started still has work of its own.
  await setTimeout(2 * plan.watchMs)
  const before = await otherWork(plan.watchMs)
  const { rounds, figures } = await measureFigures(plan, launch, say)
  const after = await otherWork(plan.watchMs)
  return {
    suite: 'figures',
    schema: 2,
    startedAt: started.toISOString(),
    seconds: Math.round((Date.now() - started.getTime()) / 1000),
    machine,
    broker,
    delivery: plan.delivery,
    rounds,
    otherWork: { before, after },
    systems: plan.systems.map((key) => ({ key, title: systemOf(key).title })),
    ratios: ratiosOf(figures),
    figures,
  }
}

/** Puts tables and pictures into the documents. Returns what it wrote. */
export async function writeFigures(
  results: FigureResults,
  documents: string,
): Promise<readonly string[]> {
  const folder = path.join(documents, 'figures')
  await mkdir(folder, { recursive: true })
  const written: string[] = []
  for (const { file, svg } of drawFigures(results)) {
    await writeFile(path.join(folder, file), svg)
    written.push(path.join(folder, file))
  }
  const page = path.join(documents, 'benchmarks.md')
  await writeSection(page, 'figures', reportOf(results, 'figures'))
  return [...written, page]
}
