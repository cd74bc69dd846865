import { readdir, readFile, readlink } from 'node:fs/promises'
import { processorSOf } from './process-use.ts'

const LISTENING = '0A'

/**
 * Processor time that the broker at an address has used so far, microseconds, in steps of 10 ms;
 * undefined where the broker is not a process of this machine that we may look at. Linux only.
 */
export async function brokerClock(url: string): Promise<() => Promise<number | undefined>> {
  const pid = await listenerOn(Number(new URL(url).port) || 5672)
  if (pid === undefined) return async () => undefined
  return async () => (await processorSOf(pid)) * 1e6
}

/** The process that listens on a TCP port of this machine. */
async function listenerOn(port: number): Promise<number | undefined> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFile(file, 'utf8').catch(() => '')),
  )
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const sockets = new Set<string>()
  for (const line of tables.join('\n').split('\n')) {
    const fields = line.trim().split(/\s+/u)
    const listens = fields[1]?.endsWith(wanted) === true && fields[3] === LISTENING
    if (listens) sockets.add(`socket:[${fields[9]}]`)
  }
  if (sockets.size === 0) return undefined
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/u.test(name))
  const owners = await Promise.all(
    pids.map(async (pid) => ((await holds(pid, sockets)) ? pid : '')),
  )
  return owners.filter((pid) => pid !== '').map(Number)[0]
}

async function holds(pid: string, sockets: ReadonlySet<string>): Promise<boolean> {
  const folder = `/proc/${pid}/fd`
  // Of processes that end meanwhile, or belong to others, nothing is known.
  const files = await readdir(folder).catch(() => [])
  const targets = await Promise.all(
    files.map((file) => readlink(`${folder}/${file}`).catch(() => '')),
  )
  return targets.some((target) => sockets.has(target))
}
