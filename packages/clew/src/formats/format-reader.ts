import type { Trace, TraceProblem } from '../trace/index.ts'

/** Formats that traces are read from; `clew` is the paper's plain list too. */
export type FormatName = 'clew' | 'otlp' | 'otlp-protobuf' | 'jaeger' | 'zipkin'

/** Reads one document, or a line of them, piece by piece and in bounded memory. Never throws. */
export interface FormatReader {
  /** Takes the next bytes, cut anywhere. Returns traces of which nothing more is expected. */
  push(bytes: Uint8Array): Trace[]
  /** Ends the document. Returns all traces not yet handed over. */
  end(): Trace[]
  /** What could not be read so far. */
  readonly problems: readonly TraceProblem[]
}
