import type { Machine } from '../harness/machine.ts'
import type { IngestResult } from './ingest.ts'
import type { QuestionResult } from './questions.ts'

/** What `--json` prints. */
export interface CollectorResults {
  readonly suite: 'collector'
  readonly schema: 1
  readonly machine: Machine
  readonly ingest: readonly IngestResult[]
  /** Calls in the store that was asked, what it takes on the disk, and how long it takes to open. */
  readonly store: {
    readonly calls: number
    readonly bytes: number
    readonly coldStartMs: number
    readonly peakBytes: number
  }
  readonly questions: readonly QuestionResult[]
}

const many = (value: number) => Math.round(value).toLocaleString('en-US')
const ms = (value: number) => (value < 10 ? value.toFixed(1) : value.toFixed(0))

/** The section of docs/benchmarks.md. */
export function reportOf({ machine, ingest, store, questions }: CollectorResults): string {
  const taken = ingest.map(
    (one) =>
      `| ${one.form} | ${many(one.calls)} | ${many(one.callsPerS)} | ${ms(one.ackP50Ms)} / ${ms(one.ackP99Ms)} | ${one.collectorUs.toFixed(1)} | ${one.generatorUs.toFixed(1)} | ${many(one.bytesACall)} | ${many(one.peakBytes / 1e6)} |`,
  )
  const asked = questions.map(
    ({ question, asked: times, p50Ms, p95Ms, targetMs }) =>
      `| ${question} | ${times} | ${ms(p50Ms)} | ${ms(p95Ms)} | ${targetMs ?? ''} |`,
  )
  return [
    `${machine.cores} cores of ${machine.processor}, ${machine.memoryGb} GB, ${machine.system}, Node ${machine.node}, Clew ${machine.clew}.`,
    '',
    '| sent | calls | calls a second | answered, p50 / p99 ms | collector, µs a call | generator, µs a call | bytes a call sent | peak MB |',
    '|---|---:|---:|---:|---:|---:|---:|---:|',
    ...taken,
    '',
    `${many(store.calls)} calls over a day: ${(store.bytes / store.calls).toFixed(1)} bytes a call on the disk, answering ${ms(store.coldStartMs)} ms after the process began (files in the page cache), ${many(store.peakBytes / 1e6)} MB at most.`,
    '',
    '| question | asked | p50 ms | p95 ms | wanted, p95 |',
    '|---|---:|---:|---:|---:|',
    ...asked,
  ].join('\n')
}
