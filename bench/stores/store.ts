/** A collector of traces in a process of its own, with an empty store. */
export interface Store extends AsyncDisposable {
  readonly url: string
  /** Processor time so far, seconds. */
  cpuS(): Promise<number>
  /** The most memory that it has had, bytes. */
  peakBytes(): Promise<number>
  /** Spans that it has stored so far, by its own account. */
  stored(): Promise<number>
  /** One trace whole. */
  trace(id: string): Promise<string>
  /** The newest twenty traces of a service in a period. */
  search(service: string, fromMs: number, toMs: number): Promise<string>
  /** Who calls whom in a period. */
  map(fromMs: number, toMs: number): Promise<string>
}

/** How to start one, and how it is told of traces. */
export interface StoreKind {
  readonly name: string
  /** What its store is, and when it answers that it has taken something. */
  readonly store: string
  readonly form: 'OTLP protobuf' | 'Zipkin JSON'
  /** Starts one that keeps its files in a folder. */
  start(folder: string): Promise<Store>
}

/** @throws Error when it does not answer with success */
export async function textOf(url: string): Promise<string> {
  const response = await fetch(url)
  const text = await response.text()
  if (response.ok) return text
  throw new Error(`${url}: ${response.status} ${text.slice(0, 200)}`)
}
