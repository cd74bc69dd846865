// A private Redis: own port on loopback, a password that nobody else knows, nothing on disk.
import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { freePort } from '../rabbitmq/ports.mjs'
import { startServer } from './server.mjs'

/** @returns `url` and `stop()` */
export async function startRedis({ programs, directory }) {
  const port = await freePort()
  const password = randomBytes(16).toString('hex')
  const server = await startServer({
    title: 'Redis',
    program: path.join(programs, 'redis-server'),
    // Its settings come on standard input: others may read a command line.
    parameters: ['-'],
    input: [
      `port ${port}`,
      'bind 127.0.0.1',
      `requirepass ${password}`,
      'save ""',
      'appendonly no',
      'daemonize no',
      `dir ${directory}`,
      '',
    ].join('\n'),
    directory,
    isReady: (text) => /ready to accept connections/i.test(text),
    stopSignal: 'SIGTERM',
  })
  return { url: `redis://:${password}@127.0.0.1:${port}/11`, stop: server.stop }
}
