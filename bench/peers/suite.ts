import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { writeSection } from '../harness/document.ts'
import { describeMachine, otherWork } from '../harness/machine.ts'
import { estimate } from '../harness/statistics.ts'
import { packagesOf } from './kinds.ts'
import { type MeasuredCell, measurePeers, type Plan, type Sample, type Say } from './measure.ts'
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
  const machine = await describeMachine()
  const started = new Date()
  // A broker that has only just started still has work of its own.
  await sleep(2 * plan.watchMs)
  const before = await otherWork(plan.watchMs)
  const { rounds, cells } = await measurePeers(plan, url, start, say)
  const after = await otherWork(plan.watchMs)
  const { windowsMs } = plan
  return resultsOf(cells, {
    startedAt: started.toISOString(),
    seconds: Math.round((Date.now() - started.getTime()) / 1000),
    machine,
    broker: { name: 'rabbitmq', version: brokerVersion },
    rounds,
    windows: { 1: windowsMs[1] / 1000, 100: windowsMs[100] / 1000, 500: windowsMs[500] / 1000 },
    otherWork: { before, after },
    versions: await versionsOf(cells),
  })
}

type Circumstances = Omit<PeerResults, 'suite' | 'schema' | 'peers' | 'ratios'>

/** What came out, from what was measured and how. */
export function resultsOf(
  cells: readonly MeasuredCell[],
  circumstances: Circumstances,
): PeerResults {
  return {
    suite: 'peers',
    schema: 1,
    ...circumstances,
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

/** Puts tables and the picture into the documents. Returns what it wrote. */
export async function writePeers(results: PeerResults, documents: string) {
  const folder = path.join(documents, 'figures')
  await mkdir(folder, { recursive: true })
  const picture = path.join(folder, 'peers.svg')
  await writeFile(picture, drawPeers(results))
  const page = path.join(documents, 'benchmarks.md')
  await writeSection(page, 'peers', reportOf(results, 'figures'))
  return [picture, page]
}
