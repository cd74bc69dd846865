import {
  chromeWriter,
  clewWriter,
  csvWriter,
  jaegerWriter,
  type Losses,
  lossesOf,
  NO_LOSSES,
  otlpProtobufWriter,
  otlpWriter,
  speedscopeWriter,
  type TraceWriter,
  zipkinWriter,
} from 'clew/formats'
import { callTree, type Trace, type TraceProblem } from 'clew/trace'
import { readAllTraces } from './all-traces.ts'
import type { ConvertFormat } from './convert-format.ts'
import { Fault } from './fault.ts'
import { interruptible } from './interruption.ts'
import { nothingReadable, parseSelector, readTraceFile } from './trace-file.ts'
import { WriteTarget } from './write-target.ts'

export interface ConvertRequest {
  readonly paths: readonly string[]
  readonly format: Exclude<ConvertFormat, 'html'>
  /** Undefined for stdout. */
  readonly out: string | undefined
  /** Number or part of the id of the only trace to write. */
  readonly which: string | undefined
}

export interface Converted {
  readonly traces: number
  readonly calls: number
  readonly bytes: number
  /** What the format has no words for. */
  readonly losses: Losses
  readonly problems: readonly TraceProblem[]
}

const WRITERS: Readonly<
  Record<ConvertRequest['format'], () => TraceWriter | TraceWriter<Uint8Array>>
> = {
  clew: clewWriter,
  otlp: otlpWriter,
  'otlp-protobuf': otlpProtobufWriter,
  jaeger: jaegerWriter,
  zipkin: zipkinWriter,
  chrome: chromeWriter,
  speedscope: speedscopeWriter,
  csv: csvWriter,
}

/**
 * Writes traces in another format, one after the other.
 * @throws Fault when nothing can be read, or the document not be written; then there is no file of it
 */
export async function convertTraces(request: ConvertRequest): Promise<Converted> {
  const { paths, format, out, which } = request
  const target = new WriteTarget(out)
  const writer = WRITERS[format]()
  const sums = { traces: 0, calls: 0, losses: NO_LOSSES }
  const take = (trace: Trace) => {
    const tree = callTree(trace)
    for (const piece of writer.write(trace, tree)) target.write(piece)
    sums.traces++
    sums.calls += tree.calls
    if (format !== 'clew') sums.losses = added(sums.losses, lossesOf(tree))
  }
  try {
    const problems = await interruptible(
      () => target.abandon(),
      () => (which === undefined ? readAllTraces(paths, take) : takeOne(paths, which, take)),
    )
    for (const piece of writer.end()) target.write(piece)
    target.finish()
    return { ...sums, bytes: target.bytes, problems }
  } catch (error) {
    target.abandon()
    throw error
  }
}

async function takeOne(paths: readonly string[], which: string, take: (trace: Trace) => void) {
  const [path] = paths
  if (path === undefined || paths.length > 1) {
    throw new Fault('--trace chooses in one file', { exit: 2, code: 'usage' })
  }
  const { trace, problems } = await readTraceFile(path, parseSelector(which))
  if (trace === undefined) throw nothingReadable(path, problems)
  take(trace)
  return problems
}

function added(a: Losses, b: Losses): Losses {
  const keys = Object.keys(NO_LOSSES) as (keyof Losses)[]
  return Object.fromEntries(keys.map((key) => [key, a[key] + b[key]])) as unknown as Losses
}
