import { spawn } from 'node:child_process'

/**
 * Runs a command to its end and keeps what it printed.
 * @returns {Promise<{ code: number, stdout: string, stderr: string }>} code 127 when it cannot be
 *   run at all, 124 when it took longer than `timeoutMs` and was killed
 */
export function output(command, parameters, { env = process.env, timeoutMs = 120_000 } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, parameters, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const printed = { stdout: '', stderr: '' }
    let late = false
    const timer = setTimeout(() => {
      late = true
      child.kill('SIGKILL')
    }, timeoutMs)
    for (const stream of ['stdout', 'stderr']) {
      child[stream].setEncoding('utf8').on('data', (text) => {
        printed[stream] += text
      })
    }
    child.once('error', (error) => {
      clearTimeout(timer)
      resolve({ code: 127, stdout: '', stderr: error.message })
    })
    child.once('close', (code) => {
      clearTimeout(timer)
      resolve({ code: late ? 124 : (code ?? 1), ...printed })
    })
  })
}
