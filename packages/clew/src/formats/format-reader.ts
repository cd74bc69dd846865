import { type Trace, type TraceProblem, TraceReader } from '../trace/index.ts'
import { Interning } from '../trace/interning.ts'
import { Problems } from '../trace/problems.ts'
import { JaegerVisitor } from './jaeger.ts'
import { type JsonVisitor, JsonWalker } from './json-walker.ts'
import { OpenTraces } from './open-traces.ts'
import { OtlpJsonVisitor } from './otlp-json.ts'
import { OtlpProtobufVisitor } from './otlp-protobuf.ts'
import { ProtobufWalker } from './protobuf-walker.ts'
import type { Reading } from './reading.ts'
import { Utf8 } from './utf8.ts'
import { ZipkinVisitor, zipkinKey } from './zipkin.ts'

/** Formats that traces are read from; `clew` is the paper's plain list too. */
export type FormatName = 'clew' | 'otlp' | 'otlp-protobuf' | 'jaeger' | 'zipkin'

/**
 * Reads documents piece by piece and in bounded memory: one, a line of them, or several files behind
 * each other, of which records of one trace are joined. Never throws.
 */
export interface FormatReader {
  /** Takes the next bytes, cut anywhere. Returns traces of which nothing more is expected. */
  push(bytes: Uint8Array): Trace[]
  /** Ends the document. Returns all traces not yet handed over. */
  end(): Trace[]
  /** What could not be read so far. */
  readonly problems: readonly TraceProblem[]
}

export interface FormatReaderOptions {
  /** Longest record in UTF-16 units, in bytes for protobuf; longer ones are passed over. @default 1,048,576 */
  readonly maxRecordLength?: number | undefined
  /**
   * Records (lines, of Clew's own files) after which a trace of which nothing more came is handed
   * over. What comes still later is handed over as another trace of the same id.
   * @default 100,000; of Clew's own files 10,000
   */
  readonly linger?: number | undefined
  /**
   * Records held at a time; beyond, the traces that were silent for longest are handed over, and of
   * one that is longer by itself the rest is counted as missing.
   * @default 2,000,000
   */
  readonly maxRecords?: number | undefined
}

/** A reader of a format, which {@link formatOf} tells by a document's beginning. */
export function formatReader(format: FormatName, options: FormatReaderOptions = {}): FormatReader {
  if (format === 'clew') return new OwnReader(options)
  if (format === 'otlp-protobuf') return new MessageReader(options)
  return new JsonReader(format, options)
}

const VISITORS = {
  jaeger: JaegerVisitor,
  zipkin: ZipkinVisitor,
  otlp: OtlpJsonVisitor,
} satisfies Record<string, new (reading: Reading) => JsonVisitor>

const MAX_LENGTH = 1_048_576

function newReading(source: keyof typeof VISITORS, options: FormatReaderOptions): Reading {
  const { linger = 100_000, maxRecords = 2_000_000 } = options
  const problems = new Problems()
  const joins = source === 'zipkin' ? { keyOf: zipkinKey } : {}
  const traces = new OpenTraces({ source, problems, linger, maxRecords, ...joins })
  return { traces, problems, texts: new Interning() }
}

class JsonReader implements FormatReader {
  readonly #reading: Reading
  readonly #walker: JsonWalker
  readonly #utf8 = new Utf8()

  constructor(format: keyof typeof VISITORS, options: FormatReaderOptions) {
    this.#reading = newReading(format, options)
    const visitor = new VISITORS[format](this.#reading)
    const { maxRecordLength = MAX_LENGTH } = options
    this.#walker = new JsonWalker(visitor, this.#reading.problems, maxRecordLength)
  }

  get problems(): readonly TraceProblem[] {
    return this.#reading.problems.list()
  }

  push(bytes: Uint8Array): Trace[] {
    this.#walker.push(this.#utf8.push(bytes))
    return this.#reading.traces.take()
  }

  end(): Trace[] {
    this.#walker.push(this.#utf8.end())
    this.#walker.end()
    return this.#reading.traces.end()
  }
}

class MessageReader implements FormatReader {
  readonly #reading: Reading
  readonly #walker: ProtobufWalker

  constructor(options: FormatReaderOptions) {
    this.#reading = newReading('otlp', options)
    const visitor = new OtlpProtobufVisitor(this.#reading)
    const { maxRecordLength = MAX_LENGTH } = options
    this.#walker = new ProtobufWalker(visitor, this.#reading.problems, maxRecordLength)
  }

  get problems(): readonly TraceProblem[] {
    return this.#reading.problems.list()
  }

  push(bytes: Uint8Array): Trace[] {
    this.#walker.push(bytes)
    return this.#reading.traces.take()
  }

  end(): Trace[] {
    this.#walker.end()
    return this.#reading.traces.end()
  }
}

/** Clew's own files, which are text. */
class OwnReader implements FormatReader {
  readonly #reader: TraceReader
  readonly #utf8 = new Utf8()

  constructor({ maxRecordLength, linger }: FormatReaderOptions) {
    this.#reader = new TraceReader({ maxLineLength: maxRecordLength, linger })
  }

  get problems(): readonly TraceProblem[] {
    return this.#reader.problems
  }

  push(bytes: Uint8Array): Trace[] {
    return this.#reader.push(this.#utf8.push(bytes))
  }

  end(): Trace[] {
    return [...this.#reader.push(this.#utf8.end()), ...this.#reader.end()]
  }
}
