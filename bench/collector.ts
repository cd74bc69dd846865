// `npm run bench:collector`: what a collector takes, keeps and answers. See `--help`.
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { collectorClient } from '@clew/collector/client'
import { CollectorProcess } from './collector/collector-process.ts'
import { type Form, type IngestResult, ingest } from './collector/ingest.ts'
import { type CollectorOptions, HELP, readOptions } from './collector/options.ts'
import { askQuestions } from './collector/questions.ts'
import { type CollectorResults, reportOf } from './collector/tables.ts'
import { runCommand, type Say } from './harness/command.ts'
import { describeMachine } from './harness/machine.ts'
import { deliver } from './harness/outcome.ts'

const DAY_MS = 86_400_000
/** Merges go on for a while when everything has come. */
const MERGE_MS = 60_000
/** Of OTLP less is sent: it takes longer. */
const OTLP_PART = 10

await runCommand({
  name: 'collector',
  help: HELP,
  readOptions,
  async run(options, say) {
    const results: CollectorResults = {
      suite: 'collector',
      schema: 1,
      machine: await describeMachine(),
      ingest: await measureIngest(options, say),
      ...(await measureQuestions(options, say)),
    }
    return deliver({ suite: 'collector', results, report: () => reportOf(results) }, options, say)
  },
})

async function measureIngest(
  { ingest: calls }: CollectorOptions,
  say: Say,
): Promise<readonly IngestResult[]> {
  const results: IngestResult[] = []
  const parts: readonly (readonly [Form, number])[] = [
    ['blocks', 1],
    ['OTLP protobuf', OTLP_PART],
    ['OTLP JSON', OTLP_PART],
  ]
  for (const [form, part] of parts) {
    await using store = await folder()
    await using collector = await CollectorProcess.start(store.path)
    const period = { fromMs: Date.now() - 3_600_000, overMs: 3_600_000 }
    // The first requests pay for compilation, which is not what is measured.
    await ingest(collector, form, Math.min(calls / part, 100_000), period)
    const result = await ingest(collector, form, Math.ceil(calls / part), period)
    say(`${form}: ${Math.round(result.callsPerS).toLocaleString('en-US')} calls a second`)
    results.push(result)
  }
  return results
}

async function measureQuestions(
  { calls, times }: CollectorOptions,
  say: Say,
): Promise<Pick<CollectorResults, 'store' | 'questions'>> {
  await using store = await folder()
  const [fromMs, toMs] = [Date.now() - DAY_MS, Date.now()]
  {
    await using collector = await CollectorProcess.start(store.path)
    say(`filling a store with ${calls.toLocaleString('en-US')} calls of a day`)
    await ingest(collector, 'blocks', calls, { fromMs, overMs: DAY_MS })
    await new Promise((resolve) => setTimeout(resolve, Math.min(MERGE_MS, calls / 100)))
  }
  const bytes = await bytesIn(join(store.path, 'tables'))
  await using collector = await CollectorProcess.start(store.path)
  const usage = await collectorClient({ url: collector.url }).usage()
  say('asking')
  const questions = await askQuestions(collector.url, { fromMs, toMs, times })
  const { startMs: coldStartMs } = collector
  const peakBytes = await collector.peakBytes()
  return { store: { calls: usage.calls, bytes, coldStartMs, peakBytes }, questions }
}

/** What lies below a folder. */
async function bytesIn(path: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    // Links of the engine lead into the same folder.
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size
  }
  return bytes
}

interface Folder extends AsyncDisposable {
  readonly path: string
}

async function folder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'clew-bench-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
