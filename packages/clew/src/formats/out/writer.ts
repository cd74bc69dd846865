import type { CallTree, Trace } from '../../trace/index.ts'

/** Writes one document of any number of traces, piece by piece. */
export interface TraceWriter<Piece extends string | Uint8Array = string> {
  /**
   * What the next trace adds to the document. Pieces are to be taken before the next call.
   * @param tree that of the trace, where it was built already. @default callTree(trace)
   */
  write(trace: Trace, tree?: CallTree): Iterable<Piece>
  /** What closes the document; to be called once, also where there was no trace. */
  end(): Iterable<Piece>
}

/** The whole document of these traces, in pieces. */
export function* pieces<Piece extends string | Uint8Array>(
  writer: TraceWriter<Piece>,
  traces: Iterable<Trace>,
): Generator<Piece> {
  for (const trace of traces) yield* writer.write(trace)
  yield* writer.end()
}

/** Puts `open` before the first element of a list, a comma before all others. */
export class ListMark {
  readonly #open: string
  #begun = false

  constructor(open: string) {
    this.#open = open
  }

  next(): string {
    if (this.#begun) return ',\n'
    this.#begun = true
    return `${this.#open}\n`
  }

  /** The beginning, where no element came. */
  rest(): string {
    return this.#begun ? '' : `${this.#open}\n`
  }
}
