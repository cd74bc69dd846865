import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { getHeapStatistics } from 'node:v8'
import { describeMachine } from '../harness/machine.ts'
import type { Remote } from '../harness/remote.ts'
import { quantile } from '../harness/statistics.ts'
import { type Measuring, STEPS, type Step, type Taken } from './measuring.ts'
import type { AnalysisPlan, DocumentKind } from './options.ts'
import type { AnalysisResults, PopulationMeasured, TraceMeasured } from './results.ts'

/** Calls of each trace of a population. */
const SMALL = 8

interface Measurer {
  readonly rounds: number
  readonly start: () => Remote<Measuring>
  readonly say: (line: string) => void
}

/** Measures everything in the plan, one file at a time. */
export async function runAnalysis(
  plan: AnalysisPlan,
  start: () => Remote<Measuring>,
  say: (line: string) => void,
): Promise<AnalysisResults> {
  const began = Date.now()
  const measurer = { rounds: plan.rounds, start, say }
  const folder = await mkdtemp(path.join(tmpdir(), 'clew-bench-'))
  try {
    const traces: TraceMeasured[] = []
    for (const document of plan.documents) {
      for (const calls of plan.calls) {
        traces.push(await measureTrace(measurer, folder, document, calls))
      }
    }
    const populations: PopulationMeasured[] = []
    for (const count of plan.traces) {
      populations.push(await measurePopulation(measurer, folder, count))
    }
    return {
      startedAt: new Date(began).toISOString(),
      seconds: (Date.now() - began) / 1000,
      rounds: plan.rounds,
      machine: await describeMachine(),
      heapLimitBytes: getHeapStatistics().heap_size_limit,
      idleBytes: await once(start, (ask) => ask.idle()),
      traces,
      populations,
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function measureTrace(
  { rounds, start, say }: Measurer,
  folder: string,
  { format, shape }: DocumentKind,
  calls: number,
): Promise<TraceMeasured> {
  say(`${format}, ${shape}, ${calls} calls`)
  const file = path.join(folder, 'trace')
  await once(start, (ask) => ask.write({ path: file, format, shape, calls, traces: 1 }))
  const { size: fileBytes } = await stat(file)
  const question = { path: file, format }
  const parses: Taken[] = []
  const analyses: Readonly<Record<Step, Taken>>[] = []
  let failure: string | undefined
  const tell = (error: unknown) => {
    failure = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
    say(failure)
  }
  for (let round = 0; round < rounds && failure === undefined; round++) {
    await once(start, (ask) => ask.parse(question)).then((taken) => parses.push(taken), tell)
    await once(start, (ask) => ask.analyze(question)).then((taken) => analyses.push(taken), tell)
  }
  const stepsOf = (step: Step) => median(analyses.map((taken) => taken[step]))
  return {
    ...{ format, shape, calls, fileBytes },
    parse: parses.length === 0 ? undefined : median(parses),
    steps: analyses.length === 0 ? undefined : byStep(stepsOf),
    ...(failure !== undefined && { failure }),
  }
}

const byStep = (taken: (step: Step) => Taken) =>
  Object.fromEntries(STEPS.map((step) => [step, taken(step)])) as Record<Step, Taken>

async function measurePopulation(
  { rounds, start, say }: Measurer,
  folder: string,
  traces: number,
): Promise<PopulationMeasured> {
  say(`${traces} traces of ${SMALL} calls`)
  const file = path.join(folder, 'traces')
  const wanted = { path: file, format: 'clew', shape: 'mixed', calls: SMALL, traces } as const
  await once(start, (ask) => ask.write(wanted))
  const { size: fileBytes } = await stat(file)
  const taken: Taken[] = []
  for (let round = 0; round < rounds; round++) {
    const one = await once(start, (ask) => ask.stream({ path: file, format: 'clew' }))
    if (one.traces !== traces) throw new Error(`${one.traces} of ${traces} traces came`)
    taken.push(one)
  }
  return { traces, calls: traces * SMALL, fileBytes, stream: median(taken) }
}

async function once<T>(
  start: () => Remote<Measuring>,
  question: (ask: Measuring) => Promise<T>,
): Promise<T> {
  const remote = start()
  try {
    return await question(remote.ask)
  } finally {
    await remote.stop()
  }
}

const median = (taken: readonly Taken[]): Taken => ({
  ms: quantile(
    taken.map(({ ms }) => ms),
    0.5,
  ),
  peakBytes: quantile(
    taken.map(({ peakBytes }) => peakBytes),
    0.5,
  ),
})
