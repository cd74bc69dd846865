import net from 'node:net'

// Below the ports that Linux gives to outgoing connections (from 32768), so that nobody is handed
// one of ours by chance between our look and the broker's bind; above the well-known services, and
// around RabbitMQ's own default for distribution. rabbitmqctl's defaults (35672 to 35682) lie above.
const LOWEST = 20_000
const HIGHEST = 30_000
const TAKEN = [25_672]

/** A port on loopback that was free a moment ago. */
export async function freePort() {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST))
    if (!TAKEN.includes(port) && (await isFree(port))) return port
  }
  throw new Error(`found no free port on 127.0.0.1 between ${LOWEST} and ${HIGHEST}`)
}

/** Whether nobody listens on a port of loopback. */
export function isFree(port) {
  return new Promise((resolve) => {
    const server = net.createServer()
    server.once('error', () => resolve(false))
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      server.close(() => resolve(true))
    })
  })
}
