import type { Say } from '../harness/command.ts'
import { observed } from '../harness/observed.ts'
import type { Outcome } from '../harness/outcome.ts'
import { estimate } from '../harness/statistics.ts'
import { packagesOf } from './kinds.ts'
import { type MeasuredCell, measurePeers, type Plan, type Sample } from './measure.ts'
import { pinnedVersions } from './packages.ts'
import { drawPeers } from './pictures.ts'
import { ratiosOf } from './ratios.ts'
import type { PeerFigures, PeerResult, PeerResults } from './results.ts'
import type { Start } from './start.ts'
import { reportOf } from './tables.ts'

export interface RunOptions {
  /** The broker's address. */
  readonly url: string
  readonly brokerVersion: string | undefined
  readonly start: Start
  readonly say: Say
}

/** Measures by plan; what it ran on is part of the results. */
export async function runPeers(plan: Plan, options: RunOptions): Promise<PeerResults> {
  const { url, brokerVersion, start, say } = options
  const { measured, circumstances } = await observed(plan.watchMs, () =>
    measurePeers(plan, url, start, say),
  )
  const { rounds, cells } = measured
  const { windowsMs } = plan
  return resultsOf(cells, {
    ...circumstances,
    broker: { name: 'rabbitmq', version: brokerVersion },
    rounds,
    windows: { 1: windowsMs[1] / 1000, 100: windowsMs[100] / 1000, 500: windowsMs[500] / 1000 },
    versions: await versionsOf(cells),
  })
}

type Measurement = Omit<PeerResults, 'suite' | 'schema' | 'peers' | 'ratios'>

/** What came out, from what was measured and how. */
export function resultsOf(cells: readonly MeasuredCell[], measurement: Measurement): PeerResults {
  return {
    suite: 'peers',
    schema: 1,
    ...measurement,
    peers: cells.map(resultOf),
    ratios: ratiosOf(cells),
  }
}

async function versionsOf(cells: readonly MeasuredCell[]): Promise<PeerResults['versions']> {
  const folders = packagesOf(cells.map(({ cell }) => cell))
  const pinned = folders.map(async (folder) => [folder, await pinnedVersions(folder)] as const)
  return Object.fromEntries(await Promise.all(pinned))
}

function resultOf({ cell, skipped, samples, arrivedPerCall }: MeasuredCell): PeerResult {
  const { kind, tracer } = cell
  const { key, family, title, group, guarantees } = kind
  return {
    ...{ key, family, title, group, guarantees },
    tracer: tracer?.title ?? null,
    skipped: skipped ?? null,
    measured: samples.length === 0 ? null : figuresOf(samples),
    arrived:
      tracer === undefined || arrivedPerCall === undefined || samples.length === 0
        ? null
        : { unit: tracer.unit, perCall: arrivedPerCall, expectedPerCall: tracer.perCall },
  }
}

function figuresOf(samples: readonly Sample[]): PeerFigures {
  const of = (value: (sample: Sample) => number) => estimate(samples.map(value))
  const known = samples.every(({ brokerCpuUs }) => brokerCpuUs !== undefined)
  return {
    sequentialP50Us: of(({ sequentialP50Us }) => sequentialP50Us),
    perS: {
      1: of(({ perS }) => perS[1]),
      100: of(({ perS }) => perS[100]),
      500: of(({ perS }) => perS[500]),
    },
    cpuUsPerCall: of(({ cpuUs }) => cpuUs),
    brokerCpuUsPerCall: known ? of(({ brokerCpuUs }) => brokerCpuUs ?? 0) : null,
  }
}

export function outcomeOf(results: PeerResults): Outcome {
  return {
    suite: 'peers',
    results,
    report: (figures) => reportOf(results, figures),
    pictures: [{ file: 'peers.svg', svg: drawPeers(results) }],
  }
}
