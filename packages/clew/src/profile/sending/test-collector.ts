import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { packetHead, type ReadBatch, readBatch } from '../../trace/blocks.ts'

/** Only for tests: what a server does with one request that brought a batch. */
export type Behaviour = (
  response: ServerResponse,
  batch: ReadBatch,
  request: IncomingMessage,
) => void

/** Only for tests: a server that does with batches what it is told to, and keeps those it has taken. */
export class TestCollector {
  readonly #server: Server
  #behaviours: Behaviour[] = []
  /** What is done when nothing else was asked for. */
  usually: Behaviour = (response, batch) => this.takes(response, batch)
  /** All that came, in order. */
  readonly came: { readonly batch: ReadBatch; readonly request: IncomingMessage }[] = []
  /** Taken ones by id, as a collector keeps them once. */
  readonly kept = new Map<string, ReadBatch>()

  private constructor(server: Server) {
    this.#server = server
  }

  static async open(t: TestContext, port = 0): Promise<TestCollector> {
    const server = createServer()
    const collector = new TestCollector(server)
    server.on('request', (request, response) => void collector.#answer(request, response))
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => collector.close())
    return collector
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** The next requests are answered so, in this order. */
  next(...behaviours: readonly Behaviour[]): void {
    this.#behaviours.push(...behaviours)
  }

  takes(response: ServerResponse, batch: ReadBatch): void {
    const duplicates = this.kept.has(batch.id)
    this.kept.set(batch.id, batch)
    const stored = callsIn(batch)
    json(response, 200, { stored, duplicates: duplicates ? stored : 0, rejected: {} })
  }

  /** Calls of everything that was kept. */
  get calls(): number {
    return [...this.kept.values()].reduce((sum, batch) => sum + callsIn(batch), 0)
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const body = Buffer.concat(parts)
    const bytes = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body
    const batch = readBatch(bytes)
    if (batch === undefined) {
      json(response, 400, { error: { code: 'unreadable', message: 'no batch' } })
      return
    }
    this.came.push({ batch, request })
    const behaviour = this.#behaviours.shift() ?? this.usually
    behaviour(response, batch, request)
  }

  async close(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}

export function callsIn({ packets }: ReadBatch): number {
  return packets.reduce((sum, packet) => sum + packetHead(packet)!.calls, 0)
}

export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}
