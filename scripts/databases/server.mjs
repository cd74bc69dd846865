import { spawn } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'

const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 10_000
const WORDS_KEPT = 4000

/**
 * Starts a server and waits until it says that it is ready.
 * @returns {Promise<{ stop: () => Promise<void> }>}
 * @throws Error with its last words when it ends before
 */
export async function startServer(options) {
  const { title, program, parameters, directory, owner, input, isReady, stopSignal } = options
  const child = spawn(program, parameters, {
    cwd: directory,
    ...owner,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let words = ''
  let ended = false
  const end = new Promise((resolve) => {
    child.once('error', (error) => {
      words += error.message
      resolve()
    })
    child.once('exit', resolve)
  }).then(() => {
    ended = true
  })
  const ready = new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        words = `${words}${text}`.slice(-WORDS_KEPT)
        if (isReady(words)) resolve()
      })
    }
  })
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const stop = async () => {
    if (ended) return
    child.kill(stopSignal)
    await Promise.race([end, delay(STOP_TIMEOUT_MS, undefined, { ref: false })])
    if (!ended) child.kill('SIGKILL')
    await end
  }
  const late = delay(START_TIMEOUT_MS, 'late', { ref: false })
  const how = await Promise.race([ready.then(() => 'ready'), end.then(() => 'ended'), late])
  if (how === 'ready') return { stop }
  await stop()
  throw new Error(
    how === 'late'
      ? `${title} was not ready within ${START_TIMEOUT_MS / 1000} s:\n${words}`
      : `${title} ended while it started:\n${words}`,
  )
}
