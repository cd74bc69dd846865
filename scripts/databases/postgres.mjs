// A private PostgreSQL: own folder, own port on loopback, a password that nobody else knows.
import { randomBytes } from 'node:crypto'
import { chown, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { output } from '../processes.mjs'
import { freePort } from '../rabbitmq/ports.mjs'
import { startServer } from './server.mjs'

const USER = 'clew'

/**
 * @param options.programs folder of PostgreSQL's programs
 * @param options.directory an empty folder of its own
 * @returns `url` and `stop()`
 */
export async function startPostgres({ programs, directory }) {
  const owner = await ownerOfServer()
  const password = randomBytes(16).toString('hex')
  const secret = path.join(directory, 'password')
  const folder = path.join(directory, 'database')
  await mkdir(folder, { mode: 0o700 })
  await writeFile(secret, password, { mode: 0o600 })
  if (owner !== undefined) {
    for (const one of [directory, folder, secret]) await chown(one, owner.uid, owner.gid)
  }
  const made = await output(
    path.join(programs, 'initdb'),
    [
      ...['-D', folder, '-U', USER, '--pwfile', secret, '--auth=scram-sha-256'],
      ...['--encoding=UTF8', '--locale=C', '--no-sync', '--no-instructions'],
    ],
    { cwd: directory, ...owner },
  )
  if (made.code !== 0) throw new Error(`initdb ended with code ${made.code}:\n${made.text}`)
  const port = await freePort()
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    // What is lost by a power cut was to be thrown away.
    fsync: 'off',
    full_page_writes: 'off',
  }
  const server = await startServer({
    title: 'PostgreSQL',
    program: path.join(programs, 'postgres'),
    parameters: [
      ...['-D', folder],
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    directory,
    owner,
    isReady: (text) => text.includes('database system is ready to accept connections'),
    // Its children end with it at once; there is nothing to be kept.
    stopSignal: 'SIGQUIT',
  })
  return { url: `postgres://${USER}:${password}@127.0.0.1:${port}/postgres`, stop: server.stop }
}

/** PostgreSQL refuses to run as root. */
async function ownerOfServer() {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = await Promise.all(['-u', '-g'].map((what) => output('id', [what, name])))
    if (uid.code === 0 && gid.code === 0) {
      return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
    }
  }
  throw new Error('PostgreSQL refuses to run as root, and there is no user postgres or nobody')
}
