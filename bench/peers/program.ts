/**
 * What a peer promises for its messages; each peer's program says how it keeps that.
 * - `fast`: transient messages; a request is acknowledged when it has been worked on
 * - `unacknowledged`: transient messages; a request counts as done when it was sent to a service
 * - `confirmed`: persistent messages that the broker confirms; a request is acknowledged when the broker
 *   has its reply
 * - `confirmed-requests`: that for requests only; replies are transient
 */
export type Guarantees = 'fast' | 'unacknowledged' | 'confirmed' | 'confirmed-requests'

/** What a peer's program is told. */
export interface Settings {
  /** The broker's address. */
  readonly url: string
  /** Name for its service and its queues, no other peer's. */
  readonly service: string
  readonly guarantees: Guarantees
  /** Address to which traces go; undefined: nothing is traced. */
  readonly sink: string | undefined
}

/** One end of a peer, while it is open. */
export interface End {
  close(): Promise<void>
  /** Sends the traces that are still here, if it sends any. */
  flush?(): Promise<void>
}

export interface Caller extends End {
  hello(name: string): Promise<string>
}

/** What a peer's program exports: a service whose method `hello` does what it is given, and its caller. */
export interface Program {
  serve(settings: Settings & { hello(name: string): Promise<string> }): Promise<End>
  open(settings: Settings): Promise<Caller>
}

/** What a tracer's program exports; it is loaded before the peer's. */
export interface TracingProgram {
  startTracing(settings: { readonly service: string; readonly sink: string }): () => Promise<void>
}
