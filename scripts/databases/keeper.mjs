// Owns the private databases of one run: starts them and ends them when its standard input closes.
// That happens when the run is over, however it ended; a run that was killed cannot clean up after
// itself, so somebody else has to.
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { startPostgres } from './postgres.mjs'
import { startRedis } from './redis.mjs'

const START = { postgres: startPostgres, redis: startRedis }
const START_ATTEMPTS = 3

const wanted = JSON.parse(process.argv[2])
const directory = await mkdtemp(path.join(os.tmpdir(), 'clew-databases-'))
// Servers that run as somebody else have to get through to folders of their own, and see no other.
await chmod(directory, 0o711)
const running = []
let ending

process.stdin.resume()
process.stdin.once('end', () => end(0))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => end(1))

try {
  const started = await Promise.all(
    Object.entries(wanted).map(async ([name, programs]) => [name, await start(name, programs)]),
  )
  process.stdout.write(`${JSON.stringify({ urls: Object.fromEntries(started) })}\n`)
} catch (error) {
  process.stdout.write(`${JSON.stringify({ error: error.message })}\n`)
  await end(1)
}

async function start(name, programs) {
  for (let attempt = 1; ; attempt++) {
    const own = path.join(directory, `${name}-${attempt}`)
    await mkdir(own, { mode: 0o700 })
    try {
      const server = await START[name]({ programs, directory: own })
      running.push(server)
      return server.url
    } catch (error) {
      // The port was free when we looked; somebody else may have been quicker.
      if (attempt === START_ATTEMPTS || !/address already in use/i.test(error.message)) throw error
    }
  }
}

function end(code) {
  ending ??= (async () => {
    await Promise.allSettled(running.map((server) => server.stop()))
    await rm(directory, { recursive: true, force: true, maxRetries: 5 })
    process.exit(code)
  })()
  return ending
}
