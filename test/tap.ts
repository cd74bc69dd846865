import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** Stands in front of a server and keeps what the server sends: what an eavesdropper would see. */
export interface Tap extends AsyncDisposable {
  readonly port: number
  /** All bytes that went to clients so far. */
  heard(): Buffer
  /** Forgets them. */
  clear(): void
  /** Ends all connections; new ones are let through. */
  cut(): void
}

export async function tapOn(target: {
  readonly host: string
  readonly port: number
}): Promise<Tap> {
  const chunks: Buffer[] = []
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(target.port, target.host)
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        open.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.pipe(upstream)
    upstream.on('data', (bytes: Buffer) => {
      chunks.push(Buffer.from(bytes))
      if (!client.destroyed) client.write(bytes)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the tap has no port')
  return {
    port: address.port,
    heard: () => Buffer.concat(chunks),
    clear: () => {
      chunks.length = 0
    },
    cut() {
      for (const socket of open) socket.destroy()
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
