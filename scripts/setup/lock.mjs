import { mkdir, open, readFile, stat, unlink, utimes } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const BEAT_MS = 2000
const STALE_MS = 20_000

/**
 * Runs `work` while no other process does so in the same checkout: two installations at once leave
 * neither whole. A holder that died gives way at once; one on another host or in another container,
 * whose process we cannot see, when its file has not been touched for 20 s.
 */
export async function withLock(root, say, work) {
  const file = path.join(root, '.cache', 'setup.lock')
  await mkdir(path.dirname(file), { recursive: true })
  await take(file, say)
  const beat = setInterval(() => {
    const now = new Date()
    utimes(file, now, now).catch(() => {})
  }, BEAT_MS)
  try {
    return await work()
  } finally {
    clearInterval(beat)
    await unlink(file).catch(() => {})
  }
}

async function take(file, say) {
  const me = JSON.stringify({ pid: process.pid, host: os.hostname() })
  for (let attempt = 0; ; attempt++) {
    try {
      const handle = await open(file, 'wx')
      await handle.writeFile(me)
      await handle.close()
      return
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    if (await isStale(file)) {
      await unlink(file).catch(() => {})
      continue
    }
    if (attempt === 10) say('waiting for another set-up of this checkout to finish')
    await delay(100)
  }
}

async function isStale(file) {
  try {
    const { mtimeMs } = await stat(file)
    if (Date.now() - mtimeMs > STALE_MS) return true
    const { pid, host } = JSON.parse(await readFile(file, 'utf8'))
    return host === os.hostname() && !isAlive(pid)
  } catch {
    // Gone meanwhile, or still being written: not stale, and the next look will tell.
    return false
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code !== 'ESRCH'
  }
}
