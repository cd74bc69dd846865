import { connect } from 'node:net'

const GREETING = 'AMQP\0\0\x09\x01'
/** The `version` entry of the server's properties: its name, the tag of a long string, the length. */
const VERSION = Buffer.from('\x07versionS', 'latin1')
const PATIENCE_MS = 5000

/**
 * What a RabbitMQ says of its version when it greets (AMQP 0-9-1, connection.start); undefined when
 * it does not say so in clear.
 */
export function brokerVersion(url: string): Promise<string | undefined> {
  const { protocol, hostname, port } = new URL(url)
  if (protocol !== 'amqp:') return Promise.resolve(undefined)
  return new Promise((resolve) => {
    const socket = connect({ host: hostname || 'localhost', port: Number(port) || 5672 })
    let received = Buffer.alloc(0)
    const finish = (version: string | undefined) => {
      socket.destroy()
      resolve(version)
    }
    socket.setTimeout(PATIENCE_MS, () => finish(undefined))
    socket.once('error', () => finish(undefined))
    socket.once('close', () => finish(undefined))
    socket.once('connect', () => socket.write(GREETING, 'latin1'))
    socket.on('data', (piece) => {
      received = Buffer.concat([received, piece])
      const version = versionIn(received)
      if (version !== undefined) finish(version)
    })
  })
}

function versionIn(greeting: Buffer): string | undefined {
  const at = greeting.indexOf(VERSION)
  if (at < 0) return undefined
  const start = at + VERSION.length + 4
  if (start > greeting.length) return undefined
  const end = start + greeting.readUInt32BE(start - 4)
  return end > greeting.length ? undefined : greeting.toString('utf8', start, end)
}
