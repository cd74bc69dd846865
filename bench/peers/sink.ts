// Where all traces go, in a process of its own: counts what arrives, by the path's first part, and
// forgets it.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerParent } from '../harness/remote.ts'
import { countIn } from './sink-count.ts'

/** What it answers. */
export interface SinkProcess {
  /** The address to send to; each peer adds a name of its own to the path. */
  address(): Promise<string>
  /** What has arrived so far, by that name: spans, or traces of Clew's. */
  counts(): Promise<Readonly<Record<string, number>>>
}

const counts: Record<string, number> = {}

async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const [, name = '', ...route] = (request.url ?? '').split('/')
  const { count, answer } = countIn(route.join('/'), Buffer.concat(parts))
  counts[name] = (counts[name] ?? 0) + count
  response.writeHead(200, { 'content-type': request.headers['content-type'] ?? 'text/plain' })
  response.end(answer)
}

const server = createServer((request, response) => {
  receive(request, response).catch((error: unknown) => {
    response.writeHead(400).end(String(error))
  })
})
server.listen(0, '127.0.0.1')
const listening = once(server, 'listening')

process.on('SIGINT', () => {})
answerParent<SinkProcess>(
  {
    async address() {
      await listening
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    },
    counts: async () => counts,
  },
  async () => {
    server.closeAllConnections()
  },
)
