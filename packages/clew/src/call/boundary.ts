import type { ContextValues } from './context-values.ts'
import type { Headers } from './headers.ts'

/**
 * Judges what crosses between this system and callers outside it, who come by HTTP or WebSocket: the
 * paper's authentication of clients. A plugin may bring one. Without any, nothing from outside is
 * believed and nothing about the inside leaves.
 */
export interface Boundary {
  /** Judges a visitor before its request runs. Never rejects: what cannot be verified is not believed. */
  admit(visitor: Visitor): Promise<Admission>
}

/** Who knocks: a request, or a socket that will bring many. */
export interface Visitor {
  /** The service asked, which a grant has to be made for. */
  readonly service: string
  /** The first value of a header; names are lower-case. */
  header(name: string): string | undefined
}

/** What a visitor may do and see. */
export interface Admission {
  /**
   * Why the visitor's grant was not believed; undefined with a valid one, and without any. Who judges
   * writes it to the log, seldom enough that nobody outside can flood it.
   */
  readonly refused: string | undefined
  /** What one request brings into the call that it becomes, and takes home from it. */
  pass(): Passage
}

/** One request's way in and out. */
export interface Passage {
  /** Headers for the call: trace context, where it may be believed. */
  readonly headers: Headers
  /** For the call; interceptors find in it what the visitor may see. */
  readonly values: ContextValues
  /**
   * Headers for the response, once the call has been answered: nothing without a grant, so that the
   * response is what it would be without profiling.
   */
  depart(): Readonly<Record<string, string>>
}
