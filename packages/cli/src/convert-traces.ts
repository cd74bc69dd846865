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
import { type Chosen, readChosen } from './chosen-trace.ts'
import type { ConvertFormat } from './convert-format.ts'
import { interruptible } from './interruption.ts'
import { WriteTarget } from './write-target.ts'

export interface ConvertRequest {
  readonly chosen: Chosen
  readonly format: Exclude<ConvertFormat, 'html'>
  /** Undefined for stdout. */
  readonly out: string | undefined
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
  const { chosen, format, out } = request
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
      () => readChosen(chosen, take),
    )
    for (const piece of writer.end()) target.write(piece)
    target.finish()
    return { ...sums, bytes: target.bytes, problems }
  } catch (error) {
    target.abandon()
    throw error
  }
}

function added(a: Losses, b: Losses): Losses {
  const keys = Object.keys(NO_LOSSES) as (keyof Losses)[]
  return Object.fromEntries(keys.map((key) => [key, a[key] + b[key]])) as unknown as Losses
}
